namespace NodeAgent.Journal.Reading;

/// <summary>
/// What was found when a journal was opened. It describes the state of the files: harm that is still there is reported at every opening,
/// until the segments that have it are released.
/// </summary>
public sealed record RecoveryReport
{
    /// <summary>The journal's id, found or new.</summary>
    public required Guid JournalId { get; init; }

    public required int Segments { get; init; }

    /// <summary>Whole records that can be read.</summary>
    public required ulong Records { get; init; }

    /// <summary>The oldest id that was not released, as far as the files say.</summary>
    public required ulong Floor { get; init; }

    /// <summary>The id that the next record gets.</summary>
    public required ulong NextId { get; init; }

    /// <summary>Unreleased records that are no more, counted by their ids; the sum over <see cref="Damages"/>.</summary>
    public required ulong LostRecords { get; init; }

    /// <summary>
    /// Ids between the floor and the oldest segment. Somebody removed the oldest segments, or they were released while the disk refused
    /// to note it, or the note itself was damaged. Not in <see cref="LostRecords"/>; reported once, and taken for released from then on.
    /// </summary>
    public required ulong MissingAtHead { get; init; }

    /// <summary>Bytes of an unfinished end, cut off. They had never been durable, unless the disk broke its word.</summary>
    public required long TornBytes { get; init; }

    public required IReadOnlyList<Damage> Damages { get; init; }

    /// <summary>Files and pieces that were put into <c>quarantine/</c>, by name.</summary>
    public required IReadOnlyList<string> Quarantined { get; init; }

    /// <summary>Bytes that should have been put there and were not, for want of room or because a call failed.</summary>
    public required long NotQuarantinedBytes { get; init; }
}
