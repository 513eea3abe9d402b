using NodeAgent.Contracts.Metrics;

namespace NodeAgent.Tsdb.Query.Evaluation;

/// <summary>The unit of a result, from the unit of its series.</summary>
internal static class ResultUnits
{
    public static string Of(QueryPlan plan, string unit)
    {
        if (plan.Aggregation == Aggregation.Count || plan.Function == WindowFunction.Count)
        {
            return Unit.None;
        }

        return plan.Function == WindowFunction.Rate ? PerSecond(unit) : unit;
    }

    private static string PerSecond(string unit) => unit switch
    {
        Unit.None => "per_second",
        Unit.Seconds => Unit.Ratio, // seconds of something per second
        Unit.Joules => Unit.Watts,
        Unit.Bytes => Unit.BytesPerSecond,
        _ => unit + "_per_second",
    };
}
