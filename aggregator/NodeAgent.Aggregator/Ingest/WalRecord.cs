using System.Buffers;
using System.Text;
using NodeAgent.V1;

namespace NodeAgent.Aggregator.Ingest;

/// <summary>Kinds of records in the write-ahead log; docs/formats/wal.md. Numbers only grow.</summary>
internal enum WalRecordType : byte
{
    /// <summary>A stream began. Its id is the number under which the log keeps this record.</summary>
    Open = 1,

    /// <summary>A message of a stream as it was received, with what was decided about it.</summary>
    Message = 2,

    /// <summary>All that is known of a node, with the schemas of its open streams: what is older need not be kept for it.</summary>
    Node = 3,

    /// <summary>Sequences of a stream that were set aside: they count as received, their bytes are in the quarantine.</summary>
    SetAside = 4,
}

/// <summary>What was decided about a message when it came, so that reading it back decides the same.</summary>
[Flags]
internal enum WalMessageFlags : byte
{
    None = 0,

    /// <summary>Only a base for the deltas that follow: it came before, or its time was refused.</summary>
    DecodeOnly = 1,

    /// <summary>Its time was corrected; the correction follows.</summary>
    Corrected = 2,

    /// <summary>Records before it never came: deltas have lost their base.</summary>
    AfterGap = 4,
}

/// <summary>Before the message in a record of type <see cref="WalRecordType.Message"/>.</summary>
/// <param name="Stream">Id of the record that opened the stream.</param>
/// <param name="Flags">What was decided.</param>
/// <param name="ReceivedUnixMs">When it came, by the aggregator's clock.</param>
/// <param name="CorrectionMs">Added to the frame's own wall time.</param>
internal readonly record struct WalMessageHeader(ulong Stream, WalMessageFlags Flags, long ReceivedUnixMs, long CorrectionMs)
{
    /// <summary>The most bytes that a header takes.</summary>
    internal const int MaxBytes = 31;

    internal int WriteTo(Span<byte> destination)
    {
        int length = WalFields.WriteVarint(destination, Stream);
        destination[length++] = (byte)Flags;
        length += WalFields.WriteVarint(destination[length..], WalFields.ZigZag(ReceivedUnixMs));
        return (Flags & WalMessageFlags.Corrected) == 0 ? length : length + WalFields.WriteVarint(destination[length..], WalFields.ZigZag(CorrectionMs));
    }

    internal static bool TryRead(ref WalFields fields, out WalMessageHeader header)
    {
        header = default;
        if (!fields.TryReadVarint(out ulong stream) || !fields.TryReadByte(out byte flags) || !fields.TryReadZigZag(out long received))
        {
            return false;
        }

        long correction = 0;
        bool isWhole = (flags & (byte)WalMessageFlags.Corrected) == 0 || fields.TryReadZigZag(out correction);
        header = new WalMessageHeader(stream, (WalMessageFlags)flags, received, correction);
        return isWhole;
    }
}

/// <summary>Reads the fields of a log record one after the other; every method answers false where the record ends too soon.</summary>
internal ref struct WalFields(ReadOnlySpan<byte> bytes)
{
    private ReadOnlySpan<byte> _rest = bytes;

    internal readonly ReadOnlySpan<byte> Rest => _rest;

    internal bool TryReadByte(out byte value)
    {
        value = _rest.IsEmpty ? (byte)0 : _rest[0];
        bool isThere = !_rest.IsEmpty;
        _rest = isThere ? _rest[1..] : _rest;
        return isThere;
    }

    internal bool TryReadVarint(out ulong value)
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

        return false;
    }

    internal bool TryReadZigZag(out long value)
    {
        bool isThere = TryReadVarint(out ulong code);
        value = (long)(code >> 1) ^ -(long)(code & 1);
        return isThere;
    }

    internal bool TryReadBytes(out ReadOnlySpan<byte> value)
    {
        value = default;
        if (!TryReadVarint(out ulong length) || length > (ulong)_rest.Length)
        {
            return false;
        }

        value = _rest[..(int)length];
        _rest = _rest[(int)length..];
        return true;
    }

    internal bool TryReadText(out string value)
    {
        bool isThere = TryReadBytes(out ReadOnlySpan<byte> text);
        value = isThere ? Encoding.UTF8.GetString(text) : "";
        return isThere;
    }

    internal static ulong ZigZag(long value) => unchecked((ulong)((value << 1) ^ (value >> 63)));

    internal static int WriteVarint(Span<byte> destination, ulong value)
    {
        int length = 0;
        for (; value >= 0x80; value >>= 7)
        {
            destination[length++] = (byte)(value | 0x80);
        }

        destination[length++] = (byte)value;
        return length;
    }

    internal static void AddVarint(IBufferWriter<byte> output, ulong value) => output.Advance(WriteVarint(output.GetSpan(10), value));

    internal static void AddZigZag(IBufferWriter<byte> output, long value) => AddVarint(output, ZigZag(value));

    internal static void AddBytes(IBufferWriter<byte> output, ReadOnlySpan<byte> value)
    {
        AddVarint(output, (ulong)value.Length);
        output.Write(value);
    }

    internal static void AddText(IBufferWriter<byte> output, string value) => AddBytes(output, Encoding.UTF8.GetBytes(value));
}

/// <summary>The first record of a stream.</summary>
internal sealed record WalOpening(string Node, long ReceivedUnixMs, Hello Hello)
{
    internal const byte Version = 1;

    internal byte[] ToBytes()
    {
        ArrayBufferWriter<byte> output = new(256);
        output.Write([Version]);
        WalFields.AddText(output, Node);
        WalFields.AddZigZag(output, ReceivedUnixMs);
        WalFields.AddBytes(output, Google.Protobuf.MessageExtensions.ToByteArray(Hello));
        return output.WrittenSpan.ToArray();
    }

    /// <summary>Null: a later version wrote it, or it makes no sense.</summary>
    internal static WalOpening? Read(ReadOnlySpan<byte> payload)
    {
        WalFields fields = new(payload);
        return fields.TryReadByte(out byte version) && version == Version
            && fields.TryReadText(out string node) && fields.TryReadZigZag(out long received)
            && fields.TryReadBytes(out ReadOnlySpan<byte> hello)
            ? new WalOpening(node, received, Hello.Parser.ParseFrom(hello))
            : null;
    }
}
