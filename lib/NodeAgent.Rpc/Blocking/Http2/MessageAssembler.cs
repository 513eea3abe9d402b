using System.Buffers.Binary;
using Grpc.Core;
using NodeAgent.Rpc.Wire;

namespace NodeAgent.Rpc.Blocking.Http2;

/// <summary>
/// Cuts the bytes of a stream into messages. A message that lies whole in what was received is handed on where it is; only one that is
/// spread over several frames is copied together, and memory for it is taken as its bytes come, never as its header claims.
/// </summary>
internal sealed class MessageAssembler(int maxMessageBytes)
{
    private readonly GrowingBuffer _partial = new();
    private int _payloadLength; // of the partial message, once its header is whole
    private bool _isDelivering;

    /// <summary>Part of a message has come, and not the rest.</summary>
    internal bool IsInsideMessage => _partial.Length > 0 && !_isDelivering;

    /// <summary>Takes one message off the front; false when all bytes are taken and none is whole. After true comes either
    /// <see cref="Delivered"/> or, where the error is not OK, nothing any more.</summary>
    internal bool TryTake(ref ReadOnlySpan<byte> data, out ReadOnlySpan<byte> message, out Status error)
    {
        message = default;
        error = Status.DefaultSuccess;
        if (_partial.Length == 0 && data.Length >= MessageFrame.HeaderLength)
        {
            if (!TryReadLength(data, out int length, out error))
            {
                return true;
            }

            if (data.Length - MessageFrame.HeaderLength >= length)
            {
                message = data.Slice(MessageFrame.HeaderLength, length);
                data = data[(MessageFrame.HeaderLength + length)..];
                return true;
            }
        }

        return TryComplete(ref data, out message, out error);
    }

    /// <summary>The message last taken has been used.</summary>
    internal void Delivered()
    {
        if (_isDelivering)
        {
            _isDelivering = false;
            _partial.Reset();
        }
    }

    private bool TryComplete(ref ReadOnlySpan<byte> data, out ReadOnlySpan<byte> message, out Status error)
    {
        message = default;
        error = Status.DefaultSuccess;
        if (_partial.Length < MessageFrame.HeaderLength)
        {
            Copy(ref data, MessageFrame.HeaderLength);
            if (_partial.Length < MessageFrame.HeaderLength)
            {
                return false;
            }

            if (!TryReadLength(_partial.WrittenSpan, out _payloadLength, out error))
            {
                return true;
            }
        }

        Copy(ref data, MessageFrame.HeaderLength + _payloadLength);
        if (_partial.Length < MessageFrame.HeaderLength + _payloadLength)
        {
            return false;
        }

        _isDelivering = true;
        message = _partial.WrittenSpan[MessageFrame.HeaderLength..];
        return true;
    }

    private void Copy(ref ReadOnlySpan<byte> data, int upTo)
    {
        int count = Math.Min(upTo - _partial.Length, data.Length);
        _partial.Write(data[..count]);
        data = data[count..];
    }

    private bool TryReadLength(ReadOnlySpan<byte> header, out int length, out Status error)
    {
        uint announced = BinaryPrimitives.ReadUInt32BigEndian(header[1..]);
        length = (int)Math.Min(announced, int.MaxValue);
        error = header[0] switch
        {
            0 when announced > (uint)maxMessageBytes => MessageFrame.TooLarge(announced, maxMessageBytes).Status,
            0 => Status.DefaultSuccess,
            1 => new Status(StatusCode.Internal, "Malformed frame: the message is compressed, which we did not offer to read."),
            _ => new Status(StatusCode.Internal, $"Malformed frame: the compression flag is {header[0]}, not 0 or 1."),
        };
        return error.StatusCode == StatusCode.OK;
    }
}
