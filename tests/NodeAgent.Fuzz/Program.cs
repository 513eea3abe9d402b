using System.Globalization;
using NodeAgent.Fuzz;
using NodeAgent.Fuzz.Targets;

const long MaxAllocatedBytes = 64L << 20; // per input of at most 64 KiB: far above any honest parse, far below harm

IFuzzTarget[] targets = [new QueryTarget()];
string? only = args.Length > 0 && !args[0].StartsWith("--", StringComparison.Ordinal) ? args[0] : null;
int seed = int.Parse(Option("--seed") ?? "1", CultureInfo.InvariantCulture);
var length = TimeSpan.FromSeconds(int.Parse((Option("--for") ?? "10s").TrimEnd('s'), CultureInfo.InvariantCulture));
IFuzzTarget[] chosen = [.. targets.Where(t => only is null || t.Name == only)];
if (chosen.Length == 0)
{
    Console.Error.WriteLine($"No target {only}; there are: {string.Join(", ", targets.Select(t => t.Name))}");
    return 2;
}

return chosen.All(Fuzz) ? 0 : 1;

string? Option(string name) => Array.IndexOf(args, name) is >= 0 and int at && at + 1 < args.Length ? args[at + 1] : null;

bool Fuzz(IFuzzTarget target)
{
    var mutator = new Mutator(target.Seeds, seed);
    long started = TimeProvider.System.GetTimestamp();
    long runs = 0;
    for (; TimeProvider.System.GetElapsedTime(started) < length; runs++)
    {
        byte[] input = mutator.Next();
        long before = GC.GetAllocatedBytesForCurrentThread();
        string? failure = null;
        try
        {
            target.Run(input);
        }
        catch (Exception e)
        {
            failure = e.ToString();
        }

        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        failure ??= allocated > MaxAllocatedBytes ? $"{allocated} bytes allocated" : null;
        if (failure is not null)
        {
            string folder = Directory.CreateDirectory(Path.Combine("artifacts", "fuzz")).FullName;
            File.WriteAllBytes(Path.Combine(folder, $"{target.Name}-{seed}-{runs}.bin"), input);
            Console.Error.WriteLine($"{target.Name}: seed {seed}, iteration {runs}, input {Convert.ToHexString(input)}\n{failure}");
            return false;
        }
    }

    Console.WriteLine($"{target.Name}: {runs} inputs, {runs / length.TotalSeconds:F0}/s, seed {seed}");
    return true;
}
