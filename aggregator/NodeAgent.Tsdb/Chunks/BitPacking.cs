using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

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
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
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
        int i = Avx2.IsSupported && width <= OneWordWidth ? UnpackLanes(packed, width, into) : 0;
        if (width <= OneWordWidth)
        {
            // Eight numbers take a whole number of bytes, so what the lanes left begins at a byte.
            i += UnpackWholeWords(packed[(i * width >> 3)..], width, mask, into[i..]);
        }

        for (; i < into.Length; i++)
        {
            into[i] = ReadBits(packed, i * width, width) & mask;
        }
    }

    /// <summary>
    /// Eight numbers at a time: they take exactly width bytes, so which bytes each lane needs, and how far it is shifted, are the same every
    /// time. Returns how many. By shuffles, because a gather costs several times as much on many processors.
    /// </summary>
    private static unsafe int UnpackLanes(ReadOnlySpan<byte> packed, int width, Span<ulong> into)
    {
        const int NarrowWidth = 25; // a number and its offset within a byte fit in 32 bits
        int groups = Math.Min(into.Length >> 3, (packed.Length - Vector128<byte>.Count) / width);
        if (groups <= 0)
        {
            return 0;
        }

        fixed (byte* source = packed)
        fixed (ulong* target = into)
        {
            if (width <= NarrowWidth)
            {
                UnpackNarrow(source, width, target, groups);
            }
            else
            {
                UnpackWide(source, width, target, groups);
            }
        }

        return groups << 3;
    }

    // In bounds, both: each load is 16 bytes from within its group's width bytes, and 16 bytes follow the last group.
    private static unsafe void UnpackNarrow(byte* source, int width, ulong* target, int groups)
    {
        int second = (4 * width) >> 3; // where the bytes of the fifth number begin
        Lanes lanes = new(sizeof(uint), [0, width, 2 * width, 3 * width], (4 * width) - (8 * second), width);
        Vector256<byte> shuffle = lanes.Shuffle;
        Vector256<uint> shifts = lanes.Shifts.AsUInt32();
        Vector256<uint> mask = Vector256.Create((1u << width) - 1);
        for (int group = 0; group < groups; group++, source += width, target += 8)
        {
            Vector256<byte> bytes = Vector256.Create(Vector128.Load(source), Vector128.Load(source + second));
            Vector256<uint> words = Avx2.Shuffle(bytes, shuffle).AsUInt32();
            (Vector256<ulong> low, Vector256<ulong> high) = Vector256.Widen(Avx2.ShiftRightLogicalVariable(words, shifts) & mask);
            low.Store(target);
            high.Store(target + 4);
        }
    }

    private static unsafe void UnpackWide(byte* source, int width, ulong* target, int groups)
    {
        int second = (2 * width) >> 3;
        int third = (4 * width) >> 3;
        int fourth = (6 * width) >> 3;
        Lanes low = new(sizeof(ulong), [0, width], (2 * width) - (8 * second), width);
        int skip = (4 * width) - (8 * third);
        Lanes high = new(sizeof(ulong), [skip, skip + width], (6 * width) - (8 * fourth), width);
        Vector256<ulong> mask = Vector256.Create((1UL << width) - 1);
        for (int group = 0; group < groups; group++, source += width, target += 8)
        {
            Vector256<byte> lowBytes = Vector256.Create(Vector128.Load(source), Vector128.Load(source + second));
            Vector256<byte> highBytes = Vector256.Create(Vector128.Load(source + third), Vector128.Load(source + fourth));
            (Avx2.ShiftRightLogicalVariable(Avx2.Shuffle(lowBytes, low.Shuffle).AsUInt64(), low.Shifts.AsUInt64()) & mask).Store(target);
            (Avx2.ShiftRightLogicalVariable(Avx2.Shuffle(highBytes, high.Shuffle).AsUInt64(), high.Shifts.AsUInt64()) & mask).Store(target + 4);
        }
    }

    /// <summary>Which bytes of two 16-byte halves each number needs, and by how many bits it is shifted.</summary>
    private readonly ref struct Lanes
    {
        /// <param name="size">Bytes of a lane.</param>
        /// <param name="firstBits">Where the first half's numbers begin in it, in bits.</param>
        /// <param name="secondBit">Where the second half's first number begins in it; the others follow.</param>
        /// <param name="width">Bits of a number.</param>
        public Lanes(int size, ReadOnlySpan<int> firstBits, int secondBit, int width)
        {
            Span<byte> shuffle = stackalloc byte[Vector256<byte>.Count];
            Span<byte> shifts = stackalloc byte[Vector256<byte>.Count];
            shifts.Clear();
            for (int lane = 0; lane < shuffle.Length / size; lane++)
            {
                int bit = lane < firstBits.Length ? firstBits[lane] : secondBit + ((lane - firstBits.Length) * width);
                shifts[lane * size] = (byte)(bit & 7);
                for (int k = 0; k < size; k++)
                {
                    shuffle[(lane * size) + k] = (byte)((bit >> 3) + k);
                }
            }

            Shuffle = Vector256.Create<byte>(shuffle);
            Shifts = Vector256.Create<byte>(shifts);
        }

        public Vector256<byte> Shuffle { get; }

        public Vector256<byte> Shifts { get; }
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
