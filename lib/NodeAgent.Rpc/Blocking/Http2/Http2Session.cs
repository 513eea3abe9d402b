using Grpc.Core;
using NodeAgent.Rpc.Blocking.Hpack;
using NodeAgent.Rpc.Wire;

namespace NodeAgent.Rpc.Blocking.Http2;

/// <summary>
/// The client's half of one HTTP/2 connection (RFC 9113) with gRPC on its streams, without any input or output of its own: bytes that came
/// go in, bytes to write pile up in <see cref="Output"/>. So a fuzzer, a test and a socket can drive it alike. One thread.
/// </summary>
internal sealed partial class Http2Session
{
    // What may wait towards the socket before streams have to: four TLS records keep a fast link busy between two calls of Wait.
    private const int OutputEnough = 64 * 1024;

    // Answers to PING and SETTINGS that a peer makes us queue while it reads nothing. Nobody does that without malice.
    private const int OutputTooMuch = 1024 * 1024;

    private const int LastStreamId = int.MaxValue;

    private readonly Dictionary<int, BlockingStream> _streams = [];
    private readonly BlockingConnectionOptions _options;
    private readonly bool _isTls;
    private readonly string _authority;
    private readonly string _userAgent;
    private readonly PeerSettings _peer = new();
    private readonly ReceiveWindow _receiveWindow = new();
    private readonly List<BlockingStream> _unsent = []; // streams that wait for credit with a message half sent
    private long _sendWindow = PeerSettings.DefaultWindow;
    private int _nextStreamId = 1;

    internal Http2Session(BlockingConnectionOptions options, bool isTls, string authority)
    {
        _options = options;
        _isTls = isTls;
        _authority = authority;
        _userAgent = options.UserAgent is null ? OwnUserAgent : $"{options.UserAgent} {OwnUserAgent}";
        _headers = new HeaderList(options.MaxHeaderBytes);
        WritePreface();
    }

    /// <summary>What the socket should get.</summary>
    internal OutputBuffer Output { get; } = new();

    /// <summary>What came and was not yet a whole frame.</summary>
    internal InputBuffer Input { get; } = new();

    /// <summary>The server has said that it takes no new streams; those there are may end in peace.</summary>
    internal bool IsDraining { get; private set; }

    /// <summary>The server has spoken HTTP/2 to us at all.</summary>
    internal bool HasSpoken { get; private set; }

    /// <summary>What the server's GOAWAY said; empty where it gave no reason.</summary>
    internal string GoAwayReason { get; private set; } = "";

    internal bool CanOpenStream => !IsDraining && _nextStreamId < LastStreamId && _streams.Count < _peer.MaxConcurrentStreams;

    private static string OwnUserAgent { get; } =
        $"grpc-nodeagent/{typeof(Http2Session).Assembly.GetName().Version?.ToString(3) ?? "0"}";

    internal BlockingStream OpenStream(string path, Metadata? metadata, IBlockingStreamSink sink)
    {
        BlockingStream stream = new(this, _nextStreamId, path, sink, _peer.InitialWindowSize, _options.MaxReceiveMessageBytes);
        _nextStreamId += 2;
        _streams.Add(stream.Id, stream);
        GrowingBuffer block = new();
        HpackEncoder.WriteRequest(block, _isTls, _authority, path, _userAgent, metadata);
        WriteHeaderBlock(stream.Id, block.WrittenSpan);
        block.Release();
        return stream;
    }

    internal bool CanSendOn(BlockingStream stream) => _sendWindow > 0 && stream.SendWindow > 0 && Output.Length < OutputEnough;

    internal void SendMessage(BlockingStream stream, ReadOnlySpan<byte> message)
    {
        Span<byte> prefix = stackalloc byte[MessageFrame.HeaderLength];
        MessageFrame.Write(prefix, compressed: false, message.Length);
        long credit = Math.Min(Math.Min(_sendWindow, stream.SendWindow), _peer.MaxFrameSize);
        if (MessageFrame.HeaderLength + (long)message.Length <= credit)
        {
            WriteDataHeader(stream, MessageFrame.HeaderLength + message.Length, FrameFlags.None);
            Output.Write(prefix);
            Output.Write(message);
            return;
        }

        stream.Unsent.Add(prefix);
        stream.Unsent.Add(message);
        _unsent.Add(stream);
        Advance();
    }

    internal void EndSending(BlockingStream stream)
    {
        if (stream.Unsent.Length == 0)
        {
            Output.WriteHeader(0, FrameType.Data, FrameFlags.EndStream, stream.Id);
        }
    }

    /// <summary>Sends what waited for credit or for room towards the socket. After either has grown.</summary>
    internal void Advance()
    {
        for (int i = _unsent.Count - 1; i >= 0; i--)
        {
            BlockingStream stream = _unsent[i];
            while (stream.Unsent.Length > 0 && CanSendOn(stream))
            {
                WriteUnsent(stream);
            }

            if (stream.Unsent.Length == 0)
            {
                _unsent.RemoveAt(i);
            }
        }
    }

    internal void SendPing()
    {
        Output.WriteHeader(PingLength, FrameType.Ping, FrameFlags.None, 0);
        Output.Write("nodeping"u8);
    }

    internal void SendGoAway(Http2Error error)
    {
        // The last stream of the server's that we handled: it has none.
        Output.WriteHeader(2 * sizeof(uint), FrameType.GoAway, FrameFlags.None, 0);
        Output.Write([0, 0, 0, 0, 0, 0, 0, (byte)error]);
    }

    internal void Reset(BlockingStream stream, Http2Error error) => Output.WriteNumber(FrameType.RstStream, stream.Id, (uint)error);

    internal void Forget(BlockingStream stream)
    {
        _streams.Remove(stream.Id);
        _unsent.Remove(stream);
        stream.Unsent.Clear();
    }

    /// <summary>The connection is over, and with it every stream.</summary>
    internal void CloseAll(Status status)
    {
        IsDraining = true;
        foreach (BlockingStream stream in _streams.Values.ToArray())
        {
            stream.Close(status, Metadata.Empty);
        }
    }

    private void WritePreface()
    {
        Output.Write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8);
        Output.WriteHeader(3 * 6, FrameType.Settings, FrameFlags.None, 0);

        // No table: an answer's headers come once a stream, and remembering them costs more than they do.
        Output.WriteSetting(PeerSettings.HeaderTableSize, 0);
        Output.WriteSetting(PeerSettings.EnablePush, 0);
        Output.WriteSetting(PeerSettings.MaxHeaderListSize, (uint)_options.MaxHeaderBytes);
    }

    private void WriteHeaderBlock(int streamId, ReadOnlySpan<byte> block)
    {
        FrameType type = FrameType.Headers;
        do
        {
            int length = Math.Min(block.Length, _peer.MaxFrameSize);
            FrameFlags flags = length == block.Length ? FrameFlags.EndHeaders : FrameFlags.None;
            Output.WriteHeader(length, type, flags, streamId);
            Output.Write(block[..length]);
            block = block[length..];
            type = FrameType.Continuation;
        }
        while (!block.IsEmpty);
    }

    private void WriteUnsent(BlockingStream stream)
    {
        long credit = Math.Min(Math.Min(_sendWindow, stream.SendWindow), Math.Min(_peer.MaxFrameSize, FrameHeader.DefaultMaxLength));
        int length = (int)Math.Min(credit, stream.Unsent.Length);
        bool isLast = stream.IsSendClosed && length == stream.Unsent.Length;
        WriteDataHeader(stream, length, isLast ? FrameFlags.EndStream : FrameFlags.None);
        Output.Write(stream.Unsent.Span[..length]);
        stream.Unsent.Consume(length);
    }

    private void WriteDataHeader(BlockingStream stream, int length, FrameFlags flags)
    {
        _sendWindow -= length;
        stream.SendWindow -= length;
        Output.WriteHeader(length, FrameType.Data, flags, stream.Id);
    }
}
