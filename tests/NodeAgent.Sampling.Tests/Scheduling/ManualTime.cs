namespace NodeAgent.Sampling.Tests.Scheduling;

/// <summary>
/// Wall and monotonic clock that move by hand, apart if need be. The frequency is odd, so that nobody can take counts for time.
/// </summary>
internal sealed class ManualTime(long wallUnixMs) : TimeProvider
{
    private long _wallTicks = DateTimeOffset.FromUnixTimeMilliseconds(wallUnixMs).UtcTicks;
    private long _monotonicTicks;

    public override long TimestampFrequency => 10_000_019;

    public override DateTimeOffset GetUtcNow() => new(_wallTicks, TimeSpan.Zero);

    public override long GetTimestamp() => (long)(_monotonicTicks * (TimestampFrequency / (double)TimeSpan.TicksPerSecond));

    public void Advance(TimeSpan time)
    {
        _wallTicks += time.Ticks;
        _monotonicTicks += time.Ticks;
    }

    /// <summary>Sets the wall clock, as an administrator or NTP does; monotonic time does not move.</summary>
    public void StepWall(TimeSpan by) => _wallTicks += by.Ticks;
}
