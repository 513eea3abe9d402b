using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace NodeAgent.Aggregator.Ingest;

/// <summary>
/// The one thread that commits. It sleeps until something was taken, lets more gather for a moment, commits all of it with one fsync,
/// and wakes the streams that wait for that.
/// </summary>
[SuppressMessage("Usage", "CA2213", Justification = "Callbacks of the last commit run on the pool and may signal after the end; closed under them, the event would end the process.")]
internal sealed class CommitLoop : IDisposable
{
    private readonly IngestCore _core;
    private readonly TimeSpan _window;
    private readonly Action<bool> _onHealth;
    private readonly ConcurrentQueue<Action> _waiting = new();
    private readonly AutoResetEvent _work = new(initialState: false);
    private readonly ManualResetEventSlim _stopped = new(initialState: false);
    private readonly Thread _thread;
    private int _isSignalled;
    private bool _isHealthy = true;

    /// <param name="core">What is committed.</param>
    /// <param name="window">How long records gather before a commit; zero: not at all.</param>
    /// <param name="onHealth">Called when the disk begins to fail (false) and when it works again (true).</param>
    internal CommitLoop(IngestCore core, TimeSpan window, Action<bool> onHealth)
    {
        _core = core;
        _window = window;
        _onHealth = onHealth;
        _thread = new Thread(Run) { Name = "wal-commit", IsBackground = true };
        _thread.Start();
    }

    /// <summary>Something was taken.</summary>
    internal void Signal()
    {
        if (Volatile.Read(ref _isSignalled) == 0 && Interlocked.Exchange(ref _isSignalled, 1) == 0)
        {
            _work.Set();
        }
    }

    /// <summary>Calls back, on a pool thread, after the next commit that begins from now on, whether it succeeds or not.</summary>
    internal void CallAfterCommit(Action callback)
    {
        _waiting.Enqueue(callback);
        Signal();
    }

    /// <summary>Commits what is there and ends the thread.</summary>
    public void Dispose()
    {
        _stopped.Set();
        _work.Set();
        _thread.Join();
        _stopped.Dispose();
    }

    private void Run()
    {
        bool isStopping;
        do
        {
            // A failing disk is tried again although nobody sends anything.
            _work.WaitOne(_isHealthy ? Timeout.InfiniteTimeSpan : _core.Options.RetryDelay / 5);
            isStopping = _stopped.Wait(_window);
            Volatile.Write(ref _isSignalled, 0);
            CommitOnce();
        }
        while (!isStopping);
    }

    private void CommitOnce()
    {
        int callbacks = _waiting.Count;
        bool isHealthy = _core.Commit();
        if (isHealthy != _isHealthy)
        {
            _isHealthy = isHealthy;
            _onHealth(isHealthy);
        }

        for (; callbacks > 0 && _waiting.TryDequeue(out Action? callback); callbacks--)
        {
            ThreadPool.UnsafeQueueUserWorkItem(static call => call(), callback, preferLocal: false);
        }
    }
}
