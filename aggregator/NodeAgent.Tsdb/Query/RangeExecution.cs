using System.Collections;
using NodeAgent.Tsdb.Query.Evaluation;

namespace NodeAgent.Tsdb.Query;

/// <summary>A range query under way: enumerate it once, read <see cref="Cost"/> at the end, dispose it in any case.</summary>
public sealed class RangeExecution : IEnumerable<RangeSeries>, IDisposable
{
    private readonly PlanRun _run;
    private readonly StepGrid _grid;
    private readonly QueryBudget _budget;
    private readonly QueryAdmission.Lease _lease;
    private bool _started;

    internal RangeExecution(PlanRun run, StepGrid grid, QueryBudget budget, QueryAdmission.Lease lease)
    {
        _run = run;
        _grid = grid;
        _budget = budget;
        _lease = lease;
    }

    /// <summary>What the query has cost so far; final once the enumeration ended.</summary>
    public QueryCost Cost => _budget.Cost;

    /// <inheritdoc/>
    public IEnumerator<RangeSeries> GetEnumerator()
    {
        if (_started)
        {
            throw new InvalidOperationException("A range query is enumerated once; run it again for the same results.");
        }

        _started = true;
        return Results().GetEnumerator();
    }

    /// <summary>Gives the place among the caller's queries back.</summary>
    public void Dispose() => _lease.Dispose();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private IEnumerable<RangeSeries> Results()
    {
        _budget.Resume();
        try
        {
            foreach (ResultRow row in _run.Rows())
            {
                _budget.Pause();
                yield return new RangeSeries(row.Metric, row.Labels, row.Unit, _grid.StartUnixMs, _grid.StepMs, row.Values);
                _budget.Resume();
            }
        }
        finally
        {
            _budget.Pause();
        }
    }
}
