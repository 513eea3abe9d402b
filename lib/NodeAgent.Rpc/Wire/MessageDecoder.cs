using System.Buffers;
using Grpc.Core;

namespace NodeAgent.Rpc.Wire;

/// <summary>
/// Turns received bytes into messages. Belongs to one direction of one call. A deserializer sees the transport's own memory,
/// or, for a compressed message, a buffer that is kept for the next one.
/// </summary>
internal sealed class MessageDecoder(int maxPayload) : DeserializationContext
{
    private GrowingBuffer? _decompressed;
    private ReadOnlySequence<byte> _payload;

    /// <summary>The encoding that the peer announced for its compressed messages; null when it announced none.</summary>
    internal string? Encoding { get; set; }

    /// <summary>After a failed <see cref="TryDecode"/>: the bytes that the current frame needs in all, as far as known.</summary>
    internal int FrameLength { get; private set; } = MessageFrame.HeaderLength;

    /// <inheritdoc/>
    public override int PayloadLength => (int)_payload.Length;

    /// <inheritdoc/>
    public override byte[] PayloadAsNewBuffer() => _payload.ToArray();

    /// <inheritdoc/>
    public override ReadOnlySequence<byte> PayloadAsReadOnlySequence() => _payload;

    /// <summary>Takes one message off the front of the buffer; false while it is not there in full.</summary>
    /// <exception cref="RpcException">The frame or the message is malformed or too large.</exception>
    internal bool TryDecode<T>(ref ReadOnlySequence<byte> buffer, Marshaller<T> marshaller, out T message)
    {
        message = default!;
        if (!MessageFrame.TryRead(buffer, maxPayload, out MessageFrame frame))
        {
            FrameLength = MessageFrame.HeaderLength;
            return false;
        }

        FrameLength = MessageFrame.HeaderLength + frame.PayloadLength;
        if (frame.Compressed)
        {
            ThrowIfUnknownEncoding();
        }

        if (buffer.Length < FrameLength)
        {
            return false;
        }

        message = Deserialize(buffer.Slice(MessageFrame.HeaderLength, frame.PayloadLength), frame.Compressed, marshaller);
        buffer = buffer.Slice(FrameLength);
        return true;
    }

    /// <summary>The memory for decompressed messages goes back to the pool.</summary>
    internal void Release() => _decompressed?.Release();

    private T Deserialize<T>(ReadOnlySequence<byte> payload, bool compressed, Marshaller<T> marshaller)
    {
        if (compressed)
        {
            _decompressed ??= new GrowingBuffer();
            _decompressed.Reset();
            GzipCodec.Decompress(payload, maxPayload, _decompressed);
            payload = new ReadOnlySequence<byte>(_decompressed.Written);
        }

        _payload = payload;
        try
        {
            return marshaller.ContextualDeserializer(this);
        }
        catch (Exception e) when (e is not RpcException)
        {
            // What grpc-go, grpc-java and grpc-core answer to bytes that are no such message.
            throw new RpcException(new Status(StatusCode.Internal, $"Failed to deserialize {typeof(T).Name}: {e.Message}", e));
        }
        finally
        {
            _payload = default;
        }
    }

    private void ThrowIfUnknownEncoding()
    {
        if (Encoding is null or RpcHeaderNames.Identity)
        {
            throw new RpcException(new Status(
                StatusCode.Internal, "Malformed frame: the message is marked compressed, but no grpc-encoding was announced."));
        }

        if (Encoding != RpcHeaderNames.Gzip)
        {
            throw new RpcException(new Status(StatusCode.Unimplemented, $"The message encoding '{Encoding}' is not supported."));
        }
    }
}
