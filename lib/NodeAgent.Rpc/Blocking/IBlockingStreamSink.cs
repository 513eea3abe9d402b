using Grpc.Core;

namespace NodeAgent.Rpc.Blocking;

/// <summary>
/// Who hears what comes in on a stream. Called on the connection's one thread, from inside <see cref="BlockingConnection.Wait"/> or the
/// call that ended the stream; may use the stream and the connection, but must not wait.
/// </summary>
public interface IBlockingStreamSink
{
    /// <summary>One whole message. The memory belongs to the connection and is gone when this returns.</summary>
    void OnMessage(BlockingStream stream, ReadOnlySpan<byte> message);

    /// <summary>The call is over; the last thing heard of it, and heard exactly once.</summary>
    /// <param name="stream">The stream.</param>
    /// <param name="status">What the server said, or what ended the stream on this side.</param>
    /// <param name="trailers">Without the names that gRPC itself uses; empty where none came.</param>
    void OnClosed(BlockingStream stream, Status status, Metadata trailers);
}
