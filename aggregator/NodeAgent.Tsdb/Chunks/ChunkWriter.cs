using System.Buffers.Binary;

namespace NodeAgent.Tsdb.Chunks;

/// <summary>Growable bytes that a block is encoded into; kept and reused by the thread that closes blocks.</summary>
internal sealed class ChunkWriter
{
    private byte[] _bytes = new byte[16 * 1024];

    public int Length { get; private set; }

    public ReadOnlySpan<byte> Written => _bytes.AsSpan(0, Length);

    public void Clear() => Length = 0;

    /// <summary>Forgets what was written from a position on.</summary>
    public void Rewind(int length) => Length = length;

    public void WriteByte(byte value) => Take(1)[0] = value;

    public void WriteUInt64(ulong value) => BinaryPrimitives.WriteUInt64LittleEndian(Take(8), value);

    public void WriteUInt32(uint value) => BinaryPrimitives.WriteUInt32LittleEndian(Take(4), value);

    /// <summary>LEB128.</summary>
    public void WriteUnsigned(ulong value)
    {
        while (value >= 0x80)
        {
            WriteByte((byte)(value | 0x80));
            value >>= 7;
        }

        WriteByte((byte)value);
    }

    public void Write(ReadOnlySpan<byte> bytes) => bytes.CopyTo(Take(bytes.Length));

    /// <summary>LEB128 of the zig-zag form: small magnitudes of either sign are short.</summary>
    public void WriteSigned(long value)
    {
        WriteUnsigned((ulong)((value << 1) ^ (value >> 63)));
    }

    /// <summary>The next bytes, zeroed; their place in the buffer is theirs only until the next call.</summary>
    public Span<byte> Take(int count)
    {
        if (Length + count > _bytes.Length)
        {
            Array.Resize(ref _bytes, Math.Max(Length + count, _bytes.Length * 2));
        }

        Span<byte> taken = _bytes.AsSpan(Length, count);
        taken.Clear();
        Length += count;
        return taken;
    }
}
