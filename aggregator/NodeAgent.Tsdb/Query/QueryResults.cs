using NodeAgent.Contracts.Series;

namespace NodeAgent.Tsdb.Query;

/// <summary>One value of an instant query.</summary>
/// <param name="Metric">Empty after an aggregation or a function that drops the name.</param>
/// <param name="Labels">Sorted by name.</param>
/// <param name="Value">Never NaN: a result without a value is not in the list.</param>
/// <param name="SampleUnixMs">Time of the newest sample that went into the value.</param>
/// <param name="Unit">Unit of the value; empty for a count or where the inputs differ.</param>
public sealed record QueryValue(string Metric, IReadOnlyList<Label> Labels, double Value, long SampleUnixMs, string Unit);

/// <summary>Answer of an instant query: sorted by metric and labels, or by value where the plan ranks.</summary>
public sealed record InstantResult(IReadOnlyList<QueryValue> Results, long AtUnixMs, QueryCost Cost);

/// <summary>One series of a range query.</summary>
/// <param name="Metric">As in <see cref="QueryValue"/>.</param>
/// <param name="Labels">As in <see cref="QueryValue"/>.</param>
/// <param name="Unit">As in <see cref="QueryValue"/>.</param>
/// <param name="StartUnixMs">Moment of the first value.</param>
/// <param name="StepMs">Distance of two values.</param>
/// <param name="Values">One per step; NaN: no value at that step. At least one is not NaN. Owned by the receiver.</param>
public sealed record RangeSeries(string Metric, IReadOnlyList<Label> Labels, string Unit, long StartUnixMs, long StepMs, double[] Values);

/// <summary>What a query cost.</summary>
/// <param name="Series">Series that matched the selector.</param>
/// <param name="Samples">Samples decoded.</param>
/// <param name="Elapsed">Wall time inside the engine.</param>
public readonly record struct QueryCost(long Series, long Samples, TimeSpan Elapsed);
