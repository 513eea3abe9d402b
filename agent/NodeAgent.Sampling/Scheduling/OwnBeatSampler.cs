namespace NodeAgent.Sampling.Scheduling;

/// <summary>
/// Runs a sampler that may hang (statfs on a dead mount, a driver) on a thread of its own, so that it can hold up nobody. Each
/// tick starts a call and gives it a short time to end; if it does not, the values that finished last are handed out, and after
/// the deadline none, with <see cref="SampleStatus.Stalled"/>, until the call returns. A hung call is never started twice.
/// Where the host has no such source the thread ends, and the look for one that may appear is part of the tick.
/// </summary>
public sealed class OwnBeatSampler : ISampler, IDisposable
{
    // The first call also starts the thread and builds the columns; waiting for it once saves a whole beat without values.
    private const int FirstPatienceMs = 100;

    private readonly object _gate = new();
    private readonly ISampler _inner; // the worker's while _isBusy, else the tick's
    private readonly long _deadlineNs;
    private readonly int _patienceMs;
    private Thread? _thread;
    private readonly SeriesTable _lastFinished = new(); // the tick's
    private SampleTime _startedAt;
    private SampleStatus _lastStatus = SampleStatus.NoData;
    private Exception? _error;
    private bool _isBusy;
    private bool _hasStarted; // a call was started before this one
    private bool _isStopping;
    private bool _hasNothing; // the last call found no source at all: there is nothing to hang on, and no thread to keep for it

    /// <param name="inner">Called only on the own thread, unless it found no source at all.</param>
    /// <param name="deadline">A call that takes longer is Stalled.</param>
    /// <param name="patience">
    /// How long a tick waits for its own call, in whole milliseconds; default 5 ms. Zero: values are always a tick old.
    /// </param>
    public OwnBeatSampler(ISampler inner, TimeSpan deadline, TimeSpan? patience = null)
    {
        _inner = inner;
        _deadlineNs = (long)deadline.TotalNanoseconds;
        _patienceMs = (int)(patience ?? TimeSpan.FromMilliseconds(5)).TotalMilliseconds;
    }

    public string Name => _inner.Name;

    public SeriesTable Series { get; } = new();

    /// <summary>Calls that were not started because the one before had not returned.</summary>
    public long SkippedCalls { get; private set; }

    /// <summary>A call has been started and has not returned.</summary>
    public bool IsBusy
    {
        get
        {
            lock (_gate)
            {
                return _isBusy;
            }
        }
    }

    /// <exception cref="Exception">What the inner sampler threw in the call that finished last.</exception>
    public SampleStatus Sample(in SampleTime now)
    {
        lock (_gate)
        {
            Start(now);
            if (_isBusy && now.MonotonicNs == _startedAt.MonotonicNs && _patienceMs > 0)
            {
                Monitor.Wait(_gate, _hasStarted ? _patienceMs : Math.Max(_patienceMs, FirstPatienceMs));
            }

            _hasStarted = true;

            if (!_isBusy)
            {
                Series.CopyFrom(_inner.Series);
                return Finished();
            }

            if (now.MonotonicNs - _startedAt.MonotonicNs > _deadlineNs)
            {
                return SampleStatus.Stalled;
            }

            Series.CopyFrom(_lastFinished);
            return Finished();
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _isStopping = true;
            Monitor.PulseAll(_gate);
        }
    }

    private void Start(in SampleTime now)
    {
        if (_isBusy)
        {
            SkippedCalls++;
            return;
        }

        if (_hasNothing)
        {
            _lastStatus = Call(now, out _error);
            _hasNothing = FoundNothing(_lastStatus);
            return;
        }

        if (_thread is null)
        {
            _thread = new Thread(Run) { Name = _inner.Name, IsBackground = true };
            _thread.Start();
        }

        _lastFinished.CopyFrom(_inner.Series);
        _startedAt = now;
        _isBusy = true;
        Monitor.PulseAll(_gate);
    }

    private SampleStatus Finished()
    {
        if (_error is { } error)
        {
            throw error;
        }

        return _lastStatus;
    }

    private void Run()
    {
        while (true)
        {
            SampleTime at;
            lock (_gate)
            {
                while (!_isBusy && !_isStopping)
                {
                    Monitor.Wait(_gate);
                }

                if (_isStopping)
                {
                    return;
                }

                at = _startedAt;
            }

            SampleStatus status = Call(at, out Exception? error);
            lock (_gate)
            {
                _lastStatus = status;
                _error = error;
                _isBusy = false;
                _hasNothing = FoundNothing(status);
                Monitor.PulseAll(_gate);
                if (_hasNothing)
                {
                    _thread = null;
                    return;
                }
            }
        }
    }

    private bool FoundNothing(SampleStatus status) => status == SampleStatus.NoData && _inner.Series.Count == 0;

    private SampleStatus Call(in SampleTime at, out Exception? error)
    {
        error = null;
        _inner.Series.ClearValues();
        try
        {
            return _inner.Sample(at);
        }
        catch (Exception e) // handed to the tick's thread, whose runner counts and reports it
        {
            _inner.Series.ClearValues();
            error = e;
            return SampleStatus.Failed;
        }
    }
}
