using System.Buffers.Binary;

namespace NodeAgent.Agent.Frames;

/// <summary>
/// Walks the fields of an encoded message without allocation. Any bytes are fine: at what is no field it ends.
/// Encoding: protobuf.dev/programming-guides/encoding.
/// </summary>
internal ref struct ProtoReader(ReadOnlySpan<byte> message)
{
    private ReadOnlySpan<byte> _rest = message;

    /// <summary>The number of the field read last.</summary>
    internal int Field { get; private set; }

    /// <summary>Its value, where it is a varint or fixed.</summary>
    internal ulong Number { get; private set; }

    /// <summary>Its content, where it has a length.</summary>
    internal ReadOnlySpan<byte> Bytes { get; private set; }

    /// <summary>False: the end, or bytes that are no field.</summary>
    internal bool TryReadField()
    {
        Bytes = default;
        Number = 0;
        if (!TryReadVarint(out ulong tag) || tag >> 3 is 0 or > int.MaxValue)
        {
            return false;
        }

        Field = (int)(tag >> 3);
        switch (tag & 7)
        {
            case 0:
                return TryReadNumber();
            case 1 when _rest.Length >= sizeof(ulong):
                Number = BinaryPrimitives.ReadUInt64LittleEndian(_rest);
                _rest = _rest[sizeof(ulong)..];
                return true;
            case 2 when TryReadVarint(out ulong length) && length <= (ulong)_rest.Length:
                Bytes = _rest[..(int)length];
                _rest = _rest[(int)length..];
                return true;
            case 5 when _rest.Length >= sizeof(uint):
                Number = BinaryPrimitives.ReadUInt32LittleEndian(_rest);
                _rest = _rest[sizeof(uint)..];
                return true;
            default:
                return false;
        }
    }

    private bool TryReadNumber()
    {
        bool isRead = TryReadVarint(out ulong number);
        Number = number;
        return isRead;
    }

    private bool TryReadVarint(out ulong value)
    {
        value = 0;
        for (int i = 0, shift = 0; i < _rest.Length && shift < 64; i++, shift += 7)
        {
            value |= (ulong)(_rest[i] & 0x7F) << shift;
            if (_rest[i] < 0x80)
            {
                _rest = _rest[(i + 1)..];
                return true;
            }
        }

        _rest = default;
        return false;
    }
}
