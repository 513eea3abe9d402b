namespace NodeAgent.Journal.Writing;

/// <summary>
/// Starts commits when the policy says so, each on a pool thread or in a timer's callback, at most one waiting at a time: what is appended
/// while one runs goes with the next.
/// </summary>
internal sealed class CommitSchedule : IThreadPoolWorkItem, IDisposable
{
    private readonly CommitPolicy _policy;
    private readonly TimeSpan _retryDelay;
    private readonly Func<CommitOutcome> _commit;
    private readonly ITimer? _timer;
    private int _queued;
    private int _armed;

    public CommitSchedule(CommitPolicy policy, TimeSpan retryDelay, TimeProvider time, Func<CommitOutcome> commit)
    {
        _policy = policy;
        _retryDelay = retryDelay;
        _commit = commit;
        if (policy.Mode == CommitMode.None) return;
        _timer = time.CreateTimer(static self => ((CommitSchedule)self!).OnTimer(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Called after each append, outside all locks.</summary>
    public void OnAppended(long pendingBytes)
    {
        if (_policy.Mode == CommitMode.None) return;
        if (_policy.Mode == CommitMode.EveryBatch || pendingBytes >= _policy.MaxBytes) Queue();
        else if (Interlocked.Exchange(ref _armed, 1) == 0) _timer!.Change(_policy.MaxDelay, Timeout.InfiniteTimeSpan);
    }

    public void Execute()
    {
        // Before the commit: what is appended from here on needs another one.
        Volatile.Write(ref _queued, 0);
        Commit();
    }

    public void Dispose() => _timer?.Dispose();

    private void Queue()
    {
        if (Interlocked.Exchange(ref _queued, 1) == 0) ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    private void OnTimer()
    {
        Volatile.Write(ref _armed, 0);
        Commit();
    }

    private void Commit()
    {
        if (_commit() != CommitOutcome.Degraded) return;
        // A degraded journal is looked after even if nobody appends.
        if (Interlocked.Exchange(ref _armed, 1) == 0) _timer!.Change(_retryDelay, Timeout.InfiniteTimeSpan);
    }
}
