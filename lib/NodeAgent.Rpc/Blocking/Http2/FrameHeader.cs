using System.Buffers.Binary;

namespace NodeAgent.Rpc.Blocking.Http2;

/// <summary>RFC 9113, section 6.</summary>
internal enum FrameType : byte
{
    Data = 0,
    Headers = 1,
    Priority = 2,
    RstStream = 3,
    Settings = 4,
    PushPromise = 5,
    Ping = 6,
    GoAway = 7,
    WindowUpdate = 8,
    Continuation = 9,
}

/// <summary>RFC 9113, section 6. The first bit says EndStream on streams and Ack (<see cref="FrameHeader.Ack"/>) on the
/// connection.</summary>
[Flags]
internal enum FrameFlags : byte
{
    None = 0,
    EndStream = 0x1,
    EndHeaders = 0x4,
    Padded = 0x8,
    Priority = 0x20,
}

/// <summary>RFC 9113, section 7.</summary>
internal enum Http2Error : uint
{
    NoError = 0x0,
    ProtocolError = 0x1,
    InternalError = 0x2,
    FlowControlError = 0x3,
    StreamClosed = 0x5,
    FrameSizeError = 0x6,
    Cancel = 0x8,
    CompressionError = 0x9,
    EnhanceYourCalm = 0xb,
}

/// <summary>The nine bytes before each frame (RFC 9113, section 4.1).</summary>
internal readonly record struct FrameHeader(int Length, FrameType Type, FrameFlags Flags, int StreamId)
{
    internal const int Size = 9;

    internal const FrameFlags Ack = FrameFlags.EndStream;

    /// <summary>What every implementation must accept, and all that this one does (RFC 9113, section 4.2).</summary>
    internal const int DefaultMaxLength = 16 * 1024;

    internal bool IsEndOfStream => (Flags & FrameFlags.EndStream) != 0;

    internal bool IsAck => (Flags & Ack) != 0;

    internal bool IsEndOfHeaders => (Flags & FrameFlags.EndHeaders) != 0;

    internal bool IsPadded => (Flags & FrameFlags.Padded) != 0;

    internal bool HasPriority => (Flags & FrameFlags.Priority) != 0;

    /// <summary>Reads nine bytes; the reserved bit is ignored, as it must be.</summary>
    internal static FrameHeader Read(ReadOnlySpan<byte> bytes) => new(
        (bytes[0] << 16) | (bytes[1] << 8) | bytes[2],
        (FrameType)bytes[3],
        (FrameFlags)bytes[4],
        (int)(BinaryPrimitives.ReadUInt32BigEndian(bytes[5..]) & int.MaxValue));

    internal void Write(Span<byte> target)
    {
        target[0] = (byte)(Length >> 16);
        target[1] = (byte)(Length >> 8);
        target[2] = (byte)Length;
        target[3] = (byte)Type;
        target[4] = (byte)Flags;
        BinaryPrimitives.WriteInt32BigEndian(target[5..], StreamId);
    }
}
