namespace NodeAgent.Journal.Segments;

/// <summary>The numbers of docs/formats/journal.md. They are on disks: none may change, a new version gets new ones.</summary>
internal static class SegmentFormat
{
    public const int Version = 1;

    /// <summary>The unit of damage: each block stands on its own.</summary>
    public const int BlockBytes = 64 * 1024;

    /// <summary>A record larger than what is left of its block goes on in the next, in pieces that each have such a header.</summary>
    public const int FragmentHeaderBytes = 10;

    /// <summary>A fragment's room in a block that holds nothing else.</summary>
    public const int MaxFragmentPayloadBytes = BlockBytes - BlockHeader.Bytes - FragmentHeaderBytes;

    /// <summary>At least two blocks, so that a block can be left and another begun without a new file.</summary>
    public const int MinSegmentBytes = 2 * BlockBytes;

    /// <summary>The largest record that fits into an otherwise empty segment.</summary>
    public static long MaxRecordBytes(long segmentBytes) => segmentBytes / BlockBytes * MaxFragmentPayloadBytes;
}
