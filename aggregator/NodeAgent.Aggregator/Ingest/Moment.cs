namespace NodeAgent.Aggregator.Ingest;

/// <summary>
/// Now, by both clocks: the wall clock says which time a record has, the monotonic one how much time has passed. The core of ingest reads
/// no clock; whoever drives it says what time it is, so that one thread can drive an aggregator and all its agents.
/// </summary>
internal readonly record struct Moment(long UnixMs, long MonotonicMs)
{
    internal static Moment Of(TimeProvider time)
    {
        // Not timestamp * 1000: that overflows after a hundred days of uptime.
        (long seconds, long rest) = Math.DivRem(time.GetTimestamp(), time.TimestampFrequency);
        return new Moment(time.GetUtcNow().ToUnixTimeMilliseconds(), (seconds * 1000) + (rest * 1000 / time.TimestampFrequency));
    }
}
