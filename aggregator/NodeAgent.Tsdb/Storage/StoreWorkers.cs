namespace NodeAgent.Tsdb.Storage;

/// <summary>
/// The store's two threads: one writes segments, which must go on while the other merges them, which can take minutes. Both sleep until
/// they are told the time, and tell nobody the time themselves.
/// </summary>
internal sealed class StoreWorkers : IDisposable
{
    private readonly Worker _writer;
    private readonly Worker _merger;

    public StoreWorkers(Action<long> write, Action<long> merge)
    {
        _writer = new Worker("tsdb-write", canWait: false, write);
        _merger = new Worker("tsdb-merge", canWait: true, merge);
    }

    /// <summary>Lets both do what is due at a time. Returns at once.</summary>
    public void Wake(long nowUnixMs)
    {
        _writer.Wake(nowUnixMs);
        _merger.Wake(nowUnixMs);
    }

    /// <summary>Waits for what they are at.</summary>
    public void Dispose()
    {
        _writer.Dispose();
        _merger.Dispose();
    }

    private sealed class Worker : IDisposable
    {
        private readonly Lock _gate = new();
        private readonly AutoResetEvent _wake = new(false);
        private readonly Thread _thread;
        private readonly Action<long> _work;
        private readonly bool _canWait;
        private long _nowUnixMs;
        private volatile bool _stopping;

        public Worker(string name, bool canWait, Action<long> work)
        {
            _work = work;
            _canWait = canWait;
            _thread = new Thread(Run) { Name = name, IsBackground = true };
            _thread.Start();
        }

        public void Wake(long nowUnixMs)
        {
            lock (_gate)
            {
                _nowUnixMs = nowUnixMs;
            }

            _wake.Set();
        }

        public void Dispose()
        {
            _stopping = true;
            _wake.Set();
            _thread.Join();
            _wake.Dispose();
        }

        private void Run()
        {
            if (_canWait)
            {
                BackgroundThread.LowerPriority();
            }

            while (true)
            {
                _wake.WaitOne();
                if (_stopping)
                {
                    return;
                }

                long now;
                lock (_gate)
                {
                    now = _nowUnixMs;
                }

                _work(now);
            }
        }
    }
}
