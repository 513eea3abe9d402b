using System.Globalization;
using NodeAgent.Testing.Processes;

namespace NodeAgent.Build.Steps;

/// <summary>
/// <c>./build.sh e2e</c>: the real programs as processes, in the long form; or only the real faults; or the kill loop as long as wanted.
/// </summary>
internal static class EndToEndStep
{
    private const string Project = "NodeAgent.EndToEnd.Tests";
    private const string Faults = Project + ".Faults";

    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(60);

    internal static async Task<int> RunAsync(string[] arguments)
    {
        if (arguments is ["--packages", .. var rest] && rest is [] or ["--as-published"])
        {
            return await PackagesStep.RunAsync(isPublished: rest.Length > 0).ConfigureAwait(false);
        }

        if (!TryParse(arguments, out Request request, out string error))
        {
            Console.Error.WriteLine($"e2e: {error}; usage: ./build.sh e2e [--kills N [--seed S] | --faults [ID,ID ...] | --packages [--as-published]]");
            return 2;
        }

        int built = await TestStep.PrepareAndBuildAsync($"tests/{Project}").ConfigureAwait(false);
        return built != 0 ? built : request.Kills > 0 ? await KillAsync(request).ConfigureAwait(false) : await TestAsync(request).ConfigureAwait(false);
    }

    private static async Task<int> TestAsync(Request request)
    {
        List<string> filter = ["-showLiveOutput"];
        if (request.Faults is { Count: > 0 } ids)
        {
            filter.AddRange(ids.SelectMany(id => new[] { "-trait", $"fault={id.ToUpperInvariant()}" }));
        }
        else if (request.Faults is not null)
        {
            filter.AddRange(["-namespace", Faults + ".*"]);
        }

        Dictionary<string, string> environment = new() { ["NODEAGENT_TEST_THOROUGH"] = "1" };
        return TestStep.Report(await TestStep.RunProjectAsync(Project, [.. filter], environment, Limit).ConfigureAwait(false));
    }

    private static async Task<int> KillAsync(Request request)
    {
        string report = Path.Combine(Repository.Root, "artifacts", "kills.json");
        File.Delete(report);
        Dictionary<string, string> environment = new()
        {
            ["NODEAGENT_TEST_KILLS"] = request.Kills.ToString(CultureInfo.InvariantCulture),
            ["NODEAGENT_TEST_KILLS_REPORT"] = report,
        };
        if (request.Seed > 0)
        {
            environment["NODEAGENT_TEST_SEED"] = request.Seed.ToString(CultureInfo.InvariantCulture);
        }

        int code = TestStep.Report(await TestStep.RunProjectAsync(
            Project, ["-class", Faults + ".KillLoopTests", "-showLiveOutput"], environment, Limit).ConfigureAwait(false));
        if (!File.Exists(report))
        {
            Console.Error.WriteLine("e2e: the kill loop ended before it could count");
            return 1;
        }

        Console.Write(await File.ReadAllTextAsync(report).ConfigureAwait(false));
        return code;
    }

    private static bool TryParse(string[] arguments, out Request request, out string error)
    {
        request = new Request(0, 0, null);
        error = "";
        for (int i = 0; i < arguments.Length; i++)
        {
            string value = i + 1 < arguments.Length ? arguments[i + 1] : "";
            switch (arguments[i])
            {
                case "--kills" when int.TryParse(value, CultureInfo.InvariantCulture, out int kills) && kills > 0:
                    request = request with { Kills = kills };
                    i++;
                    break;
                case "--seed" when int.TryParse(value, CultureInfo.InvariantCulture, out int seed) && seed > 0:
                    request = request with { Seed = seed };
                    i++;
                    break;
                case "--faults":
                    request = request with { Faults = [.. arguments[(i + 1)..].SelectMany(list => list.Split(',', StringSplitOptions.RemoveEmptyEntries))] };
                    i = arguments.Length;
                    break;
                default:
                    error = arguments[i] is "--kills" or "--seed" ? $"{arguments[i]} does not take '{value}'" : $"unknown option '{arguments[i]}'";
                    return false;
            }
        }

        return true;
    }

    private sealed record Request(int Kills, int Seed, IReadOnlyList<string>? Faults);
}
