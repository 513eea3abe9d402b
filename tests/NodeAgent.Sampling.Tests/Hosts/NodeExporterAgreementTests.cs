using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using NodeAgent.Contracts.Metrics;
using NodeAgent.Contracts.Series;
using NodeAgent.Sampling.Scheduling;

namespace NodeAgent.Sampling.Tests.Hosts;

/// <summary>
/// The same host at the same moment through Debian's node_exporter: for every series that both have, the same name, labels and type,
/// and a value between what we read just before and just after its scrape.
/// </summary>
public sealed partial class NodeExporterAgreementTests
{
    // Whole families that we claim to have. What we leave out on purpose is named below.
    private static readonly string[] Covered =
        ["node_disk_", "node_filesystem_", "node_network_", "node_netstat_", "node_sockstat_", "node_softnet_", "node_nf_conntrack_entries", "node_infiniband_",
            "node_thermal_zone_", "node_rapl_", "node_edac_"];

    // disk_info: the inventory has the drives. A speed of -1 means unknown: then we have no value.
    private static readonly string[] LeftOut = ["node_disk_info", "node_network_speed_bytes"];

    private const string Program = "/usr/bin/prometheus-node-exporter";
    private const int Rounds = 20;

    [Fact]
    public async Task Sample_OfThisHost_AgreesWithNodeExporter()
    {
        Assert.SkipUnless(File.Exists(Program), $"{Program} is not installed (Debian: prometheus-node-exporter)");
        ISampler[] samplers = [.. SamplerCatalog.Linux.Select(entry => entry.Create(new SamplerContext()))];
        using Process exporter = Start(out Uri address);
        try
        {
            using HttpClient client = new();
            await Scrape(client, address);
            HashSet<string> shared = [];
            Dictionary<string, string> disagreeing = [];
            HashSet<string> agreed = [];
            for (int round = 0; round < Rounds && (round == 0 || disagreeing.Count > 0); round++)
            {
                disagreeing.Clear();
                Dictionary<string, (SeriesDefinition Series, double Value)> before = Read(samplers);
                Dictionary<string, (string Type, double Value)> theirs = Parse(await Scrape(client, address));
                Dictionary<string, (SeriesDefinition Series, double Value)> after = Read(samplers);
                foreach ((string name, (string type, double value)) in theirs)
                {
                    if (!before.TryGetValue(name, out (SeriesDefinition Series, double Value) first) ||
                        !after.TryGetValue(name, out (SeriesDefinition Series, double Value) second))
                    {
                        continue;
                    }

                    shared.Add(name);
                    string ours = first.Series.Kind == MetricKind.Counter ? "counter" : "gauge";
                    Assert.True(type == "untyped" || type == ours, $"{name} is a {type} there");
                    double slack = Slack(name, value);
                    if (value >= Math.Min(first.Value, second.Value) - slack && value <= Math.Max(first.Value, second.Value) + slack)
                    {
                        agreed.Add(name);
                    }
                    else if (!agreed.Contains(name))
                    {
                        disagreeing[name] = $"{name}: {first.Value:R}, there {value:R}, {second.Value:R}";
                    }
                }
            }

            Dictionary<string, (string Type, double Value)> all = Parse(await Scrape(client, address));
            HashSet<string> have = [.. Read(samplers).Keys];
            string[] missing = [.. all.Keys.Where(name => Covered.Any(name.StartsWith) && !LeftOut.Any(name.StartsWith) && !have.Contains(name))];
            Assert.True(missing.Length == 0, "only node_exporter has " + string.Join('\n', missing));
            Assert.True(disagreeing.Count == 0, string.Join('\n', disagreeing.Values));
            Assert.True(shared.Count >= 100, $"only {shared.Count} series in common");
            TestContext.Current.TestOutputHelper?.WriteLine($"{shared.Count} series agree");
        }
        finally
        {
            exporter.Kill();
            await exporter.WaitForExitAsync(TestContext.Current.CancellationToken);
            Array.ForEach(samplers, sampler => (sampler as IDisposable)?.Dispose());
        }
    }

    // What being looked at changes: the exporter's own threads and files are counted while it works.
    private static double Slack(string name, double value) =>
        name.StartsWith("node_procs_", StringComparison.Ordinal) || name.StartsWith("node_processes_", StringComparison.Ordinal) ? 10
        : name.StartsWith("node_filefd_allocated", StringComparison.Ordinal) ? 256
        : name.StartsWith("node_cpu_seconds_total", StringComparison.Ordinal) ? 0.011 // a tick of USER_HZ
        : Math.Abs(value) * 1e-9;

    private static Dictionary<string, (SeriesDefinition Series, double Value)> Read(ISampler[] samplers)
    {
        Dictionary<string, (SeriesDefinition Series, double Value)> read = new(StringComparer.Ordinal);
        SampleTime now = new(TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds(), 0);
        foreach (ISampler sampler in samplers)
        {
            sampler.Series.ClearValues();
            sampler.Sample(now);
            for (int i = 0; i < sampler.Series.Count; i++)
            {
                if (sampler.Series.IsPresent(i))
                {
                    read[sampler.Series.Definitions[i].ToString()] = (sampler.Series.Definitions[i], sampler.Series.Values[i]);
                }
            }
        }

        return read;
    }

    private static Dictionary<string, (string Type, double Value)> Parse(string exposition)
    {
        Dictionary<string, (string Type, double Value)> parsed = new(StringComparer.Ordinal);
        string type = "untyped";
        foreach (string line in exposition.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.StartsWith("# TYPE ", StringComparison.Ordinal))
            {
                type = line[(line.LastIndexOf(' ') + 1)..];
            }
            else if (line[0] != '#' && double.TryParse(line[(line.LastIndexOf(' ') + 1)..], out double value))
            {
                // A label without a value is the same as none; ours are left out.
                string series = EmptyLabel().Replace(line[..line.LastIndexOf(' ')], "").Replace("{,", "{", StringComparison.Ordinal);
                parsed[series] = (type, value);
            }
        }

        return parsed;
    }

    private static Process Start(out Uri address)
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        address = new Uri($"http://{listener.LocalEndpoint}/metrics");
        listener.Stop();
        ProcessStartInfo start = new(Program) { RedirectStandardError = true, RedirectStandardOutput = true };
        start.ArgumentList.Add($"--web.listen-address={address.Authority}");
        start.ArgumentList.Add("--collector.meminfo_numa");
        start.ArgumentList.Add("--collector.processes");
        Process process = Process.Start(start)!;
        process.BeginErrorReadLine();
        process.BeginOutputReadLine();
        return process;
    }

    private static async Task<string> Scrape(HttpClient client, Uri address)
    {
        CancellationToken stop = TestContext.Current.CancellationToken;
        for (int attempt = 0; ; attempt++)
        {
            try
            {
                return await client.GetStringAsync(address, stop);
            }
            catch (HttpRequestException) when (attempt < 300)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, stop); // a real process starts
            }
        }
    }

    [GeneratedRegex(",?[a-z_]+=\"\"")]
    private static partial Regex EmptyLabel();
}
