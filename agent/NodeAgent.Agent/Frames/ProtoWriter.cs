using System.Buffers;

namespace NodeAgent.Agent.Frames;

/// <summary>
/// Writes protobuf fields into one buffer that grows and is kept. The generated classes would allocate a message, a ByteString
/// and a copy for every block of every tick; this writes the same bytes (a test compares) and allocates nothing once warm.
/// Encoding: protobuf.dev/programming-guides/encoding.
/// </summary>
internal sealed class ProtoWriter
{
    private const int LongestVarintBytes = 10;

    private byte[] _buffer = new byte[4096];
    private int _length;

    internal ReadOnlySpan<byte> Written => _buffer.AsSpan(0, _length);

    internal void Clear() => _length = 0;

    /// <summary>Wire type 0. A zero is written too; leave the call out to omit a default.</summary>
    internal void WriteVarintField(int field, ulong value)
    {
        Reserve(2 * LongestVarintBytes);
        WriteVarint((ulong)(field << 3));
        WriteVarint(value);
    }

    /// <summary>Wire type 2 with these bytes.</summary>
    internal void WriteBytesField(int field, ReadOnlySpan<byte> bytes)
    {
        Reserve((2 * LongestVarintBytes) + bytes.Length);
        WriteLengthPrefix(field, bytes.Length);
        bytes.CopyTo(_buffer.AsSpan(_length));
        _length += bytes.Length;
    }

    /// <summary>Wire type 2 with a message of two parts, each written by the caller before: <c>{field: {1: id, 2: payload}}</c>.</summary>
    internal void WriteBlockField(int field, uint schemaId, ReadOnlySpan<byte> payload)
    {
        int inner = 1 + VarintBytes(schemaId) + 1 + VarintBytes((ulong)payload.Length) + payload.Length;
        Reserve(inner + (2 * LongestVarintBytes));
        WriteLengthPrefix(field, inner);
        WriteVarint(1 << 3);
        WriteVarint(schemaId);
        WriteLengthPrefix(2, payload.Length);
        payload.CopyTo(_buffer.AsSpan(_length));
        _length += payload.Length;
    }

    private static int VarintBytes(ulong value) => value == 0 ? 1 : (70 - System.Numerics.BitOperations.LeadingZeroCount(value)) / 7;

    private void WriteLengthPrefix(int field, int length)
    {
        WriteVarint((ulong)((field << 3) | 2));
        WriteVarint((ulong)length);
    }

    private void WriteVarint(ulong value)
    {
        while (value >= 0x80)
        {
            _buffer[_length++] = (byte)(value | 0x80);
            value >>= 7;
        }

        _buffer[_length++] = (byte)value;
    }

    private void Reserve(int bytes)
    {
        if (_buffer.Length - _length < bytes)
        {
            Array.Resize(ref _buffer, Math.Max(_buffer.Length * 2, _length + bytes));
        }
    }
}
