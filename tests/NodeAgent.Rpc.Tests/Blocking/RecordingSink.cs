using Grpc.Core;
using NodeAgent.Rpc.Blocking;

namespace NodeAgent.Rpc.Tests.Blocking;

/// <summary>Keeps what a stream heard.</summary>
internal sealed class RecordingSink : IBlockingStreamSink
{
    internal List<byte[]> Messages { get; } = [];

    internal Status? Closed { get; private set; }

    internal Metadata Trailers { get; private set; } = Metadata.Empty;

    /// <summary>Done with each message after it was kept.</summary>
    internal Action<BlockingStream, byte[]>? Then { get; init; }

    public void OnMessage(BlockingStream stream, ReadOnlySpan<byte> message)
    {
        Assert.True(stream.IsOpen);
        Messages.Add(message.ToArray());
        Then?.Invoke(stream, Messages[^1]);
    }

    public void OnClosed(BlockingStream stream, Status status, Metadata trailers)
    {
        Assert.Null(Closed);
        Assert.False(stream.IsOpen);
        Closed = status;
        Trailers = trailers;
    }
}
