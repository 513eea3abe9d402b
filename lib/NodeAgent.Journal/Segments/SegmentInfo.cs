namespace NodeAgent.Journal.Segments;

/// <summary>One segment file that belongs to the journal. Numbers change only under the commit lock; readers need none of those.</summary>
internal sealed class SegmentInfo(ulong number, string path, ulong firstId)
{
    public ulong Number { get; } = number;

    public string Path { get; } = path;

    /// <summary>The first record id it holds or, when it holds none, would hold. Records with this id or a later one in an older
    /// segment are superseded by this one.</summary>
    public ulong FirstId { get; } = firstId;

    /// <summary>The id after its last record.</summary>
    public ulong EndId { get; set; } = firstId;

    public long Bytes { get; set; }

    /// <summary>When its last block was begun, by the clock of that time.</summary>
    public uint WrittenUnixSeconds { get; set; }

    /// <summary>Its age when it was found at opening; what came since is added from a monotonic clock.</summary>
    public TimeSpan AgeAtBase { get; set; }

    /// <summary>The monotonic time stamp that belongs to <see cref="AgeAtBase"/>.</summary>
    public long BaseTimestamp { get; set; }
}
