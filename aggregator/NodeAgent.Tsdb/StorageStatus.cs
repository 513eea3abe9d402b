using NodeAgent.Journal;

namespace NodeAgent.Tsdb;

/// <summary>What a durable store's files are and what happened to them. Counters count since the store was opened.</summary>
public sealed record StorageStatus
{
    /// <summary>The last call that the disk refused; null: the last change of files went well.</summary>
    public JournalError? Error { get; init; }

    /// <summary>Segments of samples as they came, of minutes, of hours.</summary>
    public int RawSegments { get; init; }

    public int MinuteSegments { get; init; }

    public int HourSegments { get; init; }

    /// <summary>Bytes of all files.</summary>
    public long DiskBytes { get; init; }

    /// <summary>Memory of closed blocks that are in no file yet.</summary>
    public long WaitingBlockBytes { get; init; }

    /// <summary>Writes of closed blocks into files, and those that the disk refused (the blocks are kept and written later).</summary>
    public long Flushes { get; init; }

    public long FailedFlushes { get; init; }

    /// <summary>Merges, and those that were given up and are tried again.</summary>
    public long Merges { get; init; }

    public long FailedMerges { get; init; }

    /// <summary>What stopped a merge though no disk refused a call: a file that contradicts itself, which is a bug. Null: nothing did.</summary>
    public string? MergeFault { get; init; }

    /// <summary>Samples dropped because they were older than raw samples are kept, and for want of room.</summary>
    public long SamplesExpired { get; init; }

    public long SamplesDroppedForRoom { get; init; }

    /// <summary>Series that were forgotten before their samples were gone, because too many came and went.</summary>
    public long SeriesForgotten { get; init; }

    /// <summary>Series that nobody feeds any more and that are still findable.</summary>
    public int InactiveSeries { get; init; }

    /// <summary>Every row of the log up to this id is in files.</summary>
    public ulong DurableWalId { get; init; }

    /// <summary>Why segments were set aside because they are damaged: file and reason, oldest first.</summary>
    public IReadOnlyList<string> Quarantined { get; init; } = [];

    /// <summary>Files found at opening that nothing named: leftovers of a crash.</summary>
    public long Orphans { get; init; }

    /// <summary>Files that should be gone and could not be deleted or moved.</summary>
    public long Undeleted { get; init; }

    /// <summary>Schemas of the manifest that break today's rules; their samples are not served.</summary>
    public long UnknownSchemas { get; init; }

    /// <summary>Stretches left out of an answer because their bytes are wrong, each time.</summary>
    public long DamagedReads { get; init; }

    /// <summary>Stretches left out of an answer because the disk refused to read them, each time.</summary>
    public long UnreadableReads { get; init; }

    /// <summary>Stretches whose bytes were right only when they were read again.</summary>
    public long RepeatedReads { get; init; }
}
