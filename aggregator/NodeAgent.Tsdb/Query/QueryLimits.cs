namespace NodeAgent.Tsdb.Query;

/// <summary>Bounds of one query and of all queries together. A query that reaches one ends with the error of that name.</summary>
public sealed record QueryLimits
{
    /// <summary>Series that one selector may match. Default 200,000: one metric of every GPU of 25,000 eight-GPU nodes.</summary>
    public int MaxSeries { get; init; } = 200_000;

    /// <summary>Samples that one query may decode. Default 200 million: about a second of one core.</summary>
    public long MaxSamples { get; init; } = 200_000_000;

    /// <summary>Steps of a range. Default 11,000, as Prometheus: more than any screen has columns, 3 h at one second.</summary>
    public int MaxSteps { get; init; } = 11_000;

    /// <summary>
    /// Memory that a query may hold at once: results times steps (for a quantile across series or a ranking, series times steps), and the
    /// samples of the series at hand. Default 256 MiB: a day of one series at 1 Hz takes 2.6, and 32 queries at once a sixteenth of a
    /// 128 GiB machine.
    /// </summary>
    public long MaxMemoryBytes { get; init; } = 256L << 20;

    /// <summary>Time inside the engine. Default 30 s. The time that a reader of a range takes between two series is not counted.</summary>
    public TimeSpan MaxTime { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Queries that one caller may run at once. Default 8.</summary>
    public int MaxConcurrentPerCaller { get; init; } = 8;

    /// <summary>Queries that run at once. Default 32.</summary>
    public int MaxConcurrent { get; init; } = 32;

    /// <summary>
    /// Queries that read and compute at the same moment; the others wait, and the turn goes round. Default: half of the processors, so that
    /// whatever is asked, the other half is there for what comes in.
    /// </summary>
    public int MaxScanning { get; init; } = Math.Max(1, Environment.ProcessorCount / 2);

    /// <summary>How long a query scans while others wait for a turn. Default 20 ms: a short query is not held up for long by many long ones.</summary>
    public TimeSpan ScanSlice { get; init; } = TimeSpan.FromMilliseconds(20);
}
