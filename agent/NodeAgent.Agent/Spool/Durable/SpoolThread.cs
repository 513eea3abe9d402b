namespace NodeAgent.Agent.Spool;

/// <summary>
/// Sees to it that the spool's disk is fed. In a healthy second that is done by the thread that appended (<see cref="Turn"/>), which saves
/// a wake-up; the thread here does what remains: retries, upkeep that takes longer, and everything while the other one may not wait.
/// </summary>
internal sealed class SpoolThread : IDisposable
{
    private readonly DurableSpool _spool;
    private readonly AutoResetEvent _work = new(false);
    private readonly Lock _pumping = new(); // held as long as the disk takes
    private readonly Thread _thread;
    private volatile bool _stop;

    internal SpoolThread(DurableSpool spool)
    {
        _spool = spool;
        _thread = new Thread(Run) { Name = "spool", IsBackground = true };
        _thread.Start();
    }

    /// <summary>Something was appended. Writes and syncs it on the calling thread if that may wait for the disk, else on the one here.</summary>
    internal void Turn(bool mayWait)
    {
        // Whoever is at it may have looked before the newest record came.
        if (!mayWait || !_pumping.TryEnter())
        {
            _work.Set();
            return;
        }

        bool isDone;
        try
        {
            isDone = _stop || _spool.Pump() == Timeout.InfiniteTimeSpan;
        }
        finally
        {
            _pumping.Exit();
        }

        if (!isDone)
        {
            _work.Set();
        }
    }

    /// <summary>Writes what is left and gives up the files, unless the disk does not answer within the limit.</summary>
    /// <returns>False: a thread still waits for the disk; what it holds is lost when the process ends.</returns>
    internal bool Stop(TimeSpan limit)
    {
        _stop = true;
        _work.Set();
        return _thread.Join(limit);
    }

    public void Dispose()
    {
        if (Stop(TimeSpan.FromSeconds(2)))
        {
            _work.Dispose();
        }
    }

    private void Run()
    {
        while (!_stop)
        {
            TimeSpan wait;
            lock (_pumping)
            {
                wait = _spool.Pump();
            }

            if (wait != TimeSpan.Zero)
            {
                _work.WaitOne(wait);
            }
        }

        lock (_pumping)
        {
            _spool.Close();
        }
    }
}
