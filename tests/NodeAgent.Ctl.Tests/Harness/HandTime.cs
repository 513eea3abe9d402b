namespace NodeAgent.Ctl.Tests.Harness;

/// <summary>A clock that moves only when a test says so; timers never fire on their own.</summary>
internal sealed class HandTime : TimeProvider
{
    /// <summary>2026-11-21T09:20:00Z, the moment of every golden file.</summary>
    public const long StartUnixMs = 1_795_252_800_000;

    private readonly List<HandTimer> _timers = [];

    private long _unixMs = StartUnixMs;

    public override long TimestampFrequency => 1_000;

    public override DateTimeOffset GetUtcNow() => DateTimeOffset.FromUnixTimeMilliseconds(Interlocked.Read(ref _unixMs));

    public override long GetTimestamp() => Interlocked.Read(ref _unixMs);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        HandTimer timer = new(this, callback, state);
        timer.Change(dueTime, period);
        lock (_timers) _timers.Add(timer);
        return timer;
    }

    public void Advance(TimeSpan by)
    {
        long now = Interlocked.Add(ref _unixMs, (long)by.TotalMilliseconds);
        List<HandTimer> due;
        lock (_timers) due = [.. _timers.Where(timer => timer.DueUnixMs <= now)];
        foreach (HandTimer timer in due) timer.Fire();
    }

    private sealed class HandTimer(HandTime time, TimerCallback callback, object? state) : ITimer
    {
        public long DueUnixMs { get; private set; } = long.MaxValue;

        public void Fire()
        {
            DueUnixMs = long.MaxValue;
            callback(state);
        }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            DueUnixMs = dueTime == Timeout.InfiniteTimeSpan ? long.MaxValue : time.GetTimestamp() + (long)dueTime.TotalMilliseconds;
            return true;
        }

        public void Dispose()
        {
            lock (time._timers) time._timers.Remove(this);
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
