namespace NodeAgent.Journal;

/// <summary>How an append ended.</summary>
public enum AppendOutcome
{
    /// <summary>Taken, and in memory so far. Only <see cref="DurableLog.TryAppend"/> says so.</summary>
    Pending = 0,

    /// <summary>On the disk.</summary>
    Durable = 1,

    /// <summary>
    /// The disk fails. With an id: the record is in memory and will be written if the disk heals, but nothing may be promised.
    /// Without (0): it was not taken.
    /// </summary>
    Degraded = 2,

    /// <summary>Not taken: <see cref="JournalOptions.MaxPendingBytes"/> are waiting for the disk.</summary>
    Full = 3,

    /// <summary>Not taken: larger than <see cref="JournalOptions.MaxRecordBytes"/> or than a segment.</summary>
    TooLarge = 4,

    /// <summary>Not taken, or not durable when the journal was closed.</summary>
    Closed = 5,
}

/// <param name="Outcome">How it ended.</param>
/// <param name="Id">The record's id; 0 when it was not taken.</param>
public readonly record struct AppendResult(AppendOutcome Outcome, ulong Id)
{
    /// <summary>The record has an id and its place in the order.</summary>
    public bool IsTaken => Id != 0;

    public bool IsDurable => Outcome == AppendOutcome.Durable;
}
