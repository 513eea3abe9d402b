namespace NodeAgent.Tsdb.Query;

/// <summary>
/// Answers plans from any <see cref="ISeriesReader"/>. Thread-safe; each query runs on its caller's thread. Adapters (gRPC, later
/// PromQL over HTTP) translate to <see cref="QueryPlan"/> and back and add no meaning of their own. docs/query.md is the reference.
/// </summary>
public sealed class QueryEngine
{
    private readonly ISeriesReader _reader;
    private readonly QueryLimits _limits;
    private readonly TimeProvider _time;

    public QueryEngine(ISeriesReader reader, QueryLimits limits, TimeProvider time)
    {
        _reader = reader;
        _limits = limits;
        _time = time;
    }

    /// <summary>Values at one moment.</summary>
    /// <param name="plan">What to compute.</param>
    /// <param name="atUnixMs">The moment.</param>
    /// <param name="caller">Who asks: the key of the per-caller limit.</param>
    /// <param name="cancellation">Ends the query with <see cref="OperationCanceledException"/>.</param>
    /// <exception cref="QueryException">The plan means nothing or a limit was reached.</exception>
    public InstantResult Instant(QueryPlan plan, long atUnixMs, string caller, CancellationToken cancellation) =>
        throw new NotImplementedException();

    /// <summary>The k results with the largest or smallest value: <see cref="Instant"/> of the plan with that ranking.</summary>
    public InstantResult TopK(QueryPlan plan, int k, bool bottom, long atUnixMs, string caller, CancellationToken cancellation) =>
        Instant(plan with { Ranking = bottom ? Ranking.Bottom : Ranking.Top, K = k }, atUnixMs, caller, cancellation);

    /// <summary>
    /// Values at <c>start, start + step, ... &lt;= end</c>. The range is checked and its place among the caller's queries taken here;
    /// the work happens while the results are enumerated, series by series where nothing has to be held back. Dispose it.
    /// </summary>
    /// <exception cref="QueryException">As <see cref="Instant"/>; limits on series and samples are found while enumerating.</exception>
    public RangeExecution Range(
        QueryPlan plan, long startUnixMs, long endUnixMs, long stepMs, string caller, CancellationToken cancellation) =>
        throw new NotImplementedException();
}
