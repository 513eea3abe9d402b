using System.Text.Json.Serialization;

namespace NodeAgent.Benchmarks.Store;

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

    /// <summary>Seconds in which the fleet's pace was kept; the figures are of these.</summary>
    [JsonPropertyName("e2e_paced_s")]
    public double E2ePacedS { get; init; }

    [JsonPropertyName("e2e_tls_paced_s")]
    public double E2eTlsPacedS { get; init; }

    /// <summary>One series over gRPC from the real aggregator, answer read: the last five minutes, and two hours by minute.</summary>
    [JsonPropertyName("q_last5m_grpc_ms")]
    public double QLast5mGrpcMs { get; init; }

    [JsonPropertyName("q_2h_1m_grpc_ms")]
    public double Q2h1mGrpcMs { get; init; }

    public double ReopenS { get; init; }
}
