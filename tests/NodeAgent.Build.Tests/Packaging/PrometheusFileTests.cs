using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using NodeAgent.Contracts.Metrics;
using NodeAgent.Testing.Processes;

namespace NodeAgent.Build.Tests.Packaging;

/// <summary>Rules and dashboards: every expression by promtool, and every metric in them one that we have.</summary>
public sealed partial class PrometheusFileTests : IDisposable
{
    private const string Rules = "packaging/prometheus/nodeagent.rules.yml";

    private readonly string _scratch = Directory.CreateTempSubdirectory("nodeagent-rules").FullName;

    public static TheoryData<string> Dashboards =>
        [.. Directory.EnumerateFiles(Path.Combine(Repository.Root, "packaging", "grafana"), "*.json").Select(file => $"packaging/grafana/{Path.GetFileName(file)}").Order(StringComparer.Ordinal)];

    public void Dispose() => Directory.Delete(_scratch, recursive: true);

    [Fact]
    public void Rules_ByPromtool_AreGoodAndDoWhatTheirTestsSay()
    {
        (int code, string output) = Judge.Run("promtool", "prometheus", "check", "rules", "--lint=all", "--lint-fatal", Rules);
        Assert.True(code == 0, output);
        (code, output) = Judge.Run("promtool", "prometheus", "test", "rules", "packaging/prometheus/nodeagent.test.yml");
        Assert.True(code == 0, output);
    }

    [Fact]
    public void Rules_Runbooks_Exist()
    {
        foreach (Match link in RunbookLink().Matches(File.ReadAllText(Path.Combine(Repository.Root, Rules))))
        {
            string[] parts = link.Groups[1].Value.Split('#');
            string[] anchors = [.. File.ReadAllLines(Path.Combine(Repository.Root, parts[0])).Where(line => line.StartsWith("## ", StringComparison.Ordinal)).Select(line => line[3..])];
            Assert.Contains(parts[1], anchors);
        }
    }

    [Theory]
    [MemberData(nameof(Dashboards))]
    public void Dashboard_EveryExpression_PassesPromtool(string dashboard)
    {
        string[] expressions = Expressions(dashboard);
        Assert.True(expressions.Length >= 10, $"{dashboard} has only {expressions.Length} expressions");
        StringBuilder rules = new("groups:\n- name: dashboard\n  rules:\n");
        for (int i = 0; i < expressions.Length; i++)
        {
            string expression = expressions[i].Replace("$node", ".*", StringComparison.Ordinal).Replace("$__rate_interval", "1m", StringComparison.Ordinal);
            rules.Append($"  - record: dashboard:expression:{i}\n    expr: {JsonSerializer.Serialize(expression)}\n");
        }

        string file = Path.Combine(_scratch, "rules.yml");
        File.WriteAllText(file, rules.ToString());
        (int code, string output) = Judge.Run("promtool", "prometheus", "check", "rules", file);
        Assert.True(code == 0, output);
    }

    [Fact]
    public void Metrics_InRulesAndDashboards_AreOnesThatWeHave()
    {
        HashSet<string> known = [.. MetricCatalog.All.Select(metric => metric.Name), .. OwnMetricNames(), "up"];
        IEnumerable<string> expressions = Dashboards.SelectMany(row => Expressions(row.Data))
            .Concat(File.ReadAllLines(Path.Combine(Repository.Root, Rules)).Where(line => line.Contains("expr:", StringComparison.Ordinal)));
        string[] unknown = [.. expressions.SelectMany(text => MetricName().Matches(text)).Select(match => match.Value).Distinct().Where(name => !known.Contains(name))];

        Assert.True(unknown.Length == 0, $"not ours: {string.Join(' ', unknown)}");
    }

    // The names as the aggregator's code has them; what it really writes is scraped by a real Prometheus in the end-to-end tests.
    private static IEnumerable<string> OwnMetricNames()
    {
        string code = File.ReadAllText(Path.Combine(Repository.Root, "aggregator", "NodeAgent.Aggregator", "Prometheus", "OwnMetrics.cs"));
        return OwnName().Matches(code).Select(match => "nodeagent_aggregator_" + match.Groups[1].Value)
            .Concat(["process_cpu_seconds_total", "process_resident_memory_bytes"]);
    }

    private static string[] Expressions(string dashboard)
    {
        using JsonDocument json = JsonDocument.Parse(File.ReadAllText(Path.Combine(Repository.Root, dashboard)));
        return [.. json.RootElement.GetProperty("panels").EnumerateArray().SelectMany(panel => panel.GetProperty("targets").EnumerateArray()).Select(target => target.GetProperty("expr").GetString()!)];
    }

    [GeneratedRegex("runbook_url: (docs/\\S+)")]
    private static partial Regex RunbookLink();

    [GeneratedRegex("\\b(?:node|gpu|nodeagent|process)_[a-zA-Z0-9_]+\\b(?!\")")]
    private static partial Regex MetricName();

    [GeneratedRegex("(?:Gauge|Counter|PerReceiver)\\((?:text, )?\"([a-z_]+)\"")]
    private static partial Regex OwnName();
}
