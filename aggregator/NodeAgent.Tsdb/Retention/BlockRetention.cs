using NodeAgent.Tsdb.Head;

namespace NodeAgent.Tsdb.Retention;

/// <summary>
/// Drops blocks, oldest first over all schemas, by age and by bytes, and counts every sample it drops. A block is as old as its
/// newest row. Writers only push into <see cref="StoreAccounts.Closed"/>; all work here is done by whoever holds the gate.
/// </summary>
internal sealed class BlockRetention(StoreAccounts accounts)
{
    private readonly Lock _gate = new();
    private readonly PriorityQueue<ClosedBlock, (long LastUnixMs, long Sequence)> _oldestFirst = new();
    private long _sequence;
    private int _queued; // _oldestFirst.Count, for readers outside the gate
    private long _evictedByAge;
    private long _evictedByBytes;

    /// <summary>Samples dropped because of their age.</summary>
    public long EvictedByAge => Interlocked.Read(ref _evictedByAge);

    /// <summary>Samples dropped because of the byte limit.</summary>
    public long EvictedByBytes => Interlocked.Read(ref _evictedByBytes);

    /// <summary>Drops what is older than a time, then what is over the limit.</summary>
    public void Enforce(long oldestUnixMs, long fixedBytes)
    {
        lock (_gate)
        {
            TakeInNeedsLock();
            while (_oldestFirst.TryPeek(out _, out (long LastUnixMs, long) age) && age.LastUnixMs < oldestUnixMs)
            {
                EvictOldestNeedsLock(ref _evictedByAge);
            }

            EvictOverLimitNeedsLock(fixedBytes);
        }
    }

    /// <summary>
    /// As the second half of <see cref="Enforce"/>, for writers, so that the limit holds between two calls of it: a few reads while
    /// there is room, and nothing if another thread is at it.
    /// </summary>
    public void TryEnforceBytes(long fixedBytes)
    {
        bool canDrop = Volatile.Read(ref _queued) > 0 || !accounts.Closed.IsEmpty;
        if (!IsOverLimit(fixedBytes) || !canDrop || !_gate.TryEnter())
        {
            return;
        }

        try
        {
            TakeInNeedsLock();
            EvictOverLimitNeedsLock(fixedBytes);
        }
        finally
        {
            _gate.Exit();
        }
    }

    private bool IsOverLimit(long fixedBytes) => accounts.HeadBytes + accounts.BlockBytes + fixedBytes > accounts.Options.MaxBytes;

    private void TakeInNeedsLock()
    {
        while (accounts.Closed.TryDequeue(out ClosedBlock closed))
        {
            _oldestFirst.Enqueue(closed, (closed.Block.LastUnixMs, _sequence++));
        }
    }

    private void EvictOverLimitNeedsLock(long fixedBytes)
    {
        while (_oldestFirst.Count > 0 && IsOverLimit(fixedBytes))
        {
            EvictOldestNeedsLock(ref _evictedByBytes);
        }

        Volatile.Write(ref _queued, _oldestFirst.Count);
    }

    private void EvictOldestNeedsLock(ref long counter)
    {
        ClosedBlock oldest = _oldestFirst.Dequeue();
        if (oldest.Schema.Evict(oldest.Part, oldest.Block))
        {
            Interlocked.Add(ref counter, oldest.Block.Samples);
        }
    }
}
