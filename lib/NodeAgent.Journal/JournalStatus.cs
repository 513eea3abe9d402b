using NodeAgent.Journal.Files;

namespace NodeAgent.Journal;

/// <summary>Where a journal stands with its disk.</summary>
public enum JournalState
{
    /// <summary>The last commit worked, or none was tried yet.</summary>
    Healthy = 0,

    /// <summary>Two attempts in a row failed. Records are held in memory until it is full; the disk is tried again after a while.</summary>
    Degraded = 1,

    Closed = 2,
}

/// <summary>A file call that failed.</summary>
/// <param name="Operation">What was being done, like "sync segment".</param>
/// <param name="Path">The file or directory.</param>
/// <param name="Errno">An <see cref="Files.Errno"/> number.</param>
public sealed record JournalError(string Operation, string Path, int Errno)
{
    public override string ToString() => $"{Operation} {Path}: {Files.Errno.Name(Errno)}";
}

/// <summary>A journal at one moment. Ids are 0 where there is none.</summary>
public readonly record struct JournalStatus
{
    public required JournalState State { get; init; }

    /// <summary>The last failure while degraded, else null.</summary>
    public required JournalError? Error { get; init; }

    /// <summary>The oldest record that is held; <see cref="NextId"/> when none is.</summary>
    public required ulong FirstHeldId { get; init; }

    /// <summary>The id that the next appended record gets.</summary>
    public required ulong NextId { get; init; }

    /// <summary>All records up to this one were given to the operating system: they survive the end of the process.</summary>
    public required ulong WrittenId { get; init; }

    /// <summary>All records up to this one survive a power cut.</summary>
    public required ulong DurableId { get; init; }

    /// <summary>Bytes in segment files.</summary>
    public required long DiskBytes { get; init; }

    /// <summary>Bytes in memory that are not durable yet.</summary>
    public required long PendingBytes { get; init; }

    public required int Segments { get; init; }

    public required JournalCounters Counters { get; init; }
}

/// <summary>Counts since the journal was opened; they only grow.</summary>
public readonly record struct JournalCounters
{
    public required long AppendedRecords { get; init; }

    public required long AppendedBytes { get; init; }

    /// <summary>Appends refused because memory was full, the record too large, or the journal degraded (async) or closed.</summary>
    public required long RefusedRecords { get; init; }

    /// <summary>Commits that reached the disk. Less than the records: that is group commit.</summary>
    public required long Syncs { get; init; }

    /// <summary>Failed fsync and fdatasync calls, of files and directories (<c>storage_fsync_errors_total</c>).</summary>
    public required long SyncErrors { get; init; }

    /// <summary>Failed calls that make, extend or write a segment.</summary>
    public required long WriteErrors { get; init; }

    /// <summary>Failed calls that only tidy (truncate, close, delete, preallocate): nothing is lost by them but room.</summary>
    public required long TidyErrors { get; init; }

    /// <summary>Segments sealed because a call on them failed.</summary>
    public required long AbandonedSegments { get; init; }

    /// <summary>Records written again into a new segment after a failure.</summary>
    public required long RewrittenRecords { get; init; }

    /// <summary>Changes into, and out of, the degraded state.</summary>
    public required long Degradations { get; init; }

    public required long Recoveries { get; init; }

    /// <summary>Unreleased records that a byte or age limit deleted.</summary>
    public required long DroppedRecords { get; init; }

    public required long DeletedSegments { get; init; }

    /// <summary>Records that were held in segment files which somebody else removed while the journal was open.</summary>
    public required long VanishedRecords { get; init; }
}
