namespace NodeAgent.Actuation.Ledger;

/// <summary>How the command journal is kept.</summary>
public sealed record LedgerOptions
{
    /// <summary>Its directory, for it alone. Mode 0700; the actuator is the only one that may write there.</summary>
    public required string Directory { get; init; }

    /// <summary>
    /// Beyond this the oldest records are let go, after a checkpoint of all that still counts. Default 32 MiB: some twenty thousand commands,
    /// read again in well under a second at each start.
    /// </summary>
    public long CompactBytes { get; init; } = 32 << 20;

    /// <summary>Records that stay when older ones go, for people who ask what happened. Default 10,000.</summary>
    public ulong KeepRecords { get; init; } = 10_000;

    /// <summary>Size of a segment; room is freed in this unit. Default 4 MiB.</summary>
    public long SegmentBytes { get; init; } = 4 << 20;
}
