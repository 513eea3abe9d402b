using NodeAgent.Hosting.Configuration;
using NodeAgent.Tsdb.Query;

namespace NodeAgent.Aggregator.Configuration;

/// <summary>Bounds of queries; the reasons for the defaults stand at <see cref="QueryLimits"/>.</summary>
internal sealed class QuerySettings
{
    private static readonly QueryLimits s_defaults = new();

    internal int MaxSeries { get; set; } = s_defaults.MaxSeries;

    internal int MaxSamplesMillions { get; set; } = (int)(s_defaults.MaxSamples / 1_000_000);

    internal long MaxMemoryBytes { get; set; } = s_defaults.MaxMemoryBytes;

    internal TimeSpan MaxTime { get; set; } = s_defaults.MaxTime;

    internal int MaxConcurrentPerCaller { get; set; } = s_defaults.MaxConcurrentPerCaller;

    internal int MaxConcurrent { get; set; } = s_defaults.MaxConcurrent;

    internal int? MaxScanning { get; set; }

    internal QueryLimits Limits => new()
    {
        MaxSeries = MaxSeries,
        MaxSamples = MaxSamplesMillions * 1_000_000L,
        MaxMemoryBytes = MaxMemoryBytes,
        MaxTime = MaxTime,
        MaxConcurrentPerCaller = MaxConcurrentPerCaller,
        MaxConcurrent = MaxConcurrent,
        MaxScanning = MaxScanning ?? s_defaults.MaxScanning,
    };

    internal static SettingCatalog<QuerySettings> Settings { get; } = SettingCatalog.Define<QuerySettings>(s => s
        .Integer("max_series", o => o.MaxSeries, (o, v) => o.MaxSeries = v, 100, 100_000_000, "Series that one selector may match.")
        .Integer("max_samples_millions", o => o.MaxSamplesMillions, (o, v) => o.MaxSamplesMillions = v, 1, 1_000_000,
            "Samples, or roll-up rows, that one query may read, in millions.")
        .Bytes("max_memory", o => o.MaxMemoryBytes, (o, v) => o.MaxMemoryBytes = v, 1L << 20, 1L << 40,
            "Memory that one query may hold at once: results, groups, and the samples of the series at hand.")
        .Duration("max_time", o => o.MaxTime, (o, v) => o.MaxTime = v, TimeSpan.FromMilliseconds(100), TimeSpan.FromHours(1),
            "Time that one query may take inside the aggregator; the time that its reader takes is not counted.")
        .Integer("max_concurrent_per_caller", o => o.MaxConcurrentPerCaller, (o, v) => o.MaxConcurrentPerCaller = v, 1, 10_000,
            "Queries that one caller may run at once.")
        .Integer("max_concurrent", o => o.MaxConcurrent, (o, v) => o.MaxConcurrent = v, 1, 10_000, "Queries that run at once.")
        .OptionalInteger("max_scanning", o => o.MaxScanning, (o, v) => o.MaxScanning = v, 1, 1_024,
            "Queries that read and compute at the same moment; the others wait for their turn, which goes round every 20 ms. Null: half of the "
            + "processors, so that the other half is always there for what comes in."));
}
