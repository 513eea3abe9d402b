namespace NodeAgent.Sampling.Scheduling;

/// <summary>
/// Beats a <see cref="TickLoop"/> on the real clock, by two threads that take the beats in turn. Each sleeps until its own beat, so there is
/// one wake-up a beat, and none to hand work over: what follows a tick (writing it to disk, sending it) is done by the thread that ticked,
/// with its caches warm, while the other one already waits for the next beat. However long that takes, the next beat is on time.
/// <para>
/// Only one ticks at a time. The waits are on a monitor: nothing is allocated, no timer thread is involved, and a stop need not wait for the
/// beat. They are rounded up to whole milliseconds, so a tick starts up to about a millisecond after its beat
/// (nodeagent_tick_lateness_seconds says how late).
/// </para>
/// </summary>
public sealed class TickThread : IDisposable
{
    /// <summary>Both threads have it, so that who looks for what samples finds both.</summary>
    public const string ThreadName = "tick";

    private static readonly TimeSpan Never = TimeSpan.MaxValue;

    // Two beats that should be an interval apart may be less by what a wall clock is steered in the meantime.
    private static readonly TimeSpan Tolerance = TimeSpan.FromMilliseconds(1);

    private readonly TickLoop _loop;
    private readonly Action? _onTurn;
    private readonly Action<bool>? _afterTurn;
    private readonly TimeSpan _longestWait;
    private readonly Hand[] _hands;

    // Guards all that follows; held for no work but its own.
    private readonly object _gate = new();
    private TimeSpan _first = TimeSpan.Zero; // when somebody must come round next, on the loop's clock
    private TimeSpan _second = TimeSpan.Zero; // and when after that
    private bool _isTicking;
    private bool _isStopping;

    /// <param name="loop">Made with the system's clocks; from <see cref="Start"/> on owned by the threads.</param>
    /// <param name="onTurn">
    /// Called each time a thread comes round, for a watchdog: while a sampler hangs it is not called. Must neither block nor throw.
    /// </param>
    /// <param name="longestWait">Somebody comes round at least this often, also where the beats are further apart. Null: at the beats.</param>
    /// <param name="afterTurn">
    /// Called after <paramref name="onTurn"/>, by the thread that had the turn. True: the other one waits for the next beat, so this may take as
    /// long as it likes. False: it must not block, or a beat would be missed. May be called again while the other thread is still inside.
    /// </param>
    public TickThread(TickLoop loop, Action? onTurn = null, TimeSpan? longestWait = null, Action<bool>? afterTurn = null)
    {
        _loop = loop;
        _onTurn = onTurn;
        _afterTurn = afterTurn;
        _longestWait = longestWait ?? TickSchedule.LongestInterval;

        // Who never has anything to do after a tick needs no second.
        _hands = afterTurn is null ? [new Hand(this)] : [new Hand(this), new Hand(this)];
    }

    public void Start()
    {
        foreach (Hand hand in _hands)
        {
            hand.Thread.Start();
        }
    }

    /// <summary>Lets what runs finish and ends the threads. True: they ended within the time.</summary>
    public bool Stop(TimeSpan atMost)
    {
        lock (_gate)
        {
            _isStopping = true;
            Monitor.PulseAll(_gate);
        }

        TimeSpan until = _loop.Now + atMost;
        bool ended = true;
        foreach (Hand hand in _hands)
        {
            TimeSpan left = until - _loop.Now;
            ended &= (hand.Thread.ThreadState & ThreadState.Unstarted) != 0 || hand.Thread.Join(left > TimeSpan.Zero ? left : TimeSpan.Zero);
        }

        return ended;
    }

    public void Dispose() => Stop(TimeSpan.FromSeconds(1)); // background threads: a sampler that hangs cannot keep the process

    private void Run(Hand me)
    {
        while (TakeTurn(me))
        {
            long allocated = GC.GetAllocatedBytesForCurrentThread();
            TimeSpan wait = _loop.Beat();
            _loop.Statistics.AllocatedBytes += GC.GetAllocatedBytesForCurrentThread() - allocated;
            _onTurn?.Invoke();
            bool isBacked = EndTurn(me, wait);
            _afterTurn?.Invoke(isBacked);
        }
    }

    // Waits for this thread's time. False: it is to end.
    private bool TakeTurn(Hand me)
    {
        lock (_gate)
        {
            me.WaitsUntil = IsAwaitedByAnother(me) ? _second : _first;
            while (!_isStopping)
            {
                TimeSpan left = me.WaitsUntil - _loop.Now;
                if (left <= TimeSpan.Zero && !_isTicking)
                {
                    me.WaitsUntil = Never;
                    _isTicking = true;
                    return true;
                }

                // Behind a tick that takes longer than its interval: whoever ends it says when to come.
                Monitor.Wait(_gate, left <= TimeSpan.Zero ? Timeout.Infinite : (int)Math.Min(Math.Ceiling(left.TotalMilliseconds), int.MaxValue));
            }

            return false;
        }
    }

    // True: another thread is there for what comes next.
    private bool EndTurn(Hand me, TimeSpan wait)
    {
        lock (_gate)
        {
            TimeSpan now = _loop.Now;
            TimeSpan second = _loop.UntilSecondBeat();
            _first = now + (wait < _longestWait ? wait : _longestWait);
            _second = now + second < _first + _longestWait ? now + second : _first + _longestWait;
            _isTicking = false;
            foreach (Hand hand in _hands)
            {
                if (hand == me || hand.WaitsUntil == Never)
                {
                    continue;
                }

                // Usually it knew: this beat was the second one when it began to wait. Not after a clock was set.
                if (hand.WaitsUntil > _first + Tolerance || hand.WaitsUntil <= now)
                {
                    hand.WaitsUntil = _first;
                    Monitor.PulseAll(_gate);
                }

                return true;
            }

            return false;
        }
    }

    private bool IsAwaitedByAnother(Hand me)
    {
        foreach (Hand hand in _hands)
        {
            if (hand != me && hand.WaitsUntil != Never)
            {
                return true;
            }
        }

        return false;
    }

    private sealed class Hand
    {
        internal Hand(TickThread owner) => Thread = new Thread(() => owner.Run(this)) { Name = ThreadName, IsBackground = true };

        internal Thread Thread { get; }

        /// <summary>When it comes, unless told otherwise. Never: it is at work.</summary>
        internal TimeSpan WaitsUntil { get; set; } = Never;
    }
}
