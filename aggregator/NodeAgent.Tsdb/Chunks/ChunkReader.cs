using System.Buffers.Binary;

namespace NodeAgent.Tsdb.Chunks;

/// <summary>
/// Reads what <see cref="ChunkWriter"/> wrote. Reading past the end throws: a damaged chunk never gives a wrong number silently.
/// </summary>
internal ref struct ChunkReader(ReadOnlySpan<byte> bytes)
{
    private ReadOnlySpan<byte> _rest = bytes;

    public byte ReadByte()
    {
        byte value = _rest[0];
        _rest = _rest[1..];
        return value;
    }

    public ulong ReadUInt64()
    {
        ulong value = BinaryPrimitives.ReadUInt64LittleEndian(_rest);
        _rest = _rest[8..];
        return value;
    }

    public uint ReadUInt32()
    {
        uint value = BinaryPrimitives.ReadUInt32LittleEndian(_rest);
        _rest = _rest[4..];
        return value;
    }

    public bool IsEmpty => _rest.IsEmpty;

    /// <summary>What has not been read.</summary>
    public ReadOnlySpan<byte> Rest => _rest;

    public long ReadSigned()
    {
        ulong value = ReadUnsigned();
        return (long)(value >> 1) ^ -(long)(value & 1);
    }

    public ulong ReadUnsigned()
    {
        ulong value = 0;
        for (int shift = 0; shift < 64; shift += 7)
        {
            byte next = ReadByte();
            value |= (ulong)(next & 0x7f) << shift;
            if (next < 0x80)
            {
                return value;
            }
        }

        throw new InvalidDataException("A number in a chunk is longer than 64 bits.");
    }

    public ReadOnlySpan<byte> Take(int count)
    {
        ReadOnlySpan<byte> taken = _rest[..count];
        _rest = _rest[count..];
        return taken;
    }
}
