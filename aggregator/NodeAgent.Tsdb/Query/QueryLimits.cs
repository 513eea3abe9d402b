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
    /// Values that a query may hold at once (results times steps; for a quantile across series or a ranking, series times steps).
    /// Default 16 million: 128 MiB.
    /// </summary>
    public long MaxHeldValues { get; init; } = 16_000_000;

    /// <summary>Time inside the engine. Default 30 s. The time that a reader of a range takes between two series is not counted.</summary>
    public TimeSpan MaxTime { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Queries that one caller may run at once. Default 8.</summary>
    public int MaxConcurrentPerCaller { get; init; } = 8;

    /// <summary>Queries that run at once. Default 32.</summary>
    public int MaxConcurrent { get; init; } = 32;
}
