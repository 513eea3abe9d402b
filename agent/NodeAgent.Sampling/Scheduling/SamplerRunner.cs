namespace NodeAgent.Sampling.Scheduling;

/// <summary>
/// Runs one sampler: times each call, turns an exception into <see cref="SampleStatus.Failed"/>, counts, and reports changes of
/// state (not each failure) to an observer. Owned by the thread that ticks.
/// </summary>
public sealed class SamplerRunner
{
    private readonly ISampler _sampler;
    private readonly TimeProvider _time;
    private readonly ISamplerObserver? _observer;
    private long _callsInState;

    /// <param name="sampler">What to run.</param>
    /// <param name="interval">Distance of two calls, 100 ms to 60 s in whole milliseconds.</param>
    /// <param name="time">Measures the calls.</param>
    /// <param name="observer">Told of changes of state. Null: nobody is.</param>
    /// <exception cref="ArgumentOutOfRangeException">The interval is outside its bounds.</exception>
    public SamplerRunner(ISampler sampler, TimeSpan interval, TimeProvider time, ISamplerObserver? observer = null)
    {
        TickSchedule.CheckInterval(interval);
        _sampler = sampler;
        _time = time;
        _observer = observer;
        Interval = interval;
    }

    public string Name => _sampler.Name;

    public TimeSpan Interval { get; }

    public SeriesTable Series => _sampler.Series;

    /// <summary>What became of the last call; null before the first.</summary>
    public SampleStatus? Status { get; private set; }

    /// <summary>Time the last call took.</summary>
    public TimeSpan LastDuration { get; private set; }

    /// <summary>Calls made.</summary>
    public long Calls { get; private set; }

    /// <summary>Calls that did not end in Ok or NoData.</summary>
    public long Failures { get; private set; }

    /// <summary>The exception of the last call that threw; kept after recovery, for `doctor`.</summary>
    public Exception? LastError { get; private set; }

    internal long LastTargetNs { get; set; } = long.MinValue;

    /// <summary>Whether a status counts as success: the source was read, or is known not to be here.</summary>
    public static bool IsSuccess(SampleStatus status) => status is SampleStatus.Ok or SampleStatus.NoData;

    /// <summary>Clears the table and calls the sampler once. Never throws what the sampler throws.</summary>
    public SampleStatus Run(in SampleTime now)
    {
        long start = _time.GetTimestamp();
        SampleStatus status = Call(now, out Exception? error);
        LastDuration = _time.GetElapsedTime(start);
        Calls++;
        if (!IsSuccess(status))
        {
            Failures++;
        }

        if (status != Status)
        {
            SamplerChange change = new(Name, Status, status, _callsInState, error);
            Status = status;
            _callsInState = 0;
            _observer?.OnStateChanged(change);
        }

        _callsInState++;
        return status;
    }

    private SampleStatus Call(in SampleTime now, out Exception? error)
    {
        error = null;
        _sampler.Series.ClearValues();
        try
        {
            return _sampler.Sample(now);
        }
        catch (Exception e) // whatever one source does, it must not cost the others their tick; the observer logs it
        {
            _sampler.Series.ClearValues(); // half a reading is none
            LastError = error = e;
            return SampleStatus.Failed;
        }
    }
}

/// <summary>Learns when a sampler's state changes: what an SRE wants to read, once, not per tick.</summary>
public interface ISamplerObserver
{
    /// <summary>Called on the tick's thread; must not block or throw.</summary>
    void OnStateChanged(in SamplerChange change);
}

/// <summary>A sampler's state became another.</summary>
/// <param name="Sampler">Its name.</param>
/// <param name="From">State before; null at the first call.</param>
/// <param name="To">State now.</param>
/// <param name="CallsInFrom">How many calls in a row had ended in <paramref name="From"/>.</param>
/// <param name="Error">The exception behind a Failed; null where the sampler itself said so.</param>
public readonly record struct SamplerChange(string Sampler, SampleStatus? From, SampleStatus To, long CallsInFrom, Exception? Error);
