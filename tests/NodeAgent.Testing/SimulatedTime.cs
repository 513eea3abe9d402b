namespace NodeAgent.Testing;

/// <summary>
/// A clock moved by hand. Timers fire inside <see cref="Advance"/>, on the caller's thread, in the order of their due times (then of
/// creation), each seeing the time it was due. Wall clock and monotonic clock are apart, as in life: <see cref="StepWallClock"/> moves
/// only the former. The timestamp frequency is odd on purpose, so that code that takes ticks for milliseconds or 100 ns fails.
/// </summary>
public sealed class SimulatedTime : TimeProvider
{
    /// <summary>A prime near 1 MHz: ticks convert to no round unit.</summary>
    public const long Frequency = 1_000_003;

    /// <summary>Where the wall clock starts unless told otherwise.</summary>
    public static readonly DateTimeOffset DefaultStart = new(2026, 11, 21, 9, 8, 7, 123, TimeSpan.Zero);

    private readonly Lock _gate = new();
    private readonly List<SimulatedTimer> _timers = []; // armed ones, under _gate
    private DateTimeOffset _wall; // under _gate
    private TimeSpan _elapsed; // under _gate
    private long _created; // under _gate

    /// <summary>Starts at <see cref="DefaultStart"/>.</summary>
    public SimulatedTime()
        : this(DefaultStart)
    {
    }

    /// <summary>Starts at <paramref name="start"/>.</summary>
    public SimulatedTime(DateTimeOffset start) => _wall = start;

    /// <inheritdoc/>
    public override long TimestampFrequency => Frequency;

    /// <inheritdoc/>
    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    /// <summary>Monotonic time since the start.</summary>
    public TimeSpan Elapsed
    {
        get
        {
            lock (_gate)
            {
                return _elapsed;
            }
        }
    }

    /// <summary>Armed timers: what would fire if time went on for ever.</summary>
    public int ArmedTimers
    {
        get
        {
            lock (_gate)
            {
                return _timers.Count;
            }
        }
    }

    /// <summary>Time until the next timer, null when none is armed.</summary>
    public TimeSpan? UntilNextTimer
    {
        get
        {
            lock (_gate)
            {
                return _timers.Count == 0 ? null : _timers.Min(timer => timer.Due) - _elapsed;
            }
        }
    }

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow()
    {
        lock (_gate)
        {
            return _wall;
        }
    }

    /// <inheritdoc/>
    public override long GetTimestamp()
    {
        lock (_gate)
        {
            // Not zero at the start: a monotonic clock starts anywhere, and code that takes 0 for "never" would pass by luck.
            return Frequency * 1000 + (long)((Int128)_elapsed.Ticks * Frequency / TimeSpan.TicksPerSecond);
        }
    }

    /// <inheritdoc/>
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        SimulatedTimer timer = new(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>Moves both clocks on and fires what becomes due on the way, timers armed by callbacks included.</summary>
    public void Advance(TimeSpan by)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(by, TimeSpan.Zero);
        TimeSpan target = Elapsed + by;
        while (TakeDue(target) is { } timer)
        {
            timer.Fire();
        }
    }

    /// <summary>Moves to the next timer and fires everything due at that moment; false when none is armed.</summary>
    public bool AdvanceToNextTimer()
    {
        if (UntilNextTimer is not { } wait)
        {
            return false;
        }

        Advance(wait);
        return true;
    }

    /// <summary>Steps the wall clock as NTP or an operator does, back or forth; timers and timestamps do not notice.</summary>
    public void StepWallClock(TimeSpan by)
    {
        lock (_gate)
        {
            _wall += by;
        }
    }

    private SimulatedTimer? TakeDue(TimeSpan target)
    {
        lock (_gate)
        {
            SimulatedTimer? first = _timers.Where(timer => timer.Due <= target)
                .OrderBy(timer => timer.Due).ThenBy(timer => timer.Order).FirstOrDefault();
            TimeSpan to = first?.Due ?? target;
            if (to > _elapsed)
            {
                _wall += to - _elapsed;
                _elapsed = to;
            }

            first?.RearmNeedsLock();
            return first;
        }
    }

    private sealed class SimulatedTimer(SimulatedTime time, TimerCallback callback, object? state) : ITimer
    {
        private TimeSpan _period = Timeout.InfiniteTimeSpan;
        private bool _disposed;

        public TimeSpan Due { get; private set; }

        public long Order { get; private set; }

        public void Fire() => callback(state);

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (time._gate)
            {
                if (_disposed)
                {
                    return false;
                }

                _period = period;
                time._timers.Remove(this);
                if (dueTime != Timeout.InfiniteTimeSpan)
                {
                    ArmNeedsLock(time._elapsed + dueTime);
                }

                return true;
            }
        }

        public void RearmNeedsLock()
        {
            time._timers.Remove(this);

            // As System.Threading.Timer has it, a period of zero means once.
            if (_period > TimeSpan.Zero)
            {
                ArmNeedsLock(Due + _period);
            }
        }

        public void Dispose()
        {
            lock (time._gate)
            {
                _disposed = true;
                time._timers.Remove(this);
            }
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }

        private void ArmNeedsLock(TimeSpan due)
        {
            Due = due;
            Order = time._created++;
            time._timers.Add(this);
        }
    }
}
