using System.Net.Http;
using System.Text.Json;
using NodeAgent.Testing.Processes;

namespace NodeAgent.EndToEnd.Tests.Agreement;

/// <summary>Our values against other readers of the same host: Debian's node_exporter, and a script that reads /proc by itself.</summary>
public sealed class OtherReaderTests
{
    private const string Exporter = "/usr/bin/prometheus-node-exporter";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    // node_exporter's measurements of itself have nothing to agree on, nor has what is on its way to the disk: it comes and goes within
    // milliseconds, from nothing to many megabytes. The golden tests pin how both are read.
    private static readonly string[] Apart =
        ["node_scrape_collector_", "node_exporter_", "go_", "process_", "promhttp_", "node_memory_Writeback_bytes", "node_memory_Dirty_bytes"];

    [Fact]
    public async Task Values_BesideNodeExporter_LieBetweenItsReadingsBeforeAndAfter()
    {
        Assert.SkipUnless(File.Exists(Exporter), "prometheus-node-exporter is not installed (apt-get install prometheus-node-exporter)");
        using ScratchFolder folder = new();
        int port = LocalPair.FreePort();
        using RealProcess exporter = RealProcess.Start("node_exporter", Exporter, [$"--web.listen-address=127.0.0.1:{port}"]);
        await using LocalPair pair = await LocalPair.StartAsync(new LocalPairOptions { Folder = folder.Path, AgentSettings = EverySecond });
        using HttpClient http = new();
        Uri page = new($"http://127.0.0.1:{port}/metrics");
        await Waiting.ForAsync("node_exporter's first page", Limit, async () => await TryGetAsync(http, page));
        await WaitForTicksAsync(pair, 12);

        await AssertAgreementAsync(pair, () => http.GetStringAsync(page), atLeast: 200);
    }

    [Fact]
    public async Task Values_BesideAScriptOnProc_LieBetweenItsReadingsBeforeAndAfter()
    {
        const string Python = "/usr/bin/python3";
        Assert.SkipUnless(File.Exists(Python), "python3 is not installed (apt-get install python3)");
        using ScratchFolder folder = new();
        string script = Path.Combine(Repository.Root, "tests", "NodeAgent.EndToEnd.Tests", "Agreement", "read_proc.py");
        await using LocalPair pair = await LocalPair.StartAsync(new LocalPairOptions { Folder = folder.Path, AgentSettings = EverySecond });
        await WaitForTicksAsync(pair, 3);

        await AssertAgreementAsync(pair, () => RunAsync(Python, script), atLeast: 40);
    }

    // A gauge may leap and come back between the two readings of the other (a run queue, sockets in TIME_WAIT): what is read wrongly differs
    // in every round.
    private static async Task AssertAgreementAsync(LocalPair pair, Func<Task<string>> readAsync, int atLeast)
    {
        HashSet<string>? differing = null;
        Comparison result = null!;
        for (int round = 0; round < 4 && differing is not { Count: 0 }; round++)
        {
            PrometheusText before = PrometheusText.Parse(await readAsync());
            await Task.Delay(TimeSpan.FromSeconds(2.5), TimeProvider.System);
            Dictionary<string, (double Value, string Kind)> ours = await OurSeriesAsync(pair);
            PrometheusText after = PrometheusText.Parse(await readAsync());

            result = Comparison.Of(before, ours, after, Apart);
            TestContext.Current.TestOutputHelper?.WriteLine(result.ToString());
            Assert.True(result.Compared >= atLeast, $"only {result.Compared} series have the same name and labels\n{result}");
            Assert.True(result.WrongTypes.Count == 0, $"types differ:\n{string.Join('\n', result.WrongTypes)}");
            IEnumerable<string> now = result.Disagreements.Select(line => line[..line.LastIndexOf(": ours", StringComparison.Ordinal)]);
            differing = differing is null ? [.. now] : [.. differing.Intersect(now)];
        }

        Assert.True(differing is { Count: 0 }, $"values differ in every round: {string.Join(", ", differing!)}\n{string.Join('\n', result.Disagreements)}");
    }

    // What both read must be read within the same few seconds, so the slow tiers run fast here.
    private static string[] EverySecond =>
    [
        .. new[] { "schedstat", "cpufreq", "vmstat", "meminfo_numa", "hugepages", "swaps", "filefd", "filesystem", "network_link", "netstat_extended", "thermal" }
            .Select(name => $"sampling.samplers.{name}.interval=1s"),
    ];

    private static async Task<string> RunAsync(string program, string script)
    {
        (int code, string output) = await RealProcess.RunAsync(program, [script], Limit);
        Assert.True(code == 0, output);
        return output;
    }

    private static Task<string> WaitForTicksAsync(LocalPair pair, int ticks) =>
        Waiting.ForAsync($"{ticks} ticks", Limit, async () =>
        {
            (int code, string output) = await pair.CtlAsync("query", $"nodeagent_ticks_total", "-o", "json");
            JsonElement items = code == 0 ? JsonDocument.Parse(output).RootElement.GetProperty("items") : default;
            return code == 0 && items.GetArrayLength() > 0 && items[0].GetProperty("value").GetDouble() >= ticks ? output : null;
        });

    private static async Task<string?> TryGetAsync(HttpClient http, Uri page)
    {
        try
        {
            return await http.GetStringAsync(page);
        }
        catch (HttpRequestException)
        {
            // Not listening yet.
            return null;
        }
    }

    private static async Task<Dictionary<string, (double Value, string Kind)>> OurSeriesAsync(LocalPair pair)
    {
        (int code, string output) = await pair.CtlAsync("series", "{node=~\".+\"}", "-o", "json", "--limit", "20000");
        Assert.True(code == 0, output);
        Dictionary<string, (double, string)> series = [];
        foreach (JsonElement item in JsonDocument.Parse(output).RootElement.GetProperty("items").EnumerateArray())
        {
            IEnumerable<string> labels = item.GetProperty("labels").EnumerateObject().Where(label => label.Name != "node")
                .Select(label => $"{label.Name}=\"{label.Value.GetString()}\"");
            string text = string.Join(',', labels);
            if (item.TryGetProperty("lastValue", out JsonElement value) && value.ValueKind == JsonValueKind.Number)
            {
                series[PrometheusText.Canonical(item.GetProperty("metric").GetString() + (text.Length > 0 ? $"{{{text}}}" : ""))] =
                    (value.GetDouble(), item.GetProperty("kind").GetString()!);
            }
        }

        return series;
    }
}
