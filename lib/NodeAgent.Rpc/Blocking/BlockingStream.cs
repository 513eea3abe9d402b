using Grpc.Core;
using NodeAgent.Rpc.Blocking.Http2;
using NodeAgent.Rpc.Wire;

namespace NodeAgent.Rpc.Blocking;

/// <summary>One call on a <see cref="BlockingConnection"/>. Belongs to the connection's thread; nothing here ever waits.</summary>
public sealed class BlockingStream
{
    private readonly Http2Session _session;
    private readonly IBlockingStreamSink _sink;
    private readonly MessageAssembler _assembler;

    internal BlockingStream(Http2Session session, int id, string path, IBlockingStreamSink sink, long sendWindow, int maxMessageBytes)
    {
        _session = session;
        _sink = sink;
        _assembler = new MessageAssembler(maxMessageBytes);
        Id = id;
        Path = path;
        SendWindow = sendWindow;
    }

    /// <summary>The method, such as <c>/nodeagent.v1.AgentLink/Connect</c>.</summary>
    public string Path { get; }

    /// <summary>Whether the call goes on. False from the moment its sink hears of the end.</summary>
    public bool IsOpen { get; private set; } = true;

    /// <summary>
    /// Whether <see cref="TrySend"/> would take a message now. False for want of the server's credit or of room towards the socket:
    /// <see cref="BlockingConnection.Wait"/> returns when that may have changed.
    /// </summary>
    public bool IsWritable => IsOpen && !IsSendClosed && Unsent.Length == 0 && _session.CanSendOn(this);

    /// <summary>The HTTP/2 stream identifier; odd, rising.</summary>
    internal int Id { get; }

    /// <summary>Bytes of DATA that the server takes on this stream; below zero after it lowered its initial window.</summary>
    internal long SendWindow { get; set; }

    /// <summary>Bytes of DATA that came since the last WINDOW_UPDATE.</summary>
    internal ReceiveWindow ReceiveWindow { get; } = new();

    /// <summary>The rest of a message that had more bytes than there was credit.</summary>
    internal UnsentBytes Unsent { get; } = new();

    /// <summary>We said, or will say after <see cref="Unsent"/>, that no more comes.</summary>
    internal bool IsSendClosed { get; private set; }

    /// <summary>The answer's first header block has come.</summary>
    internal bool HasHead { get; set; }

    /// <summary>
    /// Sends a message, or as much of it as there is credit for and the rest by itself when more comes. The bytes are copied; they leave
    /// with the next <see cref="BlockingConnection.Wait"/> or <see cref="BlockingConnection.Flush"/>. False where <see cref="IsWritable"/>
    /// is: nothing of it was sent.
    /// </summary>
    public bool TrySend(ReadOnlySpan<byte> message)
    {
        if (!IsWritable)
        {
            return false;
        }

        _session.SendMessage(this, message);
        return true;
    }

    /// <summary>Ends our side of the call after what was sent; the server may go on.</summary>
    public void CloseSend()
    {
        if (IsOpen && !IsSendClosed)
        {
            IsSendClosed = true;
            _session.EndSending(this);
        }
    }

    /// <summary>Gives the call up: the sink hears CANCELLED before this returns.</summary>
    public void Cancel() => Abort(Http2Error.Cancel, Status.DefaultCancelled);

    /// <summary>Payload of a DATA frame, without padding.</summary>
    internal void Receive(ReadOnlySpan<byte> data)
    {
        while (IsOpen && _assembler.TryTake(ref data, out ReadOnlySpan<byte> message, out Status error))
        {
            if (error.StatusCode != StatusCode.OK)
            {
                Abort(Http2Error.Cancel, error);
                return;
            }

            _sink.OnMessage(this, message);
            _assembler.Delivered();
        }
    }

    /// <summary>The server has ended the call with this word.</summary>
    internal void ReceiveEnd(Status status, Metadata trailers)
    {
        if (status.StatusCode == StatusCode.OK && _assembler.IsInsideMessage)
        {
            status = MessageFrame.Truncated().Status;
        }

        // Whoever has not said its last word by then never will: the server need not keep the stream for it.
        if (!IsSendClosed || Unsent.Length > 0)
        {
            _session.Reset(this, Http2Error.NoError);
        }

        Close(status, trailers);
    }

    /// <summary>This side ends the call and tells the server so.</summary>
    internal void Abort(Http2Error error, Status status)
    {
        if (IsOpen)
        {
            _session.Reset(this, error);
            Close(status, Metadata.Empty);
        }
    }

    /// <summary>The call is over and the server knows, or is gone.</summary>
    internal void Close(Status status, Metadata trailers)
    {
        if (!IsOpen)
        {
            return;
        }

        IsOpen = false;
        _session.Forget(this);
        _sink.OnClosed(this, status, trailers);
    }
}
