using System.Buffers.Binary;
using NodeAgent.Journal.Checksums;

namespace NodeAgent.Journal.Segments;

/// <summary>What is at an offset of a block.</summary>
internal enum FragmentCheck
{
    Valid = 0,

    /// <summary>Nothing but zeros up to the block's end: nothing was written here (yet).</summary>
    End = 1,

    /// <summary>Something, but no fragment that verifies.</summary>
    Damaged = 2,
}

/// <summary>One record, or the piece of it that lies in one block. Offsets count from the start of the block.</summary>
internal readonly record struct Fragment(int Offset, int PayloadBytes, ushort Ordinal, byte Type, bool IsFirst, bool IsLast)
{
    /// <summary>The ordinal of a record that started in an earlier block.</summary>
    public const ushort Continuation = ushort.MaxValue;

    // The upper six bits of the flags byte are always these, so that few offsets need a checksum when a reader seeks the next fragment.
    private const byte Marker = 0b1010_0100;
    private const byte MarkerMask = 0b1111_1100;
    private const byte FirstFlag = 1;
    private const byte LastFlag = 2;

    public int PayloadOffset => Offset + SegmentFormat.FragmentHeaderBytes;

    public int EndOffset => PayloadOffset + PayloadBytes;

    /// <summary>The id of the record that this belongs to.</summary>
    public ulong RecordId(in BlockHeader block) =>
        Ordinal == Continuation ? block.FirstRecordId - 1 : block.FirstRecordId + Ordinal;

    /// <summary>Writes header and payload at <paramref name="destination"/>'s start.</summary>
    public static void Write(Span<byte> destination, uint key, ReadOnlySpan<byte> payload, ushort ordinal, byte type, bool first, bool last)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(destination[4..], (ushort)payload.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(destination[6..], ordinal);
        destination[8] = type;
        destination[9] = (byte)(Marker | (first ? FirstFlag : 0) | (last ? LastFlag : 0));
        payload.CopyTo(destination[SegmentFormat.FragmentHeaderBytes..]);
        int length = SegmentFormat.FragmentHeaderBytes + payload.Length;
        BinaryPrimitives.WriteUInt32LittleEndian(destination, Crc32C.Append(key, destination[4..length]));
    }

    public static FragmentCheck Read(ReadOnlySpan<byte> block, uint key, int offset, out Fragment fragment)
    {
        if (TryVerify(block, key, offset, out fragment)) return FragmentCheck.Valid;
        return block[offset..].ContainsAnyExcept((byte)0) ? FragmentCheck.Damaged : FragmentCheck.End;
    }

    /// <summary>
    /// The next fragment that verifies behind damage, or false. Its ordinal says how many records are missing between.
    /// </summary>
    public static bool TryFind(ReadOnlySpan<byte> block, uint key, int offset, out Fragment fragment)
    {
        for (; offset <= block.Length - SegmentFormat.FragmentHeaderBytes; offset++)
        {
            if (TryVerify(block, key, offset, out fragment)) return true;
        }

        fragment = default;
        return false;
    }

    private static bool TryVerify(ReadOnlySpan<byte> block, uint key, int offset, out Fragment fragment)
    {
        fragment = default;
        if (block.Length - offset < SegmentFormat.FragmentHeaderBytes) return false;

        ReadOnlySpan<byte> bytes = block[offset..];
        byte flags = bytes[9];
        int length = SegmentFormat.FragmentHeaderBytes + BinaryPrimitives.ReadUInt16LittleEndian(bytes[4..]);
        if ((flags & MarkerMask) != Marker || length > bytes.Length) return false;
        if (BinaryPrimitives.ReadUInt32LittleEndian(bytes) != Crc32C.Append(key, bytes[4..length])) return false;

        fragment = new Fragment(
            offset,
            length - SegmentFormat.FragmentHeaderBytes,
            BinaryPrimitives.ReadUInt16LittleEndian(bytes[6..]),
            bytes[8],
            (flags & FirstFlag) != 0,
            (flags & LastFlag) != 0);
        return true;
    }
}
