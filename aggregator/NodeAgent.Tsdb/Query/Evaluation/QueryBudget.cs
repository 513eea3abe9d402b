using System.Globalization;

namespace NodeAgent.Tsdb.Query.Evaluation;

/// <summary>
/// What one query may still use. Every loop that can be long asks it; the clock stands still, and the turn at scanning is given back, while
/// the caller holds a result.
/// </summary>
internal sealed class QueryBudget : IScanMeter, IDisposable
{
    private const int SamplesBetweenChecks = 64 * 1024; // about 50 microseconds of decoding
    private const long LongMs = 3; // the usual questions take less; a fleet's worth of raw samples takes more
    private const int BytesPerSample = 2 * 16; // time and value, and the buffer that doubles

    private readonly QueryLimits _limits;
    private readonly TimeProvider _time;
    private readonly ScanGate _gate;
    private readonly Action _whenLong;
    private readonly CancellationToken _cancellation;
    private readonly long _maxTicks;
    private readonly long _sliceTicks;
    private readonly long _longTicks;
    private long _usedTicks;
    private long _runningSince;
    private long _turnSince;
    private bool _running;
    private bool _isLong;
    private long _series;
    private long _samples;
    private long _heldBytes;
    private long _samplesAtHand;
    private int _sinceCheck;

    /// <summary>Begins paused.</summary>
    public QueryBudget(QueryLimits limits, TimeProvider time, ScanGate gate, Action whenLong, CancellationToken cancellation)
    {
        _limits = limits;
        _time = time;
        _gate = gate;
        _whenLong = whenLong;
        _cancellation = cancellation;
        _maxTicks = (long)(limits.MaxTime.TotalSeconds * time.TimestampFrequency);
        _longTicks = LongMs * time.TimestampFrequency / 1_000;
        _sliceTicks = (long)(limits.ScanSlice.TotalSeconds * time.TimestampFrequency);
    }

    public QueryCost Cost => new(_series, _samples, TimeSpan.FromSeconds((double)UsedTicks / _time.TimestampFrequency));

    private long UsedTicks => _usedTicks + (_running ? _time.GetTimestamp() - _runningSince : 0);

    /// <summary>Cancellation, time, and whether others should have their turn.</summary>
    public void Check()
    {
        _cancellation.ThrowIfCancellationRequested();
        long now = _time.GetTimestamp();
        if (_usedTicks + now - _runningSince > _maxTicks)
        {
            throw new QueryException(
                QueryErrorKind.TimeLimit,
                $"The query took longer than the limit of {_limits.MaxTime.TotalSeconds.ToString("0.###", CultureInfo.InvariantCulture)} s "
                + "(query.max_time); narrow it, or take a longer step or a shorter range");
        }

        NoteLong(now);
        if (_gate.HasWaiting && now - _turnSince >= _sliceTicks)
        {
            _gate.Leave();
            EnterAgain();
        }
    }

    public void TakeSeries(int count)
    {
        _series += count;
        if (_series > _limits.MaxSeries)
        {
            throw new QueryException(
                QueryErrorKind.TooManySeries,
                $"The selector matches {_series} series, more than the limit of {_limits.MaxSeries} (query.max_series); name a metric, a node or another label");
        }
    }

    /// <summary>The samples of the series before are let go of.</summary>
    public void BeginSeries() => _samplesAtHand = 0;

    /// <inheritdoc/>
    public void Take(int samples)
    {
        _samples += samples;
        if (_samples > _limits.MaxSamples)
        {
            throw new QueryException(
                QueryErrorKind.TooManySamples,
                $"The query reads more samples than the limit of {_limits.MaxSamples} (query.max_samples_millions); "
                + "narrow it, take a shorter range, or a step of whole minutes, which roll-ups can answer");
        }

        _samplesAtHand += samples;
        CheckMemory();
        _sinceCheck += samples;
        if (_sinceCheck >= SamplesBetweenChecks)
        {
            _sinceCheck = 0;
            Check();
        }
    }

    public void HoldValues(long count)
    {
        _heldBytes += count * sizeof(double);
        CheckMemory();
    }

    /// <summary>The caller has a result in hand.</summary>
    public void Pause()
    {
        if (_running)
        {
            _usedTicks = UsedTicks;
            _running = false;
            _gate.Leave();
        }
    }

    /// <summary>The caller wants the next; waiting for a turn is time of the query.</summary>
    public void Resume()
    {
        if (!_running)
        {
            _runningSince = _time.GetTimestamp();
            _gate.Enter(_cancellation);
            _running = true;
            _turnSince = _time.GetTimestamp();
            _isLong = false; // another thread, perhaps
            NoteLong(_turnSince);
        }
    }

    public void Dispose() => Pause();

    private void NoteLong(long now)
    {
        if (!_isLong && _usedTicks + now - _runningSince >= _longTicks)
        {
            _isLong = true;
            _whenLong();
        }
    }

    private void EnterAgain()
    {
        try
        {
            _gate.Enter(_cancellation);
            _turnSince = _time.GetTimestamp();
        }
        catch (OperationCanceledException)
        {
            _usedTicks = UsedTicks;
            _running = false; // it has no turn to give back
            throw;
        }
    }

    private void CheckMemory()
    {
        if (_heldBytes + (_samplesAtHand * BytesPerSample) > _limits.MaxMemoryBytes)
        {
            throw new QueryException(
                QueryErrorKind.TooMuchMemory,
                $"The query would hold more memory at once than the limit of {_limits.MaxMemoryBytes} bytes (query.max_memory); "
                + "take fewer groups, a longer step or a shorter range");
        }
    }
}
