namespace NodeAgent.Hosting.Lifetime;

/// <summary>
/// Feeds the service manager's watchdog from the loop whose life matters. The loop says each time it comes round, and these turns are
/// passed on at half of the manager's limit. Nothing else beats: when the loop stands still, the manager hears nothing and starts the
/// program again. For one thread at a time.
/// </summary>
/// <param name="notifier">Where to; without a watchdog every turn does nothing.</param>
/// <param name="time">Its timestamps measure between beats.</param>
public sealed class WatchdogBeat(ServiceNotifier notifier, TimeProvider time)
{
    private readonly long _started = time.GetTimestamp();
    private TimeSpan _next = TimeSpan.Zero;

    /// <summary>
    /// How long the loop may wait before it comes round again, null when nobody watches: half of the beat, so that a beat is never later
    /// than three quarters of the limit.
    /// </summary>
    public TimeSpan? LongestWait => notifier.WatchdogInterval / 2;

    /// <summary>The loop has come round. Allocates nothing.</summary>
    public void Turn()
    {
        if (notifier.WatchdogInterval is not { } interval)
        {
            return;
        }

        TimeSpan now = time.GetElapsedTime(_started);
        if (now < _next)
        {
            return;
        }

        notifier.Watchdog();
        _next = now + interval;
    }
}
