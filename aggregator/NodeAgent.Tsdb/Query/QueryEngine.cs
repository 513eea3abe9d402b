using NodeAgent.Tsdb.Query.Evaluation;

namespace NodeAgent.Tsdb.Query;

/// <summary>
/// Answers plans from any <see cref="ISeriesReader"/>. Thread-safe; each query runs on its caller's thread. Adapters (gRPC, later
/// PromQL over HTTP) translate to <see cref="QueryPlan"/> and back and add no meaning of their own. docs/query.md is the reference.
/// </summary>
/// <param name="store">Where series and samples come from.</param>
/// <param name="limits">Bounds of each query and of all together.</param>
/// <param name="time">Measures how long queries take; never asked for the date.</param>
public sealed class QueryEngine(ISeriesReader store, QueryLimits limits, TimeProvider time)
{
    private readonly QueryAdmission _admission = new(limits);

    /// <summary>Who scans; for tests and measurements.</summary>
    internal ScanGate Gate { get; } = new(limits.MaxScanning);

    /// <summary>
    /// Called on a query's own thread once it has computed for some milliseconds, and again where it goes on after a pause: for who wants to give
    /// long queries another priority than short ones.
    /// </summary>
    public Action WhenLong { get; init; } = static () => { };

    /// <summary>Values at one moment.</summary>
    /// <param name="plan">What to compute.</param>
    /// <param name="atUnixMs">The moment.</param>
    /// <param name="caller">Who asks: the key of the per-caller limit.</param>
    /// <param name="cancellation">Ends the query with <see cref="OperationCanceledException"/>.</param>
    /// <exception cref="QueryException">The plan means nothing or a limit was reached.</exception>
    public InstantResult Instant(QueryPlan plan, long atUnixMs, string caller, CancellationToken cancellation)
    {
        PlanRules.Check(plan);
        StepGrid grid = PlanRules.CheckInstant(atUnixMs);
        using QueryAdmission.Lease lease = _admission.Enter(caller);
        using QueryBudget budget = new(limits, time, Gate, WhenLong, cancellation);
        budget.Resume();
        List<QueryValue> results = [];
        foreach (ResultRow row in new PlanRun(store, plan, grid, budget).Rows())
        {
            results.Add(new QueryValue(row.Metric, row.Labels, row.Values[0], row.NewestUnixMs, row.Unit));
        }

        return new InstantResult(results, atUnixMs, budget.Cost);
    }

    /// <summary>The k results with the largest or smallest value: <see cref="Instant"/> of the plan with that ranking.</summary>
    public InstantResult TopK(QueryPlan plan, int k, bool bottom, long atUnixMs, string caller, CancellationToken cancellation) =>
        Instant(plan with { Ranking = bottom ? Ranking.Bottom : Ranking.Top, K = k }, atUnixMs, caller, cancellation);

    /// <summary>
    /// Values at <c>start, start + step, ... &lt;= end</c>. The range is checked and its place among the caller's queries taken here;
    /// the work happens while the results are enumerated, series by series where nothing has to be held back. Dispose it.
    /// </summary>
    /// <exception cref="QueryException">As <see cref="Instant"/>; limits on series and samples are found while enumerating.</exception>
    public RangeExecution Range(
        QueryPlan plan, long startUnixMs, long endUnixMs, long stepMs, string caller, CancellationToken cancellation)
    {
        PlanRules.Check(plan);
        StepGrid grid = PlanRules.CheckRange(startUnixMs, endUnixMs, stepMs, limits);
        QueryAdmission.Lease lease = _admission.Enter(caller);
        QueryBudget budget = new(limits, time, Gate, WhenLong, cancellation);
        return new RangeExecution(new PlanRun(store, plan, grid, budget), grid, budget, lease);
    }
}
