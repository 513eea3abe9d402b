using System.Text.Json.Serialization;

namespace NodeAgent.Benchmarks.Store;

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

    /// <summary>From its start until it answers, after an orderly stop.</summary>
    public double RestartS { get; init; }

    /// <summary>As <see cref="SamplesPerCpuS"/>, from as many nodes as the paced run has and one second of them at a time.</summary>
    [JsonPropertyName("e2e_samples_per_cpu_s")]
    public double E2eSamplesPerCpuS { get; init; }
}
