using NodeAgent.Rpc.Blocking;
using NodeAgent.Rpc.Blocking.Http2;

namespace NodeAgent.Rpc.Tests.Blocking;

/// <summary>A session without a socket: a test is the server, byte by byte.</summary>
internal sealed class SessionDriver
{
    private readonly List<byte> _written = [];

    internal SessionDriver(BlockingConnectionOptions? options = null, bool greeted = true)
    {
        Session = new Http2Session(options ?? new BlockingConnectionOptions(), isTls: false, "peer:1");
        if (greeted)
        {
            Feed(Frames.Settings());
        }
    }

    internal Http2Session Session { get; }

    internal (BlockingStream Stream, RecordingSink Sink) Open(RecordingSink? sink = null)
    {
        sink ??= new RecordingSink();
        return (Session.OpenStream("/s/m", null, sink), sink);
    }

    internal void Feed(params IEnumerable<byte[]> frames)
    {
        byte[] bytes = [.. frames.SelectMany(frame => frame)];
        Session.Input.EnsureFree(bytes.Length);
        bytes.CopyTo(Session.Input.Array, Session.Input.Offset);
        Session.Input.Commit(bytes.Length);
        Session.ProcessInput();
    }

    /// <summary>The socket takes all there is. What was written since the last look, frame by frame, without the preface.</summary>
    internal List<(FrameHeader Header, byte[] Payload)> Written()
    {
        while (Session.Output.Length > 0)
        {
            _written.AddRange(Session.Output.Array.AsSpan(Session.Output.Offset, Session.Output.Length));
            Session.Output.Consume(Session.Output.Length);
            Session.Advance();
        }

        byte[] bytes = [.. _written];
        _written.Clear();
        ReadOnlySpan<byte> preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8;
        int at = bytes.AsSpan().StartsWith(preface) ? preface.Length : 0;
        List<(FrameHeader, byte[])> frames = [];
        while (at < bytes.Length)
        {
            FrameHeader header = FrameHeader.Read(bytes.AsSpan(at));
            frames.Add((header, bytes[(at + FrameHeader.Size)..(at + FrameHeader.Size + header.Length)]));
            at += FrameHeader.Size + header.Length;
        }

        return frames;
    }
}
