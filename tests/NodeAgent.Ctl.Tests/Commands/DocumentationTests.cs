using System.Text.Json;
using System.Text.RegularExpressions;
using NodeAgent.Ctl.Tests.Harness;

namespace NodeAgent.Ctl.Tests.Commands;

/// <summary>docs/nodectl.md against the program: its JSON examples have exactly the fields that are printed.</summary>
public sealed partial class DocumentationTests : IDisposable
{
    private readonly string _folder = Path.Combine(Directory.CreateTempSubdirectory("nodectl-docs-").FullName, "lab");

    public void Dispose() => Directory.Delete(Path.GetDirectoryName(_folder)!, recursive: true);

    [Theory]
    [InlineData("NodeList", "nodes")]
    [InlineData("Node", "node", "gpu-01")]
    [InlineData("SeriesList", "series")]
    [InlineData("ResultList", "query", "node_load1")]
    [InlineData("RangeList", "query", "node_load1", "--range", "10m")]
    [InlineData("TopList", "top", "--once")]
    [InlineData("EventList", "events")]
    [InlineData("Decision", "place", "train-7", "--gpus", "2")]
    [InlineData("PolicyList", "what-if", "train-7", "--compare")]
    [InlineData("JobList", "jobs")]
    [InlineData("MovePlan", "plan", "drain", "gpu-02")]
    [InlineData("AdviceList", "scale")]
    [InlineData("Rollout", "rollouts", "019a7f00-0000-7000-8000-000000000001")]
    [InlineData("AuditHeadList", "audit", "heads")]
    [InlineData("UsageList", "usage", "--from", "7d")]
    [InlineData("BackupList", "backup")]
    [InlineData("TokenList", "token", "create", "gpu-17")]
    [InlineData("IdentityList", "identities")]
    [InlineData("CaList", "ca", "show")]
    [InlineData("Status", "status")]
    [InlineData("CheckList", "doctor", "--server", "aggregator.lab")]
    [InlineData("IncidentList", "incidents")]
    [InlineData("SilenceList", "incidents", "--silences")]
    [InlineData("Incident", "incident", "17")]
    [InlineData("FindingCountList", "detect", "--selector", "{node=\"gpu-02\"}", "--counts")]
    [InlineData("ForecastList", "forecast", "node_filesystem_avail_bytes", "--limit", "0")]
    [InlineData("Xid", "explain", "xid", "79")]
    [InlineData("Version", "version")]
    [InlineData("FleetFileList", "fleet", "init", "FOLDER", "--name", "lab")]
    public async Task Example_OfAKind_HasExactlyTheFieldsThatNodectlPrints(string kind, params string[] command)
    {
        Bench bench = new();
        bench.Fleet.Instant = request => request.Query.FormCase == V1.QueryInput.FormOneofCase.Spec ? SampleFleet.Top(request) : SampleFleet.Loads();

        await bench.RunAsync([.. command.Select(word => word == "FOLDER" ? _folder : word), "-o", "json"]);

        Assert.Equal(Fields(bench.Output), Fields(Examples().Single(example => Kind(example) == kind)));
    }

    [Fact]
    public async Task Example_OfAWatchedSample_HasExactlyTheFieldsThatNodectlPrints()
    {
        Bench bench = new();

        await bench.RunAsync(["watch", "up", "--count", "1", "-o", "jsonl"]);

        Assert.Equal(Fields(bench.Output), Fields(Examples().Single(example => Kind(example) is null)));
    }

    [Fact]
    public void ExitCodes_OfTheProgram_AreAllInTheTable()
    {
        string text = Text();

        Assert.All(Enum.GetValues<ExitCode>(), code => Assert.Contains($"\n| {(int)code} | ", text, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Commands_OfTheProgram_AreAllInTheSynopsis()
    {
        Bench bench = new();
        await bench.RunAsync(["[suggest:8]", "nodectl "]);

        Assert.All(bench.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries), command => Assert.Contains($"\nnodectl {command}", Text(), StringComparison.Ordinal));
    }

    private static string Text() => File.ReadAllText(Path.Combine(GoldenFile.Root(), "docs", "nodectl.md"));

    private static IEnumerable<string> Examples() => JsonBlock().Matches(Text()).Select(match => match.Groups[1].Value);

    private static string? Kind(string json)
    {
        using JsonDocument document = JsonDocument.Parse(json);
        return document.RootElement.TryGetProperty("apiVersion", out _) ? document.RootElement.GetProperty("kind").GetString() : null;
    }

    private static string[] Fields(string json)
    {
        SortedSet<string> paths = [];
        using JsonDocument document = JsonDocument.Parse(json);
        Collect(document.RootElement, "", paths);
        return [.. paths];
    }

    // Labels and attributes are data, not fields.
    private static void Collect(JsonElement element, string path, SortedSet<string> paths)
    {
        if (element.ValueKind == JsonValueKind.Array)
        {
            foreach (JsonElement item in element.EnumerateArray()) Collect(item, path + "[]", paths);
        }
        else if (element.ValueKind == JsonValueKind.Object)
        {
            foreach (JsonProperty property in element.EnumerateObject())
            {
                paths.Add($"{path}.{property.Name}");
                if (property.Name is not ("labels" or "attributes")) Collect(property.Value, $"{path}.{property.Name}", paths);
            }
        }
    }

    [GeneratedRegex("```json\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex JsonBlock();
}
