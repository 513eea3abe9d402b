using System.Buffers.Binary;
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

    private static readonly uint[] s_table = MakeTable();

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

    private static uint AppendSse42(uint crc, ReadOnlySpan<byte> bytes)
    {
        ReadOnlySpan<ulong> words = MemoryMarshal.Cast<byte, ulong>(bytes);
        ulong wide = crc;
        foreach (ulong word in words) wide = Sse42.X64.Crc32(wide, word);

        crc = (uint)wide;
        foreach (byte value in bytes[(words.Length * sizeof(ulong))..]) crc = Sse42.Crc32(crc, value);
        return crc;
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
