namespace NodeAgent.Tsdb.Segments;

/// <summary>What reading files met, over all readers of a store.</summary>
internal sealed class ReadCounters
{
    private long _reread;
    private long _damaged;
    private long _unreadable;

    /// <summary>Stretches whose checksum held only the second time.</summary>
    public long Reread => Interlocked.Read(ref _reread);

    /// <summary>Stretches left out of an answer because their bytes are wrong. Counted each time.</summary>
    public long Damaged => Interlocked.Read(ref _damaged);

    /// <summary>Stretches left out of an answer because the disk refused to read them.</summary>
    public long Unreadable => Interlocked.Read(ref _unreadable);

    public void AddReread() => Interlocked.Increment(ref _reread);

    public void AddDamaged() => Interlocked.Increment(ref _damaged);

    public void AddUnreadable() => Interlocked.Increment(ref _unreadable);
}
