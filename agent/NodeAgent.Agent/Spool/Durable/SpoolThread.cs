namespace NodeAgent.Agent.Spool;

/// <summary>The thread that waits for the spool's disk, so that nobody else has to: woken by what is appended, once a tick.</summary>
internal sealed class SpoolThread : IDisposable
{
    private readonly DurableSpool _spool;
    private readonly AutoResetEvent _work = new(false);
    private readonly Thread _thread;
    private volatile bool _stop;

    internal SpoolThread(DurableSpool spool)
    {
        _spool = spool;
        _thread = new Thread(Run) { Name = "spool", IsBackground = true };
        spool.OnAppended = () => _work.Set();
        _thread.Start();
    }

    /// <summary>Writes what is left and gives up the files, unless the disk does not answer within the limit.</summary>
    /// <returns>False: the thread still waits for the disk; what it holds is lost when the process ends.</returns>
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
            TimeSpan wait = _spool.Pump();
            if (wait != TimeSpan.Zero)
            {
                _work.WaitOne(wait);
            }
        }

        _spool.Close();
    }
}
