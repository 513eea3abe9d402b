using System.Numerics;
using System.Runtime.InteropServices;

namespace NodeAgent.Tsdb.Chunks;

/// <summary>
/// Doubles that are not decimals: each XORed with the one before. The first stands whole, so every chunk can be read alone and
/// damage stays in one chunk; then groups of 32 share the position and width of the bits that differ, so one odd value (NaN
/// among ratios) costs its group, not its chunk. Full-precision values cost about 6.7 bytes, any value at most 8.1.
/// Layout: first value; per group: number of common zero bits at the low end, width, packed numbers.
/// </summary>
internal static class XorCodec
{
    private const int Group = 32;

    public static void Encode(ReadOnlySpan<double> values, ChunkWriter writer)
    {
        ReadOnlySpan<ulong> bits = MemoryMarshal.Cast<double, ulong>(values);
        writer.WriteUInt64(bits[0]);
        Span<long> changes = stackalloc long[Group];
        for (int start = 1; start < bits.Length; start += Group)
        {
            int count = Math.Min(Group, bits.Length - start);
            ulong any = 0;
            for (int i = 0; i < count; i++)
            {
                ulong change = bits[start + i] ^ bits[start + i - 1];
                changes[i] = (long)change;
                any |= change;
            }

            int low = any == 0 ? 0 : BitOperations.TrailingZeroCount(any);
            int width = BitPacking.WidthOf(any >> low);
            for (int i = 0; i < count; i++)
            {
                changes[i] >>>= low;
            }

            writer.WriteByte((byte)low);
            writer.WriteByte((byte)width);
            if (width > 0)
            {
                BitPacking.Pack(changes[..count], 0, width, writer.Take(BitPacking.ByteCount(count, width)));
            }
        }
    }

    public static void Decode(ref ChunkReader reader, Span<double> into)
    {
        Span<ulong> bits = MemoryMarshal.Cast<double, ulong>(into);
        ulong value = reader.ReadUInt64();
        bits[0] = value;
        for (int start = 1; start < bits.Length; start += Group)
        {
            Span<ulong> changes = bits.Slice(start, Math.Min(Group, bits.Length - start));
            int low = reader.ReadByte();
            int width = reader.ReadByte();
            BitPacking.Unpack(reader.Take(BitPacking.ByteCount(changes.Length, width)), width, changes);
            for (int i = 0; i < changes.Length; i++)
            {
                value ^= changes[i] << low;
                changes[i] = value;
            }
        }
    }
}
