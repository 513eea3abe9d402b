namespace NodeAgent.Journal.Writing;

/// <summary>When the journal commits by itself. <see cref="DurableLog.Commit"/> works under every policy.</summary>
public enum CommitMode
{
    /// <summary>Never; the owner calls <see cref="DurableLog.Commit"/>. For logs with one careful writer, and for simulation.</summary>
    None = 0,

    /// <summary>As soon as something was appended; what arrives meanwhile goes together with the next one.</summary>
    EveryBatch = 1,

    /// <summary>After a time or an amount, whichever comes first.</summary>
    Interval = 2,
}

/// <summary>A <see cref="CommitMode"/> with its limits.</summary>
public sealed record CommitPolicy
{
    private CommitPolicy(CommitMode mode, TimeSpan maxDelay, long maxBytes) => (Mode, MaxDelay, MaxBytes) = (mode, maxDelay, maxBytes);

    public static CommitPolicy None { get; } = new(CommitMode.None, Timeout.InfiniteTimeSpan, long.MaxValue);

    public static CommitPolicy EveryBatch { get; } = new(CommitMode.EveryBatch, TimeSpan.Zero, 0);

    public CommitMode Mode { get; }

    /// <summary>The longest time for which an appended record stays without a commit being tried.</summary>
    public TimeSpan MaxDelay { get; }

    /// <summary>So many uncommitted bytes start a commit at once.</summary>
    public long MaxBytes { get; }

    public static CommitPolicy Interval(TimeSpan maxDelay, long maxBytes)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(maxDelay, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThan(maxBytes, 1);
        return new(CommitMode.Interval, maxDelay, maxBytes);
    }
}
