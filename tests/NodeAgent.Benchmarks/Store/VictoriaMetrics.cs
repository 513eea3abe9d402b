using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using NodeAgent.Testing.Fleet;

namespace NodeAgent.Benchmarks.Store;

/// <summary>
/// Debian's victoria-metrics with the same data, by line protocol (one line a node or GPU and second, about 10,000 values a request) as
/// its documentation recommends for bulk; left out, loudly, where it is not installed.
/// </summary>
internal sealed class VictoriaMetrics : IAsyncDisposable
{
    private const string Program = "victoria-metrics";
    private const string Watts = "synthetic_gpu_watts_00";
    private const int RegistrationSeconds = 8; // the index of 800,000 new series is more work than their samples for some seconds
    private const long Start = FleetFeed.StartUnixMs;

    private readonly Process _process;
    private readonly HttpClient _http;
    private readonly double _startSeconds;

    private VictoriaMetrics(Process process, HttpClient http, double startSeconds) => (_process, _http, _startSeconds) = (process, http, startSeconds);

    internal static async Task<VmFigures?> TryMeasureAsync(string directory, int nodes, int seconds)
    {
        if (Find() is not { } path)
        {
            return null;
        }

        double samples = (double)nodes * SyntheticFleet.SeriesPerNode * seconds;
        VmFigures figures;
        await using (VictoriaMetrics server = await StartAsync(path, directory).ConfigureAwait(false))
        {
            ProcessMeter meter = new(server._process.Id);
            long before = meter.CpuNs();
            await server.LoadAsync(new SyntheticFleet(nodes, 1), seconds).ConfigureAwait(false);
            await server.GetAsync("/internal/force_flush").ConfigureAwait(false);
            figures = new VmFigures { SamplesPerCpuS = samples / ((meter.CpuNs() - before) / 1e9) };
            Console.Error.WriteLine($"{Program}: {figures.SamplesPerCpuS / 1e6:0.00} M samples/CPU-s");
            await server.MergeAsync(meter).ConfigureAwait(false);
            figures = await server.AskAsync(figures, Start + (seconds * 1_000L)).ConfigureAwait(false);
        }

        figures = figures with { BytesPerSample = Size(directory) / samples };
        await using VictoriaMetrics again = await StartAsync(path, directory).ConfigureAwait(false);
        return figures with { RestartS = again._startSeconds };
    }

    /// <summary>
    /// As much of a wide fleet as a paced run sends, as fast as it is taken: its new series are registered before, as ours are. Samples per
    /// CPU-second; null: it is not installed.
    /// </summary>
    internal static async Task<double?> TryMeasureWideAsync(string directory, int nodes, int seconds)
    {
        if (Find() is not { } path)
        {
            return null;
        }

        await using VictoriaMetrics server = await StartAsync(path, directory).ConfigureAwait(false);
        ProcessMeter meter = new(server._process.Id);
        SyntheticFleet fleet = new(nodes, 1);
        await server.LoadAsync(fleet, RegistrationSeconds).ConfigureAwait(false);
        await server.GetAsync("/internal/force_flush").ConfigureAwait(false);
        long before = meter.CpuNs();
        await server.LoadAsync(fleet, seconds).ConfigureAwait(false);
        await server.GetAsync("/internal/force_flush").ConfigureAwait(false);
        double rate = (double)nodes * SyntheticFleet.SeriesPerNode * seconds / ((meter.CpuNs() - before) / 1e9);
        Console.Error.WriteLine($"{Program}, {nodes} nodes by line protocol: {rate / 1e6:0.00} M samples/CPU-s");
        return rate;
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        using Process? kill = Process.Start("kill", ["-TERM", _process.Id.ToString(CultureInfo.InvariantCulture)]);
        await _process.WaitForExitAsync().ConfigureAwait(false);
        _process.Dispose();
    }

    private static string? Find()
    {
        string? path = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Select(folder => Path.Combine(folder, Program)).FirstOrDefault(File.Exists);
        if (path is null)
        {
            Console.Error.WriteLine($"SKIPPED: {Program} is not on PATH, so there is nothing to compare with; on Debian: apt-get install {Program}");
        }

        return path;
    }

    private static async Task<VictoriaMetrics> StartAsync(string path, string directory)
    {
        using TcpListener free = new(IPAddress.Loopback, 0);
        free.Start();
        int port = ((IPEndPoint)free.LocalEndpoint).Port;
        free.Stop();
        long started = Stopwatch.GetTimestamp();
        Process process = Process.Start(new ProcessStartInfo(
            path,
            [
                "-storageDataPath", directory, "-httpListenAddr", $"127.0.0.1:{port}", "-retentionPeriod", "120", "-search.latencyOffset", "0s",
                "-search.disableCache", "-loggerLevel", "ERROR",
            ])) ?? throw new InvalidOperationException($"{path} did not start");
        HttpClient http = new() { BaseAddress = new Uri($"http://127.0.0.1:{port}") };
        while (true)
        {
            try
            {
                await http.GetStringAsync(new Uri("/health", UriKind.Relative)).ConfigureAwait(false);
                return new VictoriaMetrics(process, http, Stopwatch.GetElapsedTime(started).TotalSeconds);
            }
            catch (HttpRequestException) when (!process.HasExited)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System).ConfigureAwait(false);
            }
        }
    }

    private async Task LoadAsync(SyntheticFleet fleet, int seconds)
    {
        const int RowsPerRequest = 25; // of 402 values
        using SemaphoreSlim connections = new(4);
        List<Task> sent = [];
        LineText lines = new();
        int rows = 0;
        for (int second = 0; second < seconds; second++)
        {
            foreach (SyntheticNode node in fleet.Nodes)
            {
                node.Next();
                lines.Append(node, Start + (node.Second * 1_000) + node.OffsetMs + 1);
                if (++rows % RowsPerRequest == 0)
                {
                    await connections.WaitAsync().ConfigureAwait(false);
                    sent.Add(PostAsync(lines.Take(), connections));
                }
            }
        }

        await connections.WaitAsync().ConfigureAwait(false);
        sent.Add(PostAsync(lines.Take(), connections));
        await Task.WhenAll(sent).ConfigureAwait(false);
    }

    private async Task PostAsync(byte[] lines, SemaphoreSlim connections)
    {
        try
        {
            using ByteArrayContent content = new(lines);
            using HttpResponseMessage answer = await _http.PostAsync(new Uri("/write?precision=ms", UriKind.Relative), content).ConfigureAwait(false);
            answer.EnsureSuccessStatusCode();
        }
        finally
        {
            connections.Release();
        }
    }

    /// <summary>Asks for the final merge and waits until the process has stopped working on it.</summary>
    private async Task MergeAsync(ProcessMeter meter)
    {
        await GetAsync("/internal/force_merge").ConfigureAwait(false);
        long before;
        do
        {
            before = meter.CpuNs();
            await Task.Delay(TimeSpan.FromSeconds(3), TimeProvider.System).ConfigureAwait(false);
        }
        while (meter.CpuNs() - before > 150_000_000);
    }

    private async Task<VmFigures> AskAsync(VmFigures figures, long end) => figures with
    {
        HttpMs = await MedianAsync("/health", 50).ConfigureAwait(false),
        QLast5mMs = await QueryAsync($"{Watts}{{node=\"node-00007\",gpu=\"3\"}}", end - 300_000, end, 1, 50).ConfigureAwait(false),
        Q2h1mMs = await QueryAsync($"avg_over_time({Watts}{{node=\"node-00007\",gpu=\"3\"}}[1m])", Start, end, 60, 50).ConfigureAwait(false),
        QFleetAvgMs = await QueryAsync($"avg(avg_over_time({Watts}[1m]))", Start, end, 60, 20).ConfigureAwait(false),
        QTop5Ms = await QueryAsync($"topk(5, max by (node) (max_over_time({Watts}[1h])))", end, end, 1, 20).ConfigureAwait(false),
    };

    private Task<double> QueryAsync(string query, long start, long end, int step, int runs) => MedianAsync(
        string.Create(CultureInfo.InvariantCulture, $"/api/v1/query_range?query={Uri.EscapeDataString(query)}&start={start / 1000.0}&end={end / 1000.0}&step={step}s&nocache=1"), runs);

    private async Task<double> MedianAsync(string path, int runs)
    {
        List<double> times = [];
        for (int i = 0; i < runs; i++)
        {
            long started = Stopwatch.GetTimestamp();
            await GetAsync(path).ConfigureAwait(false);
            times.Add(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
        }

        Console.Error.WriteLine($"  {path}: {Arguments.Median(times):0.000} ms");
        return Arguments.Median(times);
    }

    private Task<string> GetAsync(string path) => _http.GetStringAsync(new Uri(path, UriKind.Relative));

    private static double Size(string directory) => new DirectoryInfo(directory).EnumerateFiles("*", SearchOption.AllDirectories).Sum(file => file.Length);
}
