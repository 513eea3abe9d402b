using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace NodeAgent.Tsdb.Chunks;

/// <summary>
/// Numbers of one common width, end to end, least significant bit first: number i occupies the bits <c>i * width</c> and up of the
/// little-endian stream.
/// </summary>
internal static class BitPacking
{
    /// <summary>Up to this width a number and its offset within a byte fit in one 64-bit word.</summary>
    private const int OneWordWidth = 57;

    /// <summary>Bits needed for a number; 0 for 0.</summary>
    public static int WidthOf(ulong value) => 64 - BitOperations.LeadingZeroCount(value);

    public static int ByteCount(int count, int width) => ((count * width) + 7) >> 3;

    /// <param name="values">Each at least the minimum, by less than 2^width.</param>
    /// <param name="min">Subtracted from each.</param>
    /// <param name="width">1 to 64.</param>
    /// <param name="into">Exactly <see cref="ByteCount"/> bytes.</param>
    public static void Pack(ReadOnlySpan<long> values, long min, int width, Span<byte> into)
    {
        ulong pending = 0;
        int filled = 0;
        int at = 0;
        foreach (long number in values)
        {
            ulong value = (ulong)(number - min);
            pending |= value << filled;
            if (filled + width >= 64)
            {
                BinaryPrimitives.WriteUInt64LittleEndian(into[at..], pending);
                at += 8;
                int written = 64 - filled;
                pending = written == 64 ? 0 : value >> written;
                filled = width - written;
            }
            else
            {
                filled += width;
            }
        }

        for (; filled > 0; filled -= 8)
        {
            into[at++] = (byte)pending;
            pending >>= 8;
        }
    }

    /// <param name="packed">Exactly <see cref="ByteCount"/> bytes.</param>
    /// <param name="width">0 to 64.</param>
    /// <param name="into">As many numbers as were packed.</param>
    public static void Unpack(ReadOnlySpan<byte> packed, int width, Span<ulong> into)
    {
        if (width == 0)
        {
            into.Clear();
            return;
        }

        ulong mask = width == 64 ? ulong.MaxValue : (1UL << width) - 1;
        int i = width <= OneWordWidth ? UnpackWholeWords(packed, width, mask, into) : 0;
        for (; i < into.Length; i++)
        {
            into[i] = ReadBits(packed, i * width, width) & mask;
        }
    }

    /// <summary>Those numbers whose 64-bit word lies wholly inside the bytes; returns how many.</summary>
    private static int UnpackWholeWords(ReadOnlySpan<byte> packed, int width, ulong mask, Span<ulong> into)
    {
        int lastBit = ((packed.Length - sizeof(ulong)) * 8) + 7; // the last bit at which such a number may begin
        int count = lastBit < 7 ? 0 : Math.Min(into.Length, (lastBit / width) + 1);
        ref byte start = ref MemoryMarshal.GetReference(packed);
        for (int i = 0, bit = 0; i < count; i++, bit += width)
        {
            // In bounds: bit <= lastBit, so the word ends at or before the last byte.
            ulong word = Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref start, bit >> 3));
            into[i] = ((BitConverter.IsLittleEndian ? word : BinaryPrimitives.ReverseEndianness(word)) >> (bit & 7)) & mask;
        }

        return count;
    }

    private static ulong ReadBits(ReadOnlySpan<byte> packed, int bit, int width)
    {
        int at = bit >> 3;
        int skip = bit & 7;
        int bytes = (skip + width + 7) >> 3;
        ulong value = 0;
        for (int k = 0; k < Math.Min(bytes, 8); k++)
        {
            value |= (ulong)packed[at + k] << (8 * k);
        }

        value >>= skip;
        return bytes > 8 ? value | ((ulong)packed[at + 8] << (64 - skip)) : value;
    }
}
