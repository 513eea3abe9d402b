using System.Buffers.Binary;
using NodeAgent.Journal.Checksums;

namespace NodeAgent.Tsdb.Segments;

/// <summary>The fixed parts of a segment file; docs/formats/segment.md draws them.</summary>
internal static class SegmentFormat
{
    public const int HeaderBytes = 32;
    public const int TrailerBytes = 128;
    public const ushort Version = 1;

    /// <summary>Entries of an index page: a look-up decodes at most so many, and the directory in memory has 24 bytes for each page.</summary>
    public const int PageEntries = 128;

    /// <summary>The key under which time columns are found; sorts behind every metric.</summary>
    public const int TimeMetric = int.MaxValue;

    /// <summary>Not text, "NASG", CR LF, Ctrl-Z: damaged by whatever takes it for text.</summary>
    public static ReadOnlySpan<byte> Magic => [0x8E, (byte)'N', (byte)'A', (byte)'S', (byte)'G', 0x0D, 0x0A, 0x1A];

    public static void WriteHeader(Span<byte> into, long number, SegmentKind kind)
    {
        into[..HeaderBytes].Clear();
        Magic.CopyTo(into);
        BinaryPrimitives.WriteUInt16LittleEndian(into[8..], Version);
        BinaryPrimitives.WriteUInt16LittleEndian(into[10..], HeaderBytes);
        into[12] = (byte)kind;
        BinaryPrimitives.WriteInt64LittleEndian(into[16..], number);
        BinaryPrimitives.WriteUInt32LittleEndian(into[28..], Crc32C.Compute(into[..28]));
    }

    public static bool IsHeader(ReadOnlySpan<byte> bytes, SegmentInfo info) =>
        bytes.Length == HeaderBytes
        && bytes[..8].SequenceEqual(Magic)
        && BinaryPrimitives.ReadUInt32LittleEndian(bytes[28..]) == Crc32C.Compute(bytes[..28])
        && BinaryPrimitives.ReadUInt16LittleEndian(bytes[8..]) == Version
        && bytes[12] == (byte)info.Kind
        && BinaryPrimitives.ReadInt64LittleEndian(bytes[16..]) == info.Number;

    /// <summary>Writes the trailer and returns the segment's entry.</summary>
    public static SegmentInfo WriteTrailer(Span<byte> into, SegmentInfo info, long directoryOffset, int directoryBytes, uint directoryChecksum)
    {
        into[..TrailerBytes].Clear();
        BinaryPrimitives.WriteInt64LittleEndian(into, info.Number);
        into[8] = (byte)info.Kind;
        into[9] = (byte)info.Level;
        BinaryPrimitives.WriteUInt16LittleEndian(into[10..], Version);
        BinaryPrimitives.WriteInt64LittleEndian(into[16..], info.Sequence);
        BinaryPrimitives.WriteInt64LittleEndian(into[24..], info.WindowStartUnixMs);
        BinaryPrimitives.WriteInt64LittleEndian(into[32..], info.WindowEndUnixMs);
        BinaryPrimitives.WriteInt64LittleEndian(into[40..], info.FirstUnixMs);
        BinaryPrimitives.WriteInt64LittleEndian(into[48..], info.LastUnixMs);
        BinaryPrimitives.WriteInt64LittleEndian(into[56..], info.Samples);
        BinaryPrimitives.WriteInt64LittleEndian(into[64..], info.Length);
        BinaryPrimitives.WriteInt64LittleEndian(into[72..], directoryOffset);
        BinaryPrimitives.WriteInt32LittleEndian(into[80..], directoryBytes);
        BinaryPrimitives.WriteUInt32LittleEndian(into[84..], directoryChecksum);
        Magic.CopyTo(into[112..]);
        uint checksum = Crc32C.Compute(into[..120]);
        BinaryPrimitives.WriteUInt32LittleEndian(into[120..], checksum);
        return info with { Checksum = checksum };
    }

    /// <summary>Whether the trailer is whole and says what the index log says.</summary>
    public static bool TryReadTrailer(
        ReadOnlySpan<byte> bytes, SegmentInfo info, out long directoryOffset, out int directoryBytes, out uint directoryChecksum)
    {
        directoryOffset = BinaryPrimitives.ReadInt64LittleEndian(bytes[72..]);
        directoryBytes = BinaryPrimitives.ReadInt32LittleEndian(bytes[80..]);
        directoryChecksum = BinaryPrimitives.ReadUInt32LittleEndian(bytes[84..]);
        return bytes[112..120].SequenceEqual(Magic)
            && BinaryPrimitives.ReadUInt32LittleEndian(bytes[120..]) == info.Checksum
            && Crc32C.Compute(bytes[..120]) == info.Checksum
            && BinaryPrimitives.ReadInt64LittleEndian(bytes[64..]) == info.Length
            && directoryOffset >= HeaderBytes
            && directoryBytes >= 0
            && directoryOffset + directoryBytes == info.Length - TrailerBytes;
    }
}
