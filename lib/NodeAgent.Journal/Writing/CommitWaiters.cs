using System.Threading.Tasks.Sources;

namespace NodeAgent.Journal.Writing;

/// <summary>One append that waits for the disk; used again afterwards.</summary>
internal sealed class CommitWaiter(CommitWaiters owner) : IValueTaskSource<AppendResult>
{
    // Continuations run elsewhere: the committing thread must not do the appenders' work while others wait for the next commit.
    private ManualResetValueTaskSourceCore<AppendResult> _core = new() { RunContinuationsAsynchronously = true };

    public ulong Id { get; set; }

    public CommitWaiter? Next { get; set; }

    public ValueTask<AppendResult> Task => new(this, _core.Version);

    public void Complete(AppendResult result) => _core.SetResult(result);

    public ValueTaskSourceStatus GetStatus(short token) => _core.GetStatus(token);

    public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);

    public AppendResult GetResult(short token)
    {
        AppendResult result = _core.GetResult(token);
        _core.Reset();
        owner.Recycle(this);
        return result;
    }
}

/// <summary>
/// Appends that wait for the disk, in the order of their ids. <see cref="Add"/> and <see cref="TakeUpTo"/> are called under the
/// append lock.
/// </summary>
internal sealed class CommitWaiters
{
    // As many as may wait at once in practice; more are made and dropped.
    private const int MaxSpare = 4096;

    private readonly Lock _spareLock = new();
    private readonly Stack<CommitWaiter> _spare = new();
    private CommitWaiter? _first;
    private CommitWaiter? _last;

    public ValueTask<AppendResult> Add(ulong id)
    {
        CommitWaiter waiter = Rent();
        waiter.Id = id;
        if (_last is null) _first = waiter;
        else _last.Next = waiter;
        _last = waiter;
        return waiter.Task;
    }

    /// <summary>Unlinks and returns the chain of those with an id up to this one.</summary>
    public CommitWaiter? TakeUpTo(ulong id)
    {
        CommitWaiter? taken = _first;
        CommitWaiter? end = null;
        while (_first is not null && _first.Id <= id)
        {
            end = _first;
            _first = _first.Next;
        }

        if (end is null) return null;
        end.Next = null;
        if (_first is null) _last = null;
        return taken;
    }

    public static void Complete(CommitWaiter? chain, AppendOutcome outcome)
    {
        while (chain is not null)
        {
            // Completing hands the waiter back to its awaiter, which may put it into another chain at once.
            CommitWaiter? next = chain.Next;
            chain.Next = null;
            chain.Complete(new AppendResult(outcome, chain.Id));
            chain = next;
        }
    }

    public void Recycle(CommitWaiter waiter)
    {
        lock (_spareLock)
        {
            if (_spare.Count < MaxSpare) _spare.Push(waiter);
        }
    }

    private CommitWaiter Rent()
    {
        lock (_spareLock) return _spare.TryPop(out CommitWaiter? spare) ? spare : new CommitWaiter(this);
    }
}
