namespace NodeAgent.Tsdb.Query.Evaluation;

/// <summary>
/// Who runs how many queries. Refuses at once instead of queueing: a waiting caller holds a connection and learns nothing.
/// </summary>
internal sealed class QueryAdmission(QueryLimits limits)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, int> _running = new(StringComparer.Ordinal);
    private int _total;

    /// <summary>Takes a place; dispose the lease to give it back.</summary>
    public Lease Enter(string caller)
    {
        lock (_gate)
        {
            int own = _running.GetValueOrDefault(caller);
            if (own >= limits.MaxConcurrentPerCaller)
            {
                throw new QueryException(
                    QueryErrorKind.TooManyQueriesOfCaller,
                    $"{caller} runs {own} queries, the limit per caller (query.max_concurrent_per_caller); wait for one to end");
            }

            if (_total >= limits.MaxConcurrent)
            {
                throw new QueryException(QueryErrorKind.TooManyQueries, $"{_total} queries are running, the limit (query.max_concurrent); try again in a moment");
            }

            _running[caller] = own + 1;
            _total++;
            return new Lease(this, caller);
        }
    }

    private void Leave(string caller)
    {
        lock (_gate)
        {
            _total--;
            int rest = _running[caller] - 1;
            if (rest == 0)
            {
                _running.Remove(caller);
            }
            else
            {
                _running[caller] = rest;
            }
        }
    }

    internal sealed class Lease(QueryAdmission admission, string caller) : IDisposable
    {
        private int _left;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _left, 1) == 0)
            {
                admission.Leave(caller);
            }
        }
    }
}
