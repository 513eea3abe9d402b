using System.Buffers;
using Grpc.Core;

namespace NodeAgent.Rpc.Wire;

/// <summary>
/// Turns messages into frames (prefix and payload in one piece, so that the transport gets one write) in a buffer that it keeps.
/// Belongs to one direction of one call; nothing is allocated once the buffer fits, unless the call compresses.
/// </summary>
internal sealed class MessageEncoder(int maxPayload) : SerializationContext
{
    private readonly GrowingBuffer _buffer = new();
    private GrowingBuffer? _compressed;
    private int _declaredLength;
    private bool _completed;

    /// <inheritdoc/>
    public override IBufferWriter<byte> GetBufferWriter() => _buffer;

    /// <inheritdoc/>
    public override void SetPayloadLength(int payloadLength)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(payloadLength);
        _declaredLength = payloadLength;

        // Before the memory is taken: a message over the limit is refused without being built.
        ThrowIfTooLarge(payloadLength);
        _buffer.EnsureFree(payloadLength);
    }

    /// <inheritdoc/>
    public override void Complete(byte[] payload)
    {
        ArgumentNullException.ThrowIfNull(payload);
        ThrowIfTooLarge(payload.Length);
        _buffer.Write(payload);
        Complete();
    }

    /// <inheritdoc/>
    public override void Complete()
    {
        if (_completed)
        {
            throw new InvalidOperationException("The serializer completed the message twice.");
        }

        _completed = true;
    }

    /// <summary>The frame of a message; valid until the next call of any method here.</summary>
    /// <exception cref="RpcException">INTERNAL when the serializer fails, RESOURCE_EXHAUSTED over the limit; the encoder stays
    /// usable.</exception>
    internal ReadOnlyMemory<byte> Encode<T>(Marshaller<T> marshaller, T message, bool compress)
    {
        _buffer.Reset();
        _compressed?.Reset();
        _completed = false;
        _declaredLength = -1;
        _buffer.EnsureFree(MessageFrame.HeaderLength);
        _buffer.Advance(MessageFrame.HeaderLength);
        Serialize(marshaller, message);

        int payload = _buffer.Length - MessageFrame.HeaderLength;
        ThrowIfTooLarge(payload);
        if (compress && payload > 0 && TryCompress(payload))
        {
            return _compressed!.Written;
        }

        MessageFrame.Write(_buffer.WrittenSpan, compressed: false, payload);
        return _buffer.Written;
    }

    /// <summary>Gives large buffers back between messages that are far apart.</summary>
    internal void Trim()
    {
        _buffer.Reset();
        _compressed?.Reset();
    }

    /// <summary>The memory goes back to the pool. Only when no write of a frame is pending.</summary>
    internal void Release()
    {
        _buffer.Release();
        _compressed?.Release();
    }

    private void Serialize<T>(Marshaller<T> marshaller, T message)
    {
        try
        {
            marshaller.ContextualSerializer(message, this);
            if (!_completed)
            {
                throw new InvalidOperationException("The serializer did not complete the message.");
            }

            int payload = _buffer.Length - MessageFrame.HeaderLength;
            if (_declaredLength >= 0 && _declaredLength != payload)
            {
                throw new InvalidOperationException($"The serializer announced {_declaredLength} bytes and wrote {payload}.");
            }
        }
        catch (Exception e) when (e is not RpcException)
        {
            throw new RpcException(new Status(StatusCode.Internal, $"Failed to serialize {typeof(T).Name}.", e));
        }
    }

    // GZipStream writes zero bytes for an empty message, which other stacks cannot decode, and makes small ones larger:
    // what does not shrink goes out as it is, which the flag of each message allows.
    private bool TryCompress(int payload)
    {
        _compressed ??= new GrowingBuffer();
        _compressed.EnsureFree(MessageFrame.HeaderLength);
        _compressed.Advance(MessageFrame.HeaderLength);
        GzipCodec.Compress(_buffer.WrittenSpan[MessageFrame.HeaderLength..], _compressed);
        int compressed = _compressed.Length - MessageFrame.HeaderLength;
        if (compressed >= payload)
        {
            return false;
        }

        MessageFrame.Write(_compressed.WrittenSpan, compressed: true, compressed);
        return true;
    }

    private void ThrowIfTooLarge(int payload)
    {
        if (payload > maxPayload)
        {
            throw new RpcException(new Status(
                StatusCode.ResourceExhausted, $"Sending message larger than max ({payload} vs. {maxPayload} bytes)."));
        }
    }
}
