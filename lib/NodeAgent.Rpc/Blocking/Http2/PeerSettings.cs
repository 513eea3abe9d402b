using System.Buffers.Binary;

namespace NodeAgent.Rpc.Blocking.Http2;

/// <summary>What the server's SETTINGS allow us (RFC 9113, section 6.5.2). Until they come, the protocol's initial values.</summary>
internal sealed class PeerSettings
{
    internal const ushort HeaderTableSize = 1;
    internal const ushort EnablePush = 2;
    internal const ushort MaxConcurrentStreamsName = 3;
    internal const ushort InitialWindowSizeName = 4;
    internal const ushort MaxFrameSizeName = 5;
    internal const ushort MaxHeaderListSize = 6;

    internal const int DefaultWindow = 65_535;

    private const int LargestFrame = (1 << 24) - 1;
    private const int EntrySize = 6;

    /// <summary>Until the server has spoken, RFC 9113's own advice for the least it should allow.</summary>
    internal int MaxConcurrentStreams { get; private set; } = 100;

    internal int InitialWindowSize { get; private set; } = DefaultWindow;

    internal int MaxFrameSize { get; private set; } = FrameHeader.DefaultMaxLength;

    /// <summary>Takes a whole SETTINGS payload.</summary>
    /// <exception cref="Http2Exception">A value that the RFC forbids.</exception>
    internal void Read(ReadOnlySpan<byte> payload)
    {
        if (payload.Length % EntrySize != 0)
        {
            throw new Http2Exception(Http2Error.FrameSizeError, $"SETTINGS of {payload.Length} bytes");
        }

        for (; !payload.IsEmpty; payload = payload[EntrySize..])
        {
            Set(BinaryPrimitives.ReadUInt16BigEndian(payload), BinaryPrimitives.ReadUInt32BigEndian(payload[2..]));
        }
    }

    // HEADER_TABLE_SIZE and MAX_HEADER_LIST_SIZE need no answer: our encoder uses no table, and our requests are a few hundred bytes.
    private void Set(ushort name, uint value)
    {
        switch (name)
        {
            case EnablePush when value != 0:
                throw new Http2Exception(Http2Error.ProtocolError, $"a server announced ENABLE_PUSH {value}");
            case MaxConcurrentStreamsName:
                MaxConcurrentStreams = (int)Math.Min(value, int.MaxValue);
                break;
            case InitialWindowSizeName when value > int.MaxValue:
                throw new Http2Exception(Http2Error.FlowControlError, $"INITIAL_WINDOW_SIZE {value}");
            case InitialWindowSizeName:
                InitialWindowSize = (int)value;
                break;
            case MaxFrameSizeName when value is < FrameHeader.DefaultMaxLength or > LargestFrame:
                throw new Http2Exception(Http2Error.ProtocolError, $"MAX_FRAME_SIZE {value}");
            case MaxFrameSizeName:
                MaxFrameSize = (int)value;
                break;
            default:
                break; // RFC 9113: settings that are not known are ignored
        }
    }
}
