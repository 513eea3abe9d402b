namespace NodeAgent.Sampling.Windows;

/// <summary>
/// When the system started, from the wall clock and the time since. Both move in steps of milliseconds, so what was found first
/// is kept until it is off by more than a second: then the clock was set.
/// </summary>
internal sealed class BootTime
{
    private long _unixMs;

    /// <returns>Milliseconds since 1970 UTC.</returns>
    public long Find(long wallUnixMs, ulong uptimeMs)
    {
        long found = wallUnixMs - (long)uptimeMs;
        if (Math.Abs(found - _unixMs) > 1000)
        {
            _unixMs = found;
        }

        return _unixMs;
    }
}
