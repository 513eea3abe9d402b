namespace NodeAgent.Sampling.Scheduling;

/// <summary>
/// The one named thread that beats a <see cref="TickLoop"/> on the real clock. It waits on a monitor: one wake-up a beat, nothing
/// allocated, a timer thread not involved, and a stop need not wait for the beat. The wait is rounded up to whole milliseconds,
/// so a tick starts up to about a millisecond after its beat (nodeagent_tick_lateness_seconds says how late).
/// </summary>
public sealed class TickThread : IDisposable
{
    private readonly object _gate = new();
    private readonly TickLoop _loop;
    private readonly Action? _onTurn;
    private readonly TimeSpan _longestWait;
    private readonly Thread _thread;
    private bool _isStopping;

    /// <param name="loop">Made with the system's clocks; from <see cref="Start"/> on owned by the thread.</param>
    /// <param name="onTurn">
    /// Called on the thread each time it comes round, for a watchdog: while a sampler hangs it is not called. Must neither block nor throw.
    /// </param>
    /// <param name="longestWait">The thread comes round at least this often, also where its beats are further apart. Null: at its beats.</param>
    public TickThread(TickLoop loop, Action? onTurn = null, TimeSpan? longestWait = null)
    {
        _loop = loop;
        _onTurn = onTurn;
        _longestWait = longestWait ?? TimeSpan.MaxValue;
        _thread = new Thread(Run) { Name = "tick", IsBackground = true };
    }

    public void Start() => _thread.Start();

    /// <summary>Lets the tick that is running finish and ends the thread. True: it ended within the time.</summary>
    public bool Stop(TimeSpan atMost)
    {
        lock (_gate)
        {
            _isStopping = true;
            Monitor.PulseAll(_gate);
        }

        return (_thread.ThreadState & ThreadState.Unstarted) != 0 || _thread.Join(atMost);
    }

    public void Dispose() => Stop(TimeSpan.FromSeconds(1)); // the thread is a background one: a sampler that hangs cannot keep the process

    private void Run()
    {
        while (true)
        {
            TimeSpan wait = _loop.Beat();
            _onTurn?.Invoke();
            int milliseconds = (int)Math.Ceiling((wait < _longestWait ? wait : _longestWait).TotalMilliseconds);
            lock (_gate)
            {
                if (!_isStopping && milliseconds > 0)
                {
                    Monitor.Wait(_gate, milliseconds);
                }

                if (_isStopping)
                {
                    return;
                }
            }
        }
    }
}
