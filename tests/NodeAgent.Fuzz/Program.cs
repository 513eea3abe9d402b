using System.Globalization;
using NodeAgent.Fuzz;
using NodeAgent.Fuzz.Engine;

// NodeAgent.Fuzz [TARGET] [--seed N] [--for SECONDSs] [--count N]: ten seconds of every target unless told otherwise.
string? only = args.Length > 0 && !args[0].StartsWith("--", StringComparison.Ordinal) ? args[0] : null;
FuzzBounds bounds = new(
    Seed: int.Parse(Option("--seed") ?? "1", CultureInfo.InvariantCulture),
    For: TimeSpan.FromSeconds(int.Parse((Option("--for") ?? "10s").TrimEnd('s'), CultureInfo.InvariantCulture)),
    Count: long.Parse(Option("--count") ?? "9223372036854775807", CultureInfo.InvariantCulture));
IFuzzTarget[] chosen = [.. TargetCatalog.All.Where(target => only is null || target.Name == only)];
if (chosen.Length == 0)
{
    Console.Error.WriteLine($"No target {only}; there are: {string.Join(", ", TargetCatalog.All.Select(target => target.Name))}");
    return 2;
}

FailureReport report = new(Path.Combine("artifacts", "fuzz"), Console.Out);
return new Fuzzer(bounds, report, TimeProvider.System).RunAll(chosen);

string? Option(string name) => Array.IndexOf(args, name) is >= 0 and int at && at + 1 < args.Length ? args[at + 1] : null;
