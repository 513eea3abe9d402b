using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace NodeAgent.Journal.Checksums;

/// <summary>
/// CRC-32C (Castagnoli: polynomial 0x1EDC6F41, reflected 0x82F63B78, start and final XOR 0xFFFFFFFF), as in RFC 3720 appendix B.4.
/// It is the one checksum for which x86-64 and ARMv8 have an instruction.
/// </summary>
public static class Crc32C
{
    private const uint ReflectedPolynomial = 0x82F63B78;

    // Bytes of a lane: long ones for runs of segments, short ones for what is left of those and for small records.
    private const int LongLane = 1024;
    private const int ShortLane = 128;

    private static readonly uint[] s_table = MakeTable();
    private static readonly uint[] s_longLane = MakeMove(LongLane);
    private static readonly uint[] s_shortLane = MakeMove(ShortLane);

    /// <summary>The checksum of the bytes.</summary>
    public static uint Compute(ReadOnlySpan<byte> bytes) => Append(0, bytes);

    /// <summary>
    /// The checksum of (what <paramref name="crc"/> covers) followed by <paramref name="bytes"/>. With any other number in the place of
    /// <paramref name="crc"/> it is a checksum keyed by that number.
    /// </summary>
    public static uint Append(uint crc, ReadOnlySpan<byte> bytes)
    {
        if (Sse42.X64.IsSupported) return ~AppendSse42(~crc, bytes);
        if (Crc32.Arm64.IsSupported) return ~AppendArm(~crc, bytes);
        return ~AppendTable(~crc, bytes);
    }

    /// <summary>The same by table, for processors without the instruction.</summary>
    internal static uint AppendSoftware(uint crc, ReadOnlySpan<byte> bytes) => ~AppendTable(~crc, bytes);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static uint AppendSse42(uint crc, ReadOnlySpan<byte> bytes)
    {
        crc = AppendLanes(crc, ref bytes, LongLane, s_longLane);
        crc = AppendLanes(crc, ref bytes, ShortLane, s_shortLane);
        ReadOnlySpan<ulong> words = MemoryMarshal.Cast<byte, ulong>(bytes);
        ulong wide = crc;
        foreach (ulong word in words) wide = Sse42.X64.Crc32(wide, word);

        crc = (uint)wide;
        foreach (byte value in bytes[(words.Length * sizeof(ulong))..]) crc = Sse42.Crc32(crc, value);
        return crc;
    }

    /// <summary>
    /// Three lanes at once, because the instruction takes three cycles and one can begin in each. The lanes' checksums are put together by moving
    /// the first ones on by a lane's length of zeros, which is linear and so a table (as in M. Adler's crc32c.c, written down anew).
    /// </summary>
    private static uint AppendLanes(uint crc, ref ReadOnlySpan<byte> bytes, int lane, uint[] moved)
    {
        int words = lane / sizeof(ulong);
        while (bytes.Length >= 3 * lane)
        {
            ref ulong first = ref Unsafe.As<byte, ulong>(ref MemoryMarshal.GetReference(bytes));
            ref ulong second = ref Unsafe.Add(ref first, words);
            ref ulong third = ref Unsafe.Add(ref second, words);
            ulong a = crc;
            ulong b = 0;
            ulong c = 0;
            for (int i = 0; i < words; i++)
            {
                a = Sse42.X64.Crc32(a, Unsafe.ReadUnaligned<ulong>(ref Unsafe.As<ulong, byte>(ref Unsafe.Add(ref first, i))));
                b = Sse42.X64.Crc32(b, Unsafe.ReadUnaligned<ulong>(ref Unsafe.As<ulong, byte>(ref Unsafe.Add(ref second, i))));
                c = Sse42.X64.Crc32(c, Unsafe.ReadUnaligned<ulong>(ref Unsafe.As<ulong, byte>(ref Unsafe.Add(ref third, i))));
            }

            crc = Move(Move((uint)a, moved) ^ (uint)b, moved) ^ (uint)c;
            bytes = bytes[(3 * lane)..];
        }

        return crc;
    }

    private static uint Move(uint crc, uint[] moved) =>
        moved[(byte)crc] ^ moved[256 + (byte)(crc >> 8)] ^ moved[512 + (byte)(crc >> 16)] ^ moved[768 + (crc >> 24)];

    /// <summary>For each byte of a checksum's state, what it becomes behind so many zeros.</summary>
    private static uint[] MakeMove(int zeros)
    {
        uint[] bits = new uint[32];
        byte[] nothing = new byte[zeros];
        for (int bit = 0; bit < bits.Length; bit++) bits[bit] = AppendTable(1u << bit, nothing);

        uint[] moved = new uint[4 * 256];
        for (int i = 0; i < moved.Length; i++)
        {
            for (int bit = 0; bit < 8; bit++) moved[i] ^= (i >> bit & 1) != 0 ? bits[(i / 256 * 8) + bit] : 0;
        }

        return moved;
    }

    private static uint AppendArm(uint crc, ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length >= sizeof(ulong))
        {
            crc = Crc32.Arm64.ComputeCrc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
            bytes = bytes[sizeof(ulong)..];
        }

        foreach (byte value in bytes) crc = Crc32.ComputeCrc32C(crc, value);
        return crc;
    }

    private static uint AppendTable(uint crc, ReadOnlySpan<byte> bytes)
    {
        uint[] table = s_table;
        foreach (byte value in bytes) crc = table[(byte)(crc ^ value)] ^ (crc >> 8);
        return crc;
    }

    private static uint[] MakeTable()
    {
        var table = new uint[256];
        for (uint index = 0; index < table.Length; index++)
        {
            uint crc = index;
            for (int bit = 0; bit < 8; bit++) crc = (crc & 1) != 0 ? (crc >> 1) ^ ReflectedPolynomial : crc >> 1;
            table[index] = crc;
        }

        return table;
    }
}
