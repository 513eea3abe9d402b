namespace NodeAgent.Rpc.Server.Connections;

/// <summary>
/// What network cards call interrupt coalescing: the thread that the kernel wakes for every arriving frame rests for a moment when
/// such wakes follow each other closely, and then finds several frames at once. With thousands of agents that each send one small
/// frame a second the wakes of this thread and of the one behind it cost more than the frames do; now a few frames share them.
/// </summary>
/// <remarks>
/// A frame waits at most <see cref="Rest"/> longer, and only where more than about 500 wakes a second were needed anyway. A thread that
/// finds work without having slept (a flood) never rests. Belongs to one thread.
/// </remarks>
internal sealed class ReceivePause(TimeProvider time, Action<TimeSpan> rest)
{
    /// <summary>Collects about five frames of 2,000 a second; a person who waits for an answer does not see it.</summary>
    internal static readonly TimeSpan Rest = TimeSpan.FromMilliseconds(2);

    /// <summary>Wakes further apart than this are too few to be worth anybody's waiting.</summary>
    internal static readonly TimeSpan Close = TimeSpan.FromMilliseconds(2);

    /// <summary>So many close wakes in a row are a load and no coincidence: a call of a few round trips stays below.</summary>
    internal const int Enough = 16;

    // What belongs to one batch is taken within this: the thread has not slept in between.
    private static readonly TimeSpan Asleep = TimeSpan.FromMicroseconds(100);

    private long _last = time.GetTimestamp();
    private int _closeWakes;

    /// <summary>Called by its thread when something arrived, before that is taken.</summary>
    internal void OnArrived()
    {
        long now = time.GetTimestamp();
        TimeSpan idle = time.GetElapsedTime(_last, now);
        if (idle >= Asleep)
        {
            _closeWakes = idle > Close ? _closeWakes / 2 : Math.Min(_closeWakes + 1, 2 * Enough);
            if (_closeWakes >= Enough)
            {
                rest(Rest);
                now = time.GetTimestamp();
            }
        }

        _last = now;
    }
}
