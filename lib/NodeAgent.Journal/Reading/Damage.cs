namespace NodeAgent.Journal.Reading;

/// <summary>What kind of harm was found.</summary>
public enum DamageKind
{
    /// <summary>Bytes that do not verify.</summary>
    CorruptBytes = 0,

    /// <summary>A block whose header does not verify; nothing in it can be read.</summary>
    CorruptBlock = 1,

    /// <summary>Records that should be there by their ids, without any bad byte in their place: cut off, zeroed, or a missing file.</summary>
    MissingRecords = 2,

    /// <summary>The disk refused to read.</summary>
    Unreadable = 3,
}

/// <summary>One place where a journal is harmed, and what it cost.</summary>
/// <param name="Segment">Number of the segment; for missing records that of the one before which they are missed.</param>
/// <param name="Offset">Of the first bad byte in the segment file.</param>
/// <param name="Bytes">Bad bytes; 0 for missing records.</param>
/// <param name="FirstLostId">The first record lost by it; 0 when none was.</param>
/// <param name="LostRecords">How many records were lost by it, exactly; 0 when it hit no record.</param>
public sealed record Damage(DamageKind Kind, ulong Segment, long Offset, long Bytes, ulong FirstLostId, ulong LostRecords);
