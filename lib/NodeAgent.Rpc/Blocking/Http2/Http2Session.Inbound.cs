using System.Buffers.Binary;
using System.Text;
using Grpc.Core;
using NodeAgent.Rpc.Blocking.Hpack;
using NodeAgent.Rpc.Wire;

namespace NodeAgent.Rpc.Blocking.Http2;

/// <summary>Frames as they come.</summary>
internal sealed partial class Http2Session
{
    private const int PingLength = 8;

    // Encoded bytes of one header block over all its frames. Past it the block cannot even be skipped without keeping it, and with it goes
    // the state of the header table: the connection ends.
    private const int MaxHeaderBlock = 64 * 1024;

    private readonly HpackDecoder _hpack = new();
    private readonly HeaderList _headers;
    private GrowingBuffer? _headerBlock; // while CONTINUATION frames are due
    private FrameHeader _headerBlockStart;
    private int _continuations;
    private bool _isFirstFrame = true;

    /// <summary>Handles every whole frame that has come.</summary>
    /// <exception cref="Http2Exception">The server broke the protocol.</exception>
    internal void ProcessInput()
    {
        while (Input.Received.Length >= FrameHeader.Size)
        {
            FrameHeader header = FrameHeader.Read(Input.Received);
            ThrowIfUnexpected(header);
            int whole = FrameHeader.Size + header.Length;
            if (Input.Received.Length < whole)
            {
                Input.EnsureFree(whole - Input.Received.Length);
                return;
            }

            // The sink may look at the payload until Handle returns; consuming moves no bytes.
            ReadOnlySpan<byte> payload = Input.Received.Slice(FrameHeader.Size, header.Length);
            Input.Consume(whole);
            Handle(header, payload);
            if (Output.Length > OutputTooMuch)
            {
                throw new Http2Exception(Http2Error.EnhanceYourCalm, $"{Output.Length} bytes of answers wait for a server that reads none");
            }
        }
    }

    private static Http2Exception Broken(string message) => new(Http2Error.ProtocolError, message);

    private void ThrowIfUnexpected(FrameHeader header)
    {
        if (_isFirstFrame && (header.Type != FrameType.Settings || header.IsAck || header.StreamId != 0))
        {
            throw Broken(NotHttp2());
        }

        if (header.Length > FrameHeader.DefaultMaxLength)
        {
            throw new Http2Exception(Http2Error.FrameSizeError, $"{header.Type} frame of {header.Length} bytes");
        }

        if (_headerBlock is not null && (header.Type != FrameType.Continuation || header.StreamId != _headerBlockStart.StreamId))
        {
            throw Broken($"{header.Type} frame inside a header block");
        }

        _isFirstFrame = false;
    }

    // The commonest mistakes of a configuration, said by name.
    private string NotHttp2() => Input.Received switch
    {
        [(byte)'H', (byte)'T', (byte)'T', (byte)'P', (byte)'/', ..] => "it speaks HTTP/1.1, not HTTP/2",
        [0x15, 0x03, ..] => "it expects TLS: write https",
        _ => "it does not speak HTTP/2",
    };

    private void Handle(FrameHeader header, ReadOnlySpan<byte> payload)
    {
        switch (header.Type)
        {
            case FrameType.Data:
                OnData(header, payload);
                break;
            case FrameType.Headers:
                OnHeaders(header, payload);
                break;
            case FrameType.Continuation:
                OnContinuation(header, payload);
                break;
            case FrameType.RstStream:
                OnReset(header, payload);
                break;
            case FrameType.Settings:
                OnSettings(header, payload);
                break;
            case FrameType.Ping:
                OnPing(header, payload);
                break;
            case FrameType.GoAway:
                OnGoAway(header, payload);
                break;
            case FrameType.WindowUpdate:
                OnWindowUpdate(header, payload);
                break;
            case FrameType.PushPromise:
                throw Broken("PUSH_PROMISE, which we switched off");
            case FrameType.Priority:
                RequireLength(header, 5);
                RequireStream(header);
                break;
            default:
                break; // RFC 9113, section 4.1: frames of an unknown type are ignored
        }
    }

    private void OnData(FrameHeader header, ReadOnlySpan<byte> payload)
    {
        RequireStream(header);
        BlockingStream? stream = Find(header);
        Credit(0, _receiveWindow.Take(header.Length));
        ReadOnlySpan<byte> data = WithoutPadding(header, payload);
        if (stream is null)
        {
            return; // In flight when we ended the stream.
        }

        if (!stream.HasHead)
        {
            stream.Abort(Http2Error.ProtocolError, new Status(StatusCode.Internal, "The server sent a message before its headers."));
            return;
        }

        if (!header.IsEndOfStream)
        {
            Credit(stream.Id, stream.ReceiveWindow.Take(header.Length));
        }

        stream.Receive(data);
        if (header.IsEndOfStream && stream.IsOpen)
        {
            stream.ReceiveEnd(Answer.NoStatus(), Metadata.Empty);
        }
    }

    private void Credit(int streamId, int credit)
    {
        if (credit > 0)
        {
            Output.WriteNumber(FrameType.WindowUpdate, streamId, (uint)credit);
        }
    }

    private void OnHeaders(FrameHeader header, ReadOnlySpan<byte> payload)
    {
        RequireStream(header);
        ReadOnlySpan<byte> fragment = WithoutPadding(header, payload);
        if (header.HasPriority)
        {
            fragment = fragment.Length >= 5 ? fragment[5..] : throw new Http2Exception(Http2Error.FrameSizeError, "HEADERS cut short");
        }

        if (header.IsEndOfHeaders)
        {
            OnHeaderBlock(header, fragment);
            return;
        }

        _headerBlockStart = header;
        _continuations = 0;
        _headerBlock = new GrowingBuffer();
        _headerBlock.Write(fragment);
    }

    private void OnContinuation(FrameHeader header, ReadOnlySpan<byte> payload)
    {
        if (_headerBlock is null)
        {
            throw Broken("CONTINUATION without HEADERS");
        }

        // Empty ones cost the peer nothing and us a loop: as many as the largest block would fill is enough for anybody.
        _headerBlock.Write(payload);
        if (_headerBlock.Length > MaxHeaderBlock || ++_continuations > MaxHeaderBlock / 1024)
        {
            string size = $"a header block of {_headerBlock.Length} bytes in {_continuations} frames";
            throw new Http2Exception(Http2Error.EnhanceYourCalm, size);
        }

        if (header.IsEndOfHeaders)
        {
            GrowingBuffer block = _headerBlock;
            _headerBlock = null;
            OnHeaderBlock(_headerBlockStart, block.WrittenSpan);
            block.Release();
        }
    }

    private void OnHeaderBlock(FrameHeader header, ReadOnlySpan<byte> block)
    {
        // Decoded whether anybody wants it or not: the next block may refer to it.
        _headers.Clear();
        _hpack.Decode(block, _headers);
        BlockingStream? stream = Find(header);
        if (stream is null)
        {
            return;
        }

        if (_headers.IsTooLarge)
        {
            string limit = $"The server sent more than {_options.MaxHeaderBytes} bytes of headers.";
            stream.Abort(Http2Error.Cancel, new Status(StatusCode.ResourceExhausted, limit));
        }
        else if (!Answer.IsWellFormed(_headers, isHead: !stream.HasHead) || (stream.HasHead && !header.IsEndOfStream))
        {
            stream.Abort(Http2Error.ProtocolError, new Status(StatusCode.Internal, "The server sent malformed headers."));
        }
        else
        {
            OnAnswer(stream, header.IsEndOfStream);
        }
    }

    private void OnAnswer(BlockingStream stream, bool isEnd)
    {
        bool isHead = !stream.HasHead;
        if (isHead && Answer.ReadHttpStatus(_headers) < 200)
        {
            // RFC 9110, section 15.2: an interim answer is followed by the real one. Ending with it is malformed.
            if (isEnd)
            {
                Status status = new(StatusCode.Internal, "The server ended the call with an interim answer.");
                stream.Abort(Http2Error.ProtocolError, status);
            }

            return;
        }

        stream.HasHead = true;
        if (isEnd)
        {
            stream.ReceiveEnd(Answer.ReadStatus(_headers, isHead), Answer.ReadTrailers(_headers));
        }
        else if (Answer.JudgeHead(_headers) is { StatusCode: not StatusCode.OK } notRpc)
        {
            stream.Abort(Http2Error.Cancel, notRpc);
        }
    }

    private void OnReset(FrameHeader header, ReadOnlySpan<byte> payload)
    {
        RequireLength(header, sizeof(uint));
        RequireStream(header);
        uint error = BinaryPrimitives.ReadUInt32BigEndian(payload);
        Status status = new(StatusMapping.FromHttp2Error(error), $"The server reset the stream (HTTP/2 error {error}).");
        Find(header)?.Close(status, Metadata.Empty);
    }

    private void OnSettings(FrameHeader header, ReadOnlySpan<byte> payload)
    {
        RequireConnection(header);
        if (header.IsAck)
        {
            RequireLength(header, 0);
            _hpack.LimitTable(0);
            return;
        }

        int windowBefore = _peer.InitialWindowSize;
        _peer.Read(payload);
        HasSpoken = true;
        foreach (BlockingStream stream in _streams.Values)
        {
            stream.SendWindow = Grow(stream.SendWindow, _peer.InitialWindowSize - windowBefore);
        }

        Output.WriteHeader(0, FrameType.Settings, FrameHeader.Ack, 0);
        Advance();
    }

    private void OnPing(FrameHeader header, ReadOnlySpan<byte> payload)
    {
        RequireConnection(header);
        RequireLength(header, PingLength);
        if (!header.IsAck)
        {
            Output.WriteHeader(PingLength, FrameType.Ping, FrameHeader.Ack, 0);
            Output.Write(payload);
        }
    }

    private void OnGoAway(FrameHeader header, ReadOnlySpan<byte> payload)
    {
        RequireConnection(header);
        if (payload.Length < 2 * sizeof(uint))
        {
            throw new Http2Exception(Http2Error.FrameSizeError, "GOAWAY cut short");
        }

        int last = (int)(BinaryPrimitives.ReadUInt32BigEndian(payload) & int.MaxValue);
        uint error = BinaryPrimitives.ReadUInt32BigEndian(payload[4..]);
        string debug = Encoding.UTF8.GetString(payload[8..]);
        IsDraining = true;
        GoAwayReason = (error, debug) is (0, "")
            ? "the server is stopping"
            : $"the server says goodbye (HTTP/2 error {error}) {debug}".TrimEnd();

        // The server has not looked at these and never will: they may be made again elsewhere.
        Status status = new(StatusCode.Unavailable, GoAwayReason);
        foreach (BlockingStream stream in _streams.Values.Where(stream => stream.Id > last).ToArray())
        {
            stream.Close(status, Metadata.Empty);
        }
    }

    private void OnWindowUpdate(FrameHeader header, ReadOnlySpan<byte> payload)
    {
        RequireLength(header, sizeof(uint));
        int increment = (int)(BinaryPrimitives.ReadUInt32BigEndian(payload) & int.MaxValue);
        if (header.StreamId == 0)
        {
            _sendWindow = Grow(_sendWindow, increment > 0 ? increment : throw Broken("WINDOW_UPDATE of 0"));
        }
        else if (Find(header) is { } stream)
        {
            if (increment == 0 || stream.SendWindow + increment > int.MaxValue)
            {
                stream.Abort(
                    increment == 0 ? Http2Error.ProtocolError : Http2Error.FlowControlError,
                    new Status(StatusCode.Internal, "The server sent a WINDOW_UPDATE out of range."));
                return;
            }

            stream.SendWindow += increment;
        }

        Advance();
    }

    private static long Grow(long window, long by) => window + by <= int.MaxValue
        ? window + by
        : throw new Http2Exception(Http2Error.FlowControlError, "a window beyond 2^31-1");

    /// <summary>The open stream of a frame; null for one that has ended.</summary>
    private BlockingStream? Find(FrameHeader header)
    {
        if (header.StreamId % 2 == 0 || header.StreamId >= _nextStreamId)
        {
            throw Broken($"{header.Type} frame on stream {header.StreamId}, which nobody opened");
        }

        return _streams.GetValueOrDefault(header.StreamId);
    }

    private static ReadOnlySpan<byte> WithoutPadding(FrameHeader header, ReadOnlySpan<byte> payload)
    {
        if (!header.IsPadded)
        {
            return payload;
        }

        if (payload.IsEmpty || payload[0] >= payload.Length)
        {
            throw Broken($"{header.Type} frame with more padding than payload");
        }

        return payload[1..^payload[0]];
    }

    private static void RequireLength(FrameHeader header, int length)
    {
        if (header.Length != length)
        {
            throw new Http2Exception(Http2Error.FrameSizeError, $"{header.Type} frame of {header.Length} bytes");
        }
    }

    private static void RequireConnection(FrameHeader header)
    {
        if (header.StreamId != 0)
        {
            throw Broken($"{header.Type} frame on stream {header.StreamId}");
        }
    }

    private static void RequireStream(FrameHeader header)
    {
        if (header.StreamId == 0)
        {
            throw Broken($"{header.Type} frame on no stream");
        }
    }
}
