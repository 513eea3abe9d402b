namespace NodeAgent.Tsdb.Query.Evaluation;

/// <summary>What a plan and a range must be. Expressions cannot break most of these; structured requests can.</summary>
internal static class PlanRules
{
    /// <summary>Year 9999: keeps every sum of a time and a window far from overflow.</summary>
    private const long MaxUnixMs = 253_402_300_800_000;

    private const long MaxWindowMs = 100L * 365 * 86_400_000;

    public static void Check(QueryPlan plan)
    {
        Require(Enum.IsDefined(plan.Function), $"There is no window function {(int)plan.Function}");
        Require(Enum.IsDefined(plan.Aggregation), $"There is no aggregation {(int)plan.Aggregation}");
        Require(Enum.IsDefined(plan.Ranking), $"There is no ranking {(int)plan.Ranking}");
        Require(plan.WindowMs is >= 0 and <= MaxWindowMs, $"A window of {plan.WindowMs} ms is not between 0 and 100 years");
        Require(plan.By.Count == 0 || plan.Without.Count == 0, "A query groups by labels or without labels, not both");
        Require(
            plan.Aggregation != Aggregation.None || plan.By.Count + plan.Without.Count == 0, "Grouping needs an aggregation such as sum or avg");
        Require(
            plan.Aggregation != Aggregation.Quantile || plan.Quantile is >= 0 and <= 1, $"The quantile {plan.Quantile} is not between 0 and 1");
        Require(
            plan.Function != WindowFunction.Quantile || plan.WindowQuantile is >= 0 and <= 1,
            $"The quantile {plan.WindowQuantile} of the window is not between 0 and 1");
        Require(
            plan.Ranking == Ranking.All || plan.K is >= 1 and <= QueryPlan.MaxK, $"A ranking keeps 1 to {QueryPlan.MaxK} results, not {plan.K}");
    }

    public static StepGrid CheckRange(long startUnixMs, long endUnixMs, long stepMs, QueryLimits limits)
    {
        CheckTime(startUnixMs);
        CheckTime(endUnixMs);
        Require(startUnixMs <= endUnixMs, $"The range ends ({endUnixMs}) before it starts ({startUnixMs})");
        Require(stepMs >= 1, $"The step is {stepMs} ms; it must be at least 1 ms");
        long steps = ((endUnixMs - startUnixMs) / stepMs) + 1;
        return steps <= limits.MaxSteps
            ? new StepGrid(startUnixMs, stepMs, (int)steps, stepMs)
            : throw new QueryException(
                QueryErrorKind.TooManySteps,
                $"The range has {steps} steps of {stepMs} ms, more than the limit of {limits.MaxSteps}; take a longer step or a shorter range");
    }

    public static StepGrid CheckInstant(long atUnixMs)
    {
        CheckTime(atUnixMs);
        return new StepGrid(atUnixMs, 1, 1, QueryPlan.DefaultInstantWindowMs);
    }

    private static void CheckTime(long unixMs) =>
        Require(Math.Abs((double)unixMs) <= MaxUnixMs, $"The time {unixMs} ms is not between the years -6000 and 9999");

    private static void Require(bool holds, string problem)
    {
        if (!holds)
        {
            throw new QueryException(QueryErrorKind.InvalidArgument, problem);
        }
    }
}
