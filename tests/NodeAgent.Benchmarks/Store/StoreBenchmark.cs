using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Serialization;
using NodeAgent.Testing.Fleet;

namespace NodeAgent.Benchmarks.Store;

/// <summary>
/// <c>bench store</c>: the same synthetic telemetry into our store and, where it is installed, Debian's victoria-metrics; what it costs,
/// what it takes on the disk, and how fast the usual questions are answered. Our queries run in process, VictoriaMetrics' over HTTP on
/// loopback; the time of a trivial HTTP request is printed beside them.
/// </summary>
internal static class StoreBenchmark
{
    private static readonly JsonSerializerOptions s_json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault,
    };

    private static readonly string[] s_parts = ["engine", "many", "vm", "e2e", "restart", "death", "churn"];

    /// <summary>All parts, or the one named first.</summary>
    internal static async Task<int> RunAsync(string[] arguments)
    {
        string? only = Array.Find(s_parts, part => arguments is [var first, ..] && first == part);
        string directory = Directory.CreateTempSubdirectory("bench-store-").FullName;
        try
        {
            return await RunAsync(arguments, only is null ? [.. s_parts] : [only], directory).ConfigureAwait(false);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    private static async Task<int> RunAsync(string[] arguments, HashSet<string> parts, string directory)
    {
        int nodes = Arguments.Number(arguments, "--nodes", 50);
        int seconds = Arguments.Number(arguments, "--seconds", 7_200);
        int manyNodes = Arguments.Number(arguments, "--many-nodes", 1_000);
        OurFigures ours = new();
        VmFigures? vm = null;
        ChurnFigures? churn = null;
        DeathFigures? death = null;
        if (parts.Contains("engine"))
        {
            Console.Error.WriteLine($"{nodes} nodes x {SyntheticFleet.SeriesPerNode} series x {seconds} s = {(long)nodes * SyntheticFleet.SeriesPerNode * seconds:N0} samples; {directory}");
            ours = OurStore.Measure(Path.Combine(directory, "ours"), nodes, seconds, Arguments.Number(arguments, "--rounds", 1));
        }

        ours = parts.Contains("many")
            ? OurStore.MeasureMany(Path.Combine(directory, "many"), manyNodes, Arguments.Number(arguments, "--many-seconds", 900), ours) : ours;
        vm = parts.Contains("vm") ? await VictoriaMetrics.TryMeasureAsync(Path.Combine(directory, "vm"), nodes, seconds).ConfigureAwait(false) : vm;
        ours = parts.Contains("e2e")
            ? await E2eBenchmark.MeasureAsync(
                Path.Combine(directory, "e2e"), Arguments.Number(arguments, "--streams", 2_000), Arguments.Number(arguments, "--warm-up", 20),
                Arguments.Number(arguments, "--paced-seconds", 30), ours).ConfigureAwait(false)
            : ours;
        ours = parts.Contains("restart") ? await E2eBenchmark.MeasureRestartAsync(Path.Combine(directory, "restart"), manyNodes, ours).ConfigureAwait(false) : ours;
        death = parts.Contains("death") ? DeathBenchmark.Measure(Path.Combine(directory, "death"), nodes) : death;
        churn = parts.Contains("churn")
            ? ChurnBenchmark.Measure(
                Path.Combine(directory, "churn"), Arguments.Number(arguments, "--churn-nodes", 2_500), Arguments.Number(arguments, "--churn-hours", 6))
            : churn;
        Console.WriteLine(JsonSerializer.Serialize(new { ours, vm, churn, death }, s_json));
        return 0;
    }

    /// <summary>Median time of some runs, in milliseconds.</summary>
    internal static double MedianMs(int runs, Action act)
    {
        List<double> times = [];
        for (int i = 0; i < runs; i++)
        {
            long started = Stopwatch.GetTimestamp();
            act();
            times.Add(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
        }

        return Arguments.Median(times);
    }
}

/// <summary>Our store's figures, under the names of the issue.</summary>
internal sealed record OurFigures
{
    public double SamplesPerCpuS { get; init; }

    /// <summary>On the disk before anything is merged, after the merge of two hours, and after a day is closed.</summary>
    public double BytesPerSampleFlushed { get; init; }

    public double BytesPerSampleWindow { get; init; }

    public double BytesPerSample { get; init; }

    public double TierBytesPerSample { get; init; }

    public double BytesRamPerSeries { get; init; }

    public double MergeSamplesPerCpuS { get; init; }

    [JsonPropertyName("q_last5m_ms")]
    public double QLast5mMs { get; init; }

    [JsonPropertyName("q_2h_1m_ms")]
    public double Q2h1mMs { get; init; }

    [JsonPropertyName("q_2h_1m_raw_ms")]
    public double Q2h1mRawMs { get; init; }

    [JsonPropertyName("q_fleet_avg_ms")]
    public double QFleetAvgMs { get; init; }

    [JsonPropertyName("q_fleet_avg_packed_ms")]
    public double QFleetAvgPackedMs { get; init; }

    [JsonPropertyName("q_fleet_avg_tier_ms")]
    public double QFleetAvgTierMs { get; init; }

    [JsonPropertyName("q_top5_ms")]
    public double QTop5Ms { get; init; }

    [JsonPropertyName("q_top5_tier_ms")]
    public double QTop5TierMs { get; init; }

    public double WorstStallMs { get; init; }

    /// <summary>As <see cref="WorstStallMs"/>, without the time in which other programs had the processor.</summary>
    public double WorstStallOwnMs { get; init; }

    /// <summary>The real aggregator from its start until it serves, with ten minutes of log, and the CPU of that.</summary>
    public double RestartS { get; init; }

    public double RestartCpuS { get; init; }

    /// <summary>Through gRPC into the durable store at 1 Hz, without and with TLS.</summary>
    [JsonPropertyName("e2e_samples_per_cpu_s")]
    public double E2eSamplesPerCpuS { get; init; }

    [JsonPropertyName("e2e_tls_samples_per_cpu_s")]
    public double E2eTlsSamplesPerCpuS { get; init; }

    public double ReopenS { get; init; }
}

/// <summary>VictoriaMetrics' figures.</summary>
internal sealed record VmFigures
{
    public double SamplesPerCpuS { get; init; }

    public double BytesPerSample { get; init; }

    public double HttpMs { get; init; }

    [JsonPropertyName("q_last5m_ms")]
    public double QLast5mMs { get; init; }

    [JsonPropertyName("q_2h_1m_ms")]
    public double Q2h1mMs { get; init; }

    [JsonPropertyName("q_fleet_avg_ms")]
    public double QFleetAvgMs { get; init; }

    [JsonPropertyName("q_top5_ms")]
    public double QTop5Ms { get; init; }

    /// <summary>The real aggregator from its start until it serves, with ten minutes of log, and the CPU of that.</summary>
    public double RestartS { get; init; }

    public double RestartCpuS { get; init; }

    /// <summary>Through gRPC into the durable store at 1 Hz, without and with TLS.</summary>
    [JsonPropertyName("e2e_samples_per_cpu_s")]
    public double E2eSamplesPerCpuS { get; init; }

    [JsonPropertyName("e2e_tls_samples_per_cpu_s")]
    public double E2eTlsSamplesPerCpuS { get; init; }
}
