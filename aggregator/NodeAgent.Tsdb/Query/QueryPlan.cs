namespace NodeAgent.Tsdb.Query;

/// <summary>What is computed over the samples of one series in a window. Numbers are those of <c>nodeagent.v1.WindowFunction</c>.</summary>
public enum WindowFunction
{
    Last = 0,
    Avg = 1,
    Min = 2,
    Max = 3,
    Sum = 4,
    Count = 5,
    Quantile = 6,
    Rate = 7,
    Increase = 8,
    Delta = 9,
}

/// <summary>What is computed across series. Numbers are those of <c>nodeagent.v1.Aggregation</c>.</summary>
public enum Aggregation
{
    None = 0,
    Sum = 1,
    Avg = 2,
    Min = 3,
    Max = 4,
    Count = 5,
    Quantile = 6,
    StdDev = 7,
}

/// <summary>Which results are kept, by value.</summary>
public enum Ranking
{
    All = 0,
    Top = 1,
    Bottom = 2,
}

/// <summary>
/// A query spelled out, the same for expressions and structured requests: window function, then aggregation, then ranking.
/// Immutable; the engine validates it (<see cref="QueryErrorKind.InvalidArgument"/>). docs/query.md explains each part.
/// </summary>
/// <param name="Selector">Which series.</param>
public sealed record QueryPlan(Selector Selector)
{
    public WindowFunction Function { get; init; }

    /// <summary>
    /// Window length in milliseconds. 0: for <see cref="WindowFunction.Last"/> each series' staleness limit; for the others the
    /// step, or <see cref="DefaultInstantWindowMs"/> for an instant query.
    /// </summary>
    public long WindowMs { get; init; }

    public Aggregation Aggregation { get; init; }

    /// <summary>Labels to keep and group by; with an aggregation only.</summary>
    public IReadOnlyList<string> By { get; init; } = [];

    /// <summary>Labels to drop before grouping by the rest; not together with <see cref="By"/>.</summary>
    public IReadOnlyList<string> Without { get; init; } = [];

    /// <summary>For <see cref="Aggregation.Quantile"/>, 0 to 1.</summary>
    public double Quantile { get; init; }

    /// <summary>For <see cref="WindowFunction.Quantile"/>, 0 to 1.</summary>
    public double WindowQuantile { get; init; }

    public Ranking Ranking { get; init; }

    /// <summary>How many results a ranking keeps, 1 to <see cref="MaxK"/>.</summary>
    public int K { get; init; }

    /// <summary>Window of an instant query that names none.</summary>
    public const long DefaultInstantWindowMs = 60_000;

    /// <summary>Largest <see cref="K"/>.</summary>
    public const int MaxK = 1_000;
}
