using System.Diagnostics;
using System.Text.RegularExpressions;
using NodeAgent.Testing.Processes;

namespace NodeAgent.Build.Steps;

/// <summary>
/// <c>./build.sh test</c>: prepares what tests need, builds, and runs every test project's program in turn; the total comes last.
/// Each test program is also a plain executable and a `dotnet test` project.
/// </summary>
internal static partial class TestStep
{
    // Faults that take more than a few seconds each belong to ./build.sh e2e.
    private static readonly string[] QuickTests = ["-trait-", "cost=long"];

    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(30);

    internal static async Task<int> RunAsync(string[] arguments)
    {
        string filter = arguments is [var only, ..] ? only : "";
        int built = await PrepareAndBuildAsync("NodeAgent.sln").ConfigureAwait(false);
        if (built != 0)
        {
            return built;
        }

        Totals totals = default;
        foreach (string project in TestProjects().Where(name => name.Contains(filter, StringComparison.OrdinalIgnoreCase)))
        {
            totals += await RunProjectAsync(project, QuickTests, [], Limit).ConfigureAwait(false);
        }

        Console.WriteLine();
        return Report(totals);
    }

    /// <summary>The last line of a run of tests, and its exit code.</summary>
    internal static int Report(Totals totals)
    {
        Console.WriteLine($"{totals.Passed} passed, {totals.Failed} failed, {totals.Skipped} skipped");
        return totals.Failed > 0 || totals.Passed == 0 ? 1 : 0;
    }

    /// <summary>What the tests of a project or of the whole solution need: foreign tools, the programs, the published agent.</summary>
    internal static async Task<int> PrepareAndBuildAsync(string project)
    {
        await PrepareAsync().ConfigureAwait(false);
        int built = await Shell.BuildAsync(project).ConfigureAwait(false);
        return built != 0 ? built : await Shell.PublishAgentAsync("linux-x64").ConfigureAwait(false);
    }

    /// <summary>The page tests of Repo.Tests, told to write instead of compare.</summary>
    internal static async Task<int> WritePagesAsync(string[] arguments)
    {
        int built = arguments.Length > 0 ? 2 : await Shell.BuildAsync("tests/NodeAgent.Repo.Tests").ConfigureAwait(false);
        if (built != 0)
        {
            return built;
        }

        Totals totals = await RunProjectAsync("NodeAgent.Repo.Tests", ["-class", "*GeneratedPage*"], new() { ["GOLDEN_UPDATE"] = "1" }, Limit).ConfigureAwait(false);
        return totals.Failed;
    }

    private static async Task PrepareAsync()
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        foreach (string folder in Directory.EnumerateDirectories(Path.Combine(Repository.Root, "tests")))
        {
            string script = Path.Combine(folder, "install.sh");
            if (File.Exists(script))
            {
                await Shell.RunAsync("bash", [script]).ConfigureAwait(false);
            }
        }
    }

    private static IEnumerable<string> TestProjects() =>
        Directory.EnumerateDirectories(Path.Combine(Repository.Root, "tests"), "*.Tests").Select(folder => Path.GetFileName(folder))
            .OrderBy(name => name.Contains("EndToEnd", StringComparison.Ordinal)).ThenBy(name => name, StringComparer.Ordinal);

    /// <summary>Runs a test project's program; failures, skips and what tests say of themselves are passed on.</summary>
    internal static async Task<Totals> RunProjectAsync(string project, string[] arguments, Dictionary<string, string> environment, TimeSpan limit)
    {
        Stopwatch watch = Stopwatch.StartNew();
        Totals totals = default;
        string program = Repository.Program(project, project);
        using RealProcess process = RealProcess.Start(project, program, ["-noColor", "-noLogo", .. arguments], environment, Show);
        await process.WaitForExitAsync(limit).ConfigureAwait(false);
        process.EndNow();
        foreach (string line in process.Lines)
        {
            totals = SummaryLine().Match(line) is { Success: true } found ? Totals.From(found) : totals;
        }

        // A program that ended without its summary crashed; that is a failure whatever it had passed before.
        if (process.ExitCode != 0 && totals.Failed == 0)
        {
            totals = totals with { Failed = 1 };
        }

        Console.WriteLine($"{(totals.Failed == 0 ? "ok  " : "FAIL")} {project,-32} {totals.Passed,5} passed {totals.Failed,3} failed {totals.Skipped,3} skipped  {watch.Elapsed.TotalSeconds,6:0.0} s");
        return totals;
    }

    // Failures and skips with their reasons; the rest of a green run is noise.
    private static void Show(string line)
    {
        string text = line.TrimStart();
        if (text.IndexOf("[OUTPUT] ", StringComparison.Ordinal) is >= 0 and var said)
        {
            Console.WriteLine($"         {text[(said + 9)..]}");
        }
        else if (line.StartsWith("    ", StringComparison.Ordinal) && !text.StartsWith("Discover", StringComparison.Ordinal)
            && !text.StartsWith("Starting", StringComparison.Ordinal) && !text.StartsWith("Finished", StringComparison.Ordinal))
        {
            Console.WriteLine(line);
        }
    }

    [GeneratedRegex(@"Total: (\d+), Errors: (\d+), Failed: (\d+), Skipped: (\d+)")]
    private static partial Regex SummaryLine();

    /// <summary>Of one or more test programs.</summary>
    internal readonly record struct Totals(int Passed, int Failed, int Skipped)
    {
        public static Totals operator +(Totals a, Totals b) => new(a.Passed + b.Passed, a.Failed + b.Failed, a.Skipped + b.Skipped);

        internal static Totals From(Match found)
        {
            int Number(int group) => int.Parse(found.Groups[group].ValueSpan);
            int failed = Number(2) + Number(3);
            return new Totals(Number(1) - failed - Number(4), failed, Number(4));
        }
    }
}
