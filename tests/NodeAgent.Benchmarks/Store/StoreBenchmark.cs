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
        WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    internal static async Task<int> RunAsync(string[] arguments)
    {
        int nodes = Arguments.Number(arguments, "--nodes", 50);
        int seconds = Arguments.Number(arguments, "--seconds", 7_200);
        int manyNodes = Arguments.Number(arguments, "--many-nodes", 1_000);
        int manySeconds = Arguments.Number(arguments, "--many-seconds", 900);
        string directory = Directory.CreateTempSubdirectory("bench-store-").FullName;
        try
        {
            Console.Error.WriteLine($"{nodes} nodes x {SyntheticFleet.SeriesPerNode} series x {seconds} s = {(long)nodes * SyntheticFleet.SeriesPerNode * seconds:N0} samples; {directory}");
            OurFigures ours = OurStore.Measure(Path.Combine(directory, "ours"), nodes, seconds, Arguments.Number(arguments, "--rounds", 1));
            ours = OurStore.MeasureMany(Path.Combine(directory, "many"), manyNodes, manySeconds, ours);
            VmFigures? vm = await VictoriaMetrics.TryMeasureAsync(Path.Combine(directory, "vm"), nodes, seconds).ConfigureAwait(false);
            Console.WriteLine(JsonSerializer.Serialize(new { ours, vm }, s_json));
            return 0;
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
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

    public double RestartS { get; init; }

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

    public double RestartS { get; init; }
}
