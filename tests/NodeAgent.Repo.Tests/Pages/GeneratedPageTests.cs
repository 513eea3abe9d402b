using System.Text;
using NodeAgent.Agent.Configuration;
using NodeAgent.Aggregator.Configuration;
using NodeAgent.Contracts.Metrics;
using NodeAgent.Hosting.Configuration;
using NodeAgent.Testing.Events;
using NodeAgent.Testing.Processes;

namespace NodeAgent.Repo.Tests.Pages;

/// <summary>Pages made from the code they describe. <c>./build.sh docs</c> writes them; these tests compare.</summary>
public sealed class GeneratedPageTests
{
    private const string Note = "<!-- Generated from the code by `./build.sh docs`; a test compares. Change the code, not this page. -->\n\n";

    [Fact]
    public void Metrics_Page_IsWhatTheCatalogueSays() => Check("docs/metrics.md", MetricsPage());

    [Fact]
    public void Events_Page_IsWhatTheCodeSays() => Check(
        "docs/events.md",
        $"# Events\n\n{Note}One line of log each, found by `event=` or `id=`. Ids are never reused.\n\n{EventCatalogPage.Render(EventIdTests.All)}");

    [Fact]
    public void Configuration_Page_IsWhatTheCodeSays() => Check(
        "docs/configuration.md",
        $"# Configuration\n\n{Note}"
        + "JSON with comments. Defaults, then the file, then its `.d` folder, then the environment, then `--set key=value`; an unknown key is an error.\n\n"
        + ConfigurationPage.Render(AgentOptions.Settings, "nodeagent") + "\n" + ConfigurationPage.Render(AggregatorOptions.Settings, "aggregator"));

    [Fact]
    public void AgentExample_File_IsWhatTheCodeSays() => Check(
        "packaging/config/nodeagent.example.json", ConfigurationText.Example(AgentOptions.Settings, "Configuration of nodeagent."));

    [Fact]
    public void AggregatorExample_File_IsWhatTheCodeSays() => Check(
        "packaging/config/aggregator.example.json", ConfigurationText.Example(AggregatorOptions.Settings, "Configuration of the aggregator."));

    [Fact]
    public void ManPage_OfTheAgent_IsWhatTheCodeSays() => Check("packaging/man/nodeagent.8", ManPages.Nodeagent());

    [Fact]
    public void ManPage_OfTheAggregator_IsWhatTheCodeSays() => Check("packaging/man/aggregator.8", ManPages.Aggregator());

    [Fact]
    public void ManPage_OfTheAgentsSettings_IsWhatTheCodeSays() =>
        Check("packaging/man/nodeagent.json.5", ManPages.Settings("nodeagent", AgentOptions.Settings));

    [Fact]
    public void ManPage_OfTheAggregatorsSettings_IsWhatTheCodeSays() =>
        Check("packaging/man/aggregator.json.5", ManPages.Settings("aggregator", AggregatorOptions.Settings));

    [Fact]
    public void ManPage_OfNodectl_IsWhatTheCodeSays() => Check("packaging/man/nodectl.1", ManPages.Nodectl(NodectlTree.Build()));

    private static string MetricsPage()
    {
        StringBuilder page = new($"# Metrics\n\n{Note}");
        page.Append("What an agent can send. The aggregator adds the label `node` to every series. Resolution is the step to which values are kept; ")
            .Append("`exact` keeps every bit of the double. Names are node_exporter's where it has one.\n");
        foreach (MetricFamily family in MetricCatalog.Families)
        {
            page.Append($"\n## {family.Name}\n\n{family.Summary}\n\n| metric | kind | unit | labels | resolution | meaning |\n| --- | --- | --- | --- | --- | --- |\n");
            foreach (MetricDefinition metric in family.Metrics)
            {
                string unit = metric.Unit.Length == 0 ? "count" : metric.Unit;
                string labels = metric.Labels.Count == 0 ? "" : "`" + string.Join("`, `", metric.Labels) + "`";
                string resolution = metric.Scale switch { 0 => "exact", 1 => "1", var scale => $"1/{scale}" };
                page.Append($"| `{metric.Name}` | {(metric.Kind == MetricKind.Counter ? "counter" : "gauge")} | {unit} | {labels} | {resolution} | {metric.Help.Replace("|", "\\|", StringComparison.Ordinal)} |\n");
            }
        }

        return page.ToString();
    }

    private static void Check(string path, string expected)
    {
        string file = Path.Combine(Repository.Root, path);
        if (Environment.GetEnvironmentVariable("GOLDEN_UPDATE") == "1")
        {
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            File.WriteAllText(file, expected);
            return;
        }

        Assert.True(File.Exists(file), $"{path} is missing; ./build.sh docs writes it");
        Assert.True(File.ReadAllText(file) == expected, $"{path} is not what the code says; run ./build.sh docs and read the difference");
    }
}
