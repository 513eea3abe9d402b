using System.Buffers;
using System.Buffers.Binary;
using Grpc.Core;

namespace NodeAgent.Rpc.Wire;

/// <summary>The five bytes before each message: one byte 0 or 1 (compressed), four bytes big-endian length.</summary>
internal readonly record struct MessageFrame(bool Compressed, int PayloadLength)
{
    internal const int HeaderLength = 5;

    /// <summary>Default limit of a received message, as everywhere in gRPC: 4 MiB.</summary>
    internal const int DefaultMaxReceive = 4 * 1024 * 1024;

    internal static void Write(Span<byte> header, bool compressed, int payloadLength)
    {
        header[0] = compressed ? (byte)1 : (byte)0;
        BinaryPrimitives.WriteInt32BigEndian(header[1..], payloadLength);
    }

    /// <summary>False while fewer than five bytes are there. Judged before the payload is buffered, so a false length costs no
    /// memory.</summary>
    /// <exception cref="RpcException">INTERNAL for an unknown flag, RESOURCE_EXHAUSTED for a length over the limit.</exception>
    internal static bool TryRead(in ReadOnlySequence<byte> buffer, int maxPayload, out MessageFrame frame)
    {
        if (buffer.Length < HeaderLength)
        {
            frame = default;
            return false;
        }

        Span<byte> header = stackalloc byte[HeaderLength];
        buffer.Slice(0, HeaderLength).CopyTo(header);
        if (header[0] > 1)
        {
            throw new RpcException(new Status(StatusCode.Internal, $"Malformed frame: the compression flag is {header[0]}, not 0 or 1."));
        }

        uint length = BinaryPrimitives.ReadUInt32BigEndian(header[1..]);
        if (length > (uint)maxPayload)
        {
            throw TooLarge(length, maxPayload);
        }

        frame = new MessageFrame(header[0] == 1, (int)length);
        return true;
    }

    internal static RpcException TooLarge(long length, int max) =>
        new(new Status(StatusCode.ResourceExhausted, $"Received message larger than max ({length} vs. {max} bytes)."));

    internal static RpcException Truncated() =>
        new(new Status(StatusCode.Internal, "Malformed frame: the stream ended inside a message."));
}
