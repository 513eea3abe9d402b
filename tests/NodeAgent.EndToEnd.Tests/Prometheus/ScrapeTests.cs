using System.Diagnostics;
using System.Net;
using System.Net.Http;
using System.Text.Json;
using NodeAgent.EndToEnd.Tests.Agreement;
using NodeAgent.Testing.Processes;

namespace NodeAgent.EndToEnd.Tests.Prometheus;

/// <summary>What we give to Prometheus, by Prometheus' own tools: promtool, a real server that scrapes, and node_exporter's names beside ours.</summary>
public sealed class ScrapeTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    // Of itself, of its runtime, and of collectors that we have no sampler for.
    private static readonly string[] NotOurs = ["node_scrape_collector_", "node_exporter_", "go_", "process_", "promhttp_"];

    [Fact]
    public async Task Pages_OfBothPrograms_PassPromtoolAndKeepNodeExportersTypes()
    {
        await using Rig rig = await Rig.StartAsync();
        string agent = await rig.PageAsync(rig.Agent, "/metrics", page => page.Contains("node_cpu_seconds_total{", StringComparison.Ordinal));
        string own = await rig.PageAsync(rig.Aggregator, "/metrics", page => page.Contains("nodeagent_aggregator_nodes_live 1\n", StringComparison.Ordinal));
        string fleet = await rig.PageAsync(rig.Aggregator, "/federate?match[]=%7B__name__%3D~%22node_.%2A%22%7D", page => page.Contains("node_load1{node=\"node-1\"}", StringComparison.Ordinal));

        CheckTypes(agent);
        CheckTypes(fleet);
        await PromtoolAsync("agent /metrics", agent);
        await PromtoolAsync("aggregator /metrics", own);
        await PromtoolAsync("/federate", fleet);
        await CompareWithNodeExporterAsync(agent);
    }

    [Fact]
    public async Task Federation_OfASilentNode_EndsWithItsStaleness()
    {
        await using Rig rig = await Rig.StartAsync();
        const string Load = "/federate?match[]=node_load1";
        await rig.PageAsync(rig.Aggregator, Load, page => page.Contains("node_load1{node=\"node-1\"}", StringComparison.Ordinal));

        await rig.Pair.Agent!.StopAsync(LocalPair.StopLimit);

        await rig.PageAsync(rig.Aggregator, Load, page => page.Length == 0);
        using HttpClient http = new();
        using HttpResponseMessage wrong = await http.GetAsync(new Uri(rig.Aggregator, "/federate?match[]=node_load1%7B"));
        Assert.Equal(HttpStatusCode.BadRequest, wrong.StatusCode);
    }

    [Fact]
    public async Task Server_OfDebian_ScrapesAllThree()
    {
        const string Prometheus = "/usr/bin/prometheus";
        Assert.SkipUnless(File.Exists(Prometheus), "prometheus is not installed (apt-get install prometheus)");
        await using Rig rig = await Rig.StartAsync();
        int port = LocalPair.FreePort();
        string configuration = Path.Combine(rig.Folder, "prometheus.yml");
        await File.WriteAllTextAsync(configuration,
            $$"""
            global: { scrape_interval: 2s, scrape_timeout: 2s }
            scrape_configs:
            - job_name: agent
              static_configs: [ { targets: [ "{{rig.Agent.Authority}}" ] } ]
            - job_name: aggregator
              static_configs: [ { targets: [ "{{rig.Aggregator.Authority}}" ] } ]
            - job_name: fleet
              honor_labels: true
              metrics_path: /federate
              params: { "match[]": [ '{__name__=~"node_.*"}' ] }
              static_configs: [ { targets: [ "{{rig.Aggregator.Authority}}" ] } ]
            """);
        using RealProcess server = RealProcess.Start("prometheus", Prometheus,
            [$"--config.file={configuration}", $"--storage.tsdb.path={Path.Combine(rig.Folder, "prometheus")}", $"--web.listen-address=127.0.0.1:{port}"]);
        using HttpClient http = new();

        Uri Query(string expression) => new($"http://127.0.0.1:{port}/api/v1/query?query={Uri.EscapeDataString(expression)}");
        await Waiting.ForAsync("three targets that are up", Limit, async () => await ValueAsync(http, Query("sum(up)")) is 3 ? "" : null);
        await Waiting.ForAsync("a load by both ways", Limit, async () =>
            await ValueAsync(http, Query("count(node_load1{job=\"agent\"}) + count(node_load1{job=\"fleet\",node=\"node-1\"})")) is 2 ? "" : null);
        Assert.Equal(1, await ValueAsync(http, Query("nodeagent_aggregator_nodes_live")));
    }

    private static async Task<double?> ValueAsync(HttpClient http, Uri query)
    {
        try
        {
            using JsonDocument answer = JsonDocument.Parse(await http.GetStringAsync(query));
            JsonElement result = answer.RootElement.GetProperty("data").GetProperty("result");
            return result.GetArrayLength() == 0 ? null : double.Parse(result[0].GetProperty("value")[1].GetString()!, System.Globalization.CultureInfo.InvariantCulture);
        }
        catch (HttpRequestException)
        {
            return null; // it is still starting
        }
    }

    // A family stands together, with its type before its samples; no series twice.
    private static void CheckTypes(string page)
    {
        HashSet<string> ended = [];
        HashSet<string> series = [];
        string family = "";
        foreach (string line in page.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.StartsWith("# HELP ", StringComparison.Ordinal))
            {
                ended.Add(family);
                family = line.Split(' ')[2];
                Assert.DoesNotContain(family, ended);
            }
            else if (line[0] != '#')
            {
                Assert.Equal(family, PrometheusText.NameOf(line).Split(' ')[0]);
                Assert.True(series.Add(line.Contains('}', StringComparison.Ordinal) ? line[..(line.LastIndexOf('}') + 1)] : line.Split(' ')[0]), $"{line} twice");
            }
        }

        Assert.True(series.Count > 50, $"only {series.Count} series");
    }

    private static async Task PromtoolAsync(string what, string page)
    {
        const string Promtool = "/usr/bin/promtool";
        Assert.SkipUnless(File.Exists(Promtool), "promtool is not installed (apt-get install prometheus)");
        ProcessStartInfo start = new(Promtool, ["check", "metrics"]) { RedirectStandardInput = true, RedirectStandardError = true, RedirectStandardOutput = true };
        using Process promtool = Process.Start(start)!;
        Task<string> said = promtool.StandardError.ReadToEndAsync();
        Task<string> output = promtool.StandardOutput.ReadToEndAsync();
        await promtool.StandardInput.WriteAsync(page);
        promtool.StandardInput.Close();
        await promtool.WaitForExitAsync();
        string[] lines = (await said + await output).Split('\n', StringSplitOptions.RemoveEmptyEntries);

        // Names that are node_exporter's own are kept, whatever promtool thinks of them: dashboards are written for them.
        string[] ours = [.. lines.Where(line => !line.StartsWith("node_", StringComparison.Ordinal))];
        Assert.True(ours.Length == 0 && promtool.ExitCode is 0 or 3, $"{what}: promtool ended with {promtool.ExitCode}:\n{string.Join('\n', lines)}");
    }

    private static async Task CompareWithNodeExporterAsync(string page)
    {
        const string Exporter = "/usr/bin/prometheus-node-exporter";
        Assert.SkipUnless(File.Exists(Exporter), "prometheus-node-exporter is not installed (apt-get install prometheus-node-exporter)");
        int port = LocalPair.FreePort();
        using RealProcess exporter = RealProcess.Start("node_exporter", Exporter, [$"--web.listen-address=127.0.0.1:{port}"]);
        using HttpClient http = new();
        string theirs = await Waiting.ForAsync("node_exporter's page", Limit, async () => await Rig.TryGetAsync(http, new Uri($"http://127.0.0.1:{port}/metrics")));

        PrometheusText own = PrometheusText.Parse(page);
        PrometheusText other = PrometheusText.Parse(theirs);
        string[] common = [.. own.Types.Keys.Intersect(other.Types.Keys)];
        // Theirs are "untyped" where they do not know; a counter is no contradiction to that.
        string[] differ = [.. common.Where(name => other.Types[name] != "untyped" && own.Types[name] != other.Types[name]).Select(name => $"{name}: ours {own.Types[name]}, theirs {other.Types[name]}")];
        string[] missing = [.. other.Types.Keys.Except(own.Types.Keys).Where(name => !NotOurs.Any(start => name.StartsWith(start, StringComparison.Ordinal))).Order(StringComparer.Ordinal)];
        TestContext.Current.TestOutputHelper?.WriteLine($"{common.Length} metrics have node_exporter's name; {missing.Length} of its are not sampled: {string.Join(' ', missing)}");
        Assert.True(common.Length >= 100, $"only {common.Length} names in common");
        Assert.True(differ.Length == 0, string.Join('\n', differ));
    }

    private sealed class Rig(ScratchFolder folder, LocalPair pair, Uri agent, Uri aggregator) : IAsyncDisposable
    {
        private readonly HttpClient _http = new();

        internal LocalPair Pair => pair;

        internal Uri Agent => agent;

        internal Uri Aggregator => aggregator;

        internal string Folder => folder.Path;

        internal static async Task<Rig> StartAsync()
        {
            ScratchFolder folder = new();
            int agent = LocalPair.FreePort();
            int aggregator = LocalPair.FreePort();
            LocalPair pair = await LocalPair.StartAsync(new LocalPairOptions
            {
                Folder = folder.Path,
                AgentSettings = [$"metrics.listen=127.0.0.1:{agent}"],
                AggregatorSettings = [$"metrics.listen=127.0.0.1:{aggregator}"],
            });
            return new Rig(folder, pair, new Uri($"http://127.0.0.1:{agent}"), new Uri($"http://127.0.0.1:{aggregator}"));
        }

        internal Task<string> PageAsync(Uri address, string path, Func<string, bool> isDone) =>
            Waiting.ForAsync(path, Limit, async () => await TryGetAsync(_http, new Uri(address, path)) is { } page && isDone(page) ? page : null);

        internal static async Task<string?> TryGetAsync(HttpClient http, Uri address)
        {
            try
            {
                return await http.GetStringAsync(address);
            }
            catch (HttpRequestException)
            {
                return null; // not listening yet
            }
        }

        public async ValueTask DisposeAsync()
        {
            await pair.DisposeAsync();
            _http.Dispose();
            folder.Dispose();
        }
    }
}
