namespace Grpc.Core;

/// <summary>Messages in the order in which they arrive.</summary>
public interface IAsyncStreamReader<out T>
{
    /// <summary>The message that the last successful <see cref="MoveNext"/> found.</summary>
    T Current { get; }

    /// <summary>Waits for the next message; false at the end of the stream. One call at a time.</summary>
    /// <exception cref="RpcException">The call ended in another status than OK.</exception>
    Task<bool> MoveNext(CancellationToken cancellationToken);
}

/// <summary>Sends messages in order, at the pace of the receiver.</summary>
public interface IAsyncStreamWriter<in T>
{
    /// <summary>Options of the following writes; null means the defaults of the call.</summary>
    WriteOptions? WriteOptions { get; set; }

    /// <summary>Completes when the transport took the message, which waits for the receiver's flow control window. One call at a
    /// time.</summary>
    Task WriteAsync(T message);

    /// <summary>As <see cref="WriteAsync(T)"/>; cancelling it ends the call, because a message may have left in part.</summary>
    Task WriteAsync(T message, CancellationToken cancellationToken)
    {
        if (cancellationToken.CanBeCanceled)
        {
            throw new NotSupportedException("Cancellation of stream writes is not supported by this stream writer.");
        }

        return WriteAsync(message);
    }
}

/// <summary>The client's half of a stream.</summary>
public interface IClientStreamWriter<in T> : IAsyncStreamWriter<T>
{
    /// <summary>Half-closes: the server sees the end of the stream, and may go on answering.</summary>
    Task CompleteAsync();
}

/// <summary>The server's half of a stream; the handler's return ends it.</summary>
public interface IServerStreamWriter<in T> : IAsyncStreamWriter<T>
{
}
