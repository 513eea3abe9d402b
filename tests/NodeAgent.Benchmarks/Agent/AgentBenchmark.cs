using System.Diagnostics;
using System.Net.Http;
using NodeAgent.Testing.Processes;

namespace NodeAgent.Benchmarks.Agent;

/// <summary>
/// The published agent at 1 Hz over mutual TLS, beside Debian's node_exporter with its default collectors scraped at 1 Hz, in one
/// run on this host. CPU is the kernel's account of each process as a whole, with every frame written and synced to disk before it is sent.
/// Beside it that of the agent's threads, where it is not next to nothing.
/// </summary>
internal static class AgentBenchmark
{
    private const string Exporter = "/usr/bin/prometheus-node-exporter";

    internal static async Task<int> RunAsync(string[] arguments)
    {
        int seconds = Arguments.Number(arguments, "--seconds", 60);
        int warmUp = Arguments.Number(arguments, "--warm-up", 20);
        if (!File.Exists(Exporter))
        {
            Console.Error.WriteLine("bench agent: prometheus-node-exporter is not installed (apt-get install prometheus-node-exporter)");
            return 1;
        }

        string folder = Directory.CreateTempSubdirectory("nodeagent-bench-").FullName;
        try
        {
            int port = LocalPair.FreePort();
            using RealProcess exporter = RealProcess.Start("node_exporter", Exporter, [$"--web.listen-address=127.0.0.1:{port}"]);
            await using LocalPair pair = await LocalPair.StartAsync(new LocalPairOptions
            {
                Folder = folder,
                Node = "bench",
                AgentProgram = Repository.PublishedAgent,
            }).ConfigureAwait(false);
            IReadOnlyList<string> ctl = pair.CtlArguments;
            using AggregatorClient client = AggregatorClient.Tls(pair.Address.ToString(), ctl[3], ctl[5], ctl[7]);
            using Scraper scraper = new(new Uri($"http://127.0.0.1:{port}/metrics"));
            await scraper.RunAsync(TimeSpan.FromSeconds(warmUp)).ConfigureAwait(false);

            Reading before = await Reading.TakeAsync(pair.Agent!.Id, exporter.Id, client).ConfigureAwait(false);
            await scraper.RunAsync(TimeSpan.FromSeconds(seconds)).ConfigureAwait(false);
            Reading after = await Reading.TakeAsync(pair.Agent.Id, exporter.Id, client).ConfigureAwait(false);
            await ReportAsync(before, after, pair.Agent.Id, exporter.Id, client, scraper).ConfigureAwait(false);
            return 0;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task ReportAsync(Reading before, Reading after, int agent, int exporter, AggregatorClient client, Scraper scraper)
    {
        double wall = (after.At - before.At).TotalSeconds;
        double ticks = after.Ticks - before.Ticks;
        double cpu = (after.AgentCpuNs - before.AgentCpuNs) / 1e6 / wall;
        double exporterCpu = (after.ExporterCpuNs - before.ExporterCpuNs) / 1e6 / wall;
        double values = (after.Samples - before.Samples) / wall;
        double exporterValues = scraper.Series * scraper.ScrapesPerSecond;
        ulong series = await client.SeriesAsync().ConfigureAwait(false);
        ProcessMeter agentMeter = new(agent);
        ProcessMeter exporterMeter = new(exporter);
        double tickBytes = (after.TickBytes - before.TickBytes) / ticks;
        double allBytes = (after.ProcessBytes - before.ProcessBytes) / ticks;
        double ratio = exporterCpu / exporterValues / (cpu / values);
        Console.WriteLine($"{"",-14} {"CPU ms/s",9} {"RSS MiB",8} {"PSS MiB",8} {"series",7} {"values/s",9} {"us/value",9}");
        Console.WriteLine($"{"nodeagent",-14} {cpu,9:0.000} {agentMeter.RssMib(),8:0.0} {agentMeter.PssMib(),8:0.0} {series,7} {values,9:0.0} {cpu * 1000 / values,9:0.00}");
        foreach ((string thread, long nanoseconds) in after.AgentThreads)
        {
            double share = (nanoseconds - before.AgentThreads.GetValueOrDefault(thread)) / 1e6 / wall;
            if (share >= 0.01)
            {
                Console.WriteLine($"{"  " + thread,-14} {share,9:0.000}");
            }
        }

        Console.WriteLine($"{"node_exporter",-14} {exporterCpu,9:0.000} {exporterMeter.RssMib(),8:0.0} {exporterMeter.PssMib(),8:0.0} {scraper.Series,7} {exporterValues,9:0.0} {exporterCpu * 1000 / exporterValues,9:0.00}");
        Console.WriteLine($"{wall:0.0} s, {ticks} ticks; CPU per value {ratio:0.0} times less; allocated per tick: {tickBytes:0.0} B by sampling, encoding and spooling, {allBytes:0} B by the process");
        Console.WriteLine(
            $$"""{"cpu_ms_per_s":{{cpu:0.0000}},"rss_mib":{{agentMeter.RssMib():0.00}},"pss_mib":{{agentMeter.PssMib():0.00}},"series":{{series}},"values_per_s":{{values:0.0}},"ne_cpu_ms_per_s":{{exporterCpu:0.0000}},"ne_rss_mib":{{exporterMeter.RssMib():0.00}},"ne_series":{{scraper.Series}},"cpu_per_value_ratio":{{ratio:0.00}},"alloc_bytes_per_tick":{{tickBytes:0.0}},"process_alloc_bytes_per_tick":{{allBytes:0}}}""");
    }

    private sealed record Reading(TimeSpan At, long AgentCpuNs, Dictionary<string, long> AgentThreads, long ExporterCpuNs, double Ticks, double TickBytes, double ProcessBytes, ulong Samples)
    {
        internal static async Task<Reading> TakeAsync(int agent, int exporter, AggregatorClient client)
        {
            double ticks = await client.ValueAsync("nodeagent_ticks_total").ConfigureAwait(false) ?? 0;
            double tickBytes = await client.ValueAsync("nodeagent_tick_allocated_bytes_total").ConfigureAwait(false) ?? 0;
            double processBytes = await client.ValueAsync("nodeagent_gc_allocated_bytes_total").ConfigureAwait(false) ?? 0;
            ulong samples = (await client.StatusAsync().ConfigureAwait(false)).SamplesTotal;
            ProcessMeter meter = new(agent);
            return new Reading(
                TimeSpan.FromSeconds(Stopwatch.GetTimestamp() / (double)Stopwatch.Frequency), meter.CpuNs(), meter.ThreadsCpuNs(), new ProcessMeter(exporter).CpuNs(),
                ticks, tickBytes, processBytes, samples);
        }
    }

    /// <summary>Fetches the page once a second, as Prometheus would.</summary>
    private sealed class Scraper(Uri page) : IDisposable
    {
        private readonly HttpClient _http = new();
        private TimeSpan _time;
        private int _scrapes;

        internal int Series { get; private set; }

        internal double ScrapesPerSecond => _scrapes / _time.TotalSeconds;

        internal async Task RunAsync(TimeSpan duration)
        {
            _scrapes = 0;
            Stopwatch watch = Stopwatch.StartNew();
            using PeriodicTimer timer = new(TimeSpan.FromSeconds(1));
            while (watch.Elapsed < duration && await timer.WaitForNextTickAsync().ConfigureAwait(false))
            {
                string text = await _http.GetStringAsync(page).ConfigureAwait(false);
                Series = text.Split('\n').Count(line => line.Length > 0 && line[0] != '#');
                _scrapes++;
            }

            _time = watch.Elapsed;
        }

        public void Dispose() => _http.Dispose();
    }
}
