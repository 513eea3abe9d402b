using System.Buffers.Binary;
using NodeAgent.Journal.Checksums;

namespace NodeAgent.Journal.Segments;

/// <summary>What the first 64 bytes of something that should be a block turned out to be.</summary>
internal enum BlockHeaderCheck
{
    Valid = 0,

    /// <summary>Not a header, or a damaged one.</summary>
    Invalid = 1,

    /// <summary>Intact, but written by a later version.</summary>
    NewerVersion = 2,
}

/// <summary>
/// Begins every 64 KiB block, the first of a segment as well as the others. It is at once the file's identity, the place where a reader
/// finds its way again after damage, and the key of the checksums that follow: they start from this header's own checksum, so that a
/// record which was written for another journal, segment or block never verifies here.
/// </summary>
/// <param name="JournalId">The same in all blocks of a journal.</param>
/// <param name="SegmentNumber">Grows by at least one from segment to segment.</param>
/// <param name="BlockIndex">0 for the first block of the segment.</param>
/// <param name="FirstRecordId">The id of the first record that starts in this block or, if none does, of the next one after it.</param>
/// <param name="Floor">All records with a smaller id had been released when the block was begun.</param>
/// <param name="WrittenUnixSeconds">When the block was begun.</param>
internal readonly record struct BlockHeader(
    Guid JournalId, ulong SegmentNumber, uint BlockIndex, ulong FirstRecordId, ulong Floor, uint WrittenUnixSeconds)
{
    public const int Bytes = 64;

    private const int ChecksumOffset = 60;

    // Not text (first byte), and altered by whoever converts line ends or stops at Ctrl-Z, as in PNG's signature.
    private static ReadOnlySpan<byte> Magic => [0x8F, (byte)'N', (byte)'A', (byte)'J', (byte)'B', 0x0D, 0x0A, 0x1A];

    /// <summary>Writes the header and returns its checksum, which keys the block's records.</summary>
    public uint Write(Span<byte> block)
    {
        Magic.CopyTo(block);
        BinaryPrimitives.WriteUInt16LittleEndian(block[8..], SegmentFormat.Version);
        BinaryPrimitives.WriteUInt16LittleEndian(block[10..], Bytes);
        BinaryPrimitives.WriteUInt32LittleEndian(block[12..], BlockIndex);
        JournalId.TryWriteBytes(block.Slice(16, 16), bigEndian: true, out _);
        BinaryPrimitives.WriteUInt64LittleEndian(block[32..], SegmentNumber);
        BinaryPrimitives.WriteUInt64LittleEndian(block[40..], FirstRecordId);
        BinaryPrimitives.WriteUInt64LittleEndian(block[48..], Floor);
        BinaryPrimitives.WriteUInt32LittleEndian(block[56..], WrittenUnixSeconds);
        uint key = Crc32C.Compute(block[..ChecksumOffset]);
        BinaryPrimitives.WriteUInt32LittleEndian(block[ChecksumOffset..], key);
        return key;
    }

    public static BlockHeaderCheck Read(ReadOnlySpan<byte> block, out BlockHeader header, out uint key)
    {
        header = default;
        key = 0;
        if (block.Length < Bytes || !block.StartsWith(Magic)) return BlockHeaderCheck.Invalid;

        key = BinaryPrimitives.ReadUInt32LittleEndian(block[ChecksumOffset..]);
        if (key != Crc32C.Compute(block[..ChecksumOffset])) return BlockHeaderCheck.Invalid;
        if (BinaryPrimitives.ReadUInt16LittleEndian(block[8..]) != SegmentFormat.Version) return BlockHeaderCheck.NewerVersion;

        header = new BlockHeader(
            new Guid(block.Slice(16, 16), bigEndian: true),
            BinaryPrimitives.ReadUInt64LittleEndian(block[32..]),
            BinaryPrimitives.ReadUInt32LittleEndian(block[12..]),
            BinaryPrimitives.ReadUInt64LittleEndian(block[40..]),
            BinaryPrimitives.ReadUInt64LittleEndian(block[48..]),
            BinaryPrimitives.ReadUInt32LittleEndian(block[56..]));
        return BlockHeaderCheck.Valid;
    }
}
