namespace NodeAgent.Tsdb.Query.Evaluation;

/// <summary>What one query may still use. Every loop that can be long asks it; the clock stands still while the caller holds a result.</summary>
internal sealed class QueryBudget(QueryLimits limits, TimeProvider time, CancellationToken cancellation)
{
    private readonly long _maxTicks = (long)(limits.MaxTime.TotalSeconds * time.TimestampFrequency);
    private long _usedTicks;
    private long _runningSince = time.GetTimestamp();
    private bool _running = true;
    private long _series;
    private long _samples;
    private long _held;

    public QueryCost Cost => new(_series, _samples, TimeSpan.FromSeconds((double)UsedTicks / time.TimestampFrequency));

    private long UsedTicks => _usedTicks + (_running ? time.GetTimestamp() - _runningSince : 0);

    /// <summary>Cancellation and time.</summary>
    public void Check()
    {
        cancellation.ThrowIfCancellationRequested();
        if (UsedTicks > _maxTicks)
        {
            throw new QueryException(
                QueryErrorKind.TimeLimit,
                $"The query took longer than the limit of {limits.MaxTime.TotalSeconds:0.###} s; narrow it, or take a longer step or a shorter range");
        }
    }

    public void TakeSeries(int count)
    {
        _series += count;
        if (_series > limits.MaxSeries)
        {
            throw new QueryException(
                QueryErrorKind.TooManySeries,
                $"The selector matches {_series} series, more than the limit of {limits.MaxSeries}; name a metric, a node or another label");
        }
    }

    public void TakeSamples(int count)
    {
        _samples += count;
        if (_samples > limits.MaxSamples)
        {
            throw new QueryException(
                QueryErrorKind.TooManySamples,
                $"The query reads more samples than the limit of {limits.MaxSamples}; narrow it or take a shorter range");
        }
    }

    public void HoldValues(long count)
    {
        _held += count;
        if (_held > limits.MaxHeldValues)
        {
            throw new QueryException(
                QueryErrorKind.TooManyHeldValues,
                $"The query would hold more values at once than the limit of {limits.MaxHeldValues}; take fewer groups, a longer step or a shorter range");
        }
    }

    public void Pause()
    {
        _usedTicks = UsedTicks;
        _running = false;
    }

    public void Resume()
    {
        _runningSince = time.GetTimestamp();
        _running = true;
    }
}
