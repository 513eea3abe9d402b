using Grpc.Core;

namespace NodeAgent.Rpc;

/// <summary>
/// A stream reader that allocates nothing per message in steady state. Every reader that a <see cref="RpcChannel"/> or the server
/// hands out implements it: cast the <see cref="IAsyncStreamReader{T}"/>.
/// </summary>
public interface IRpcStreamReader<out T> : IAsyncStreamReader<T>
{
    /// <summary>As <see cref="IAsyncStreamReader{T}.MoveNext"/>. Await the result exactly once.</summary>
    ValueTask<bool> ReadAsync(CancellationToken cancellationToken = default);
}

/// <summary>
/// A stream writer that allocates nothing per message in steady state. Every writer that a <see cref="RpcChannel"/> or the server
/// hands out implements it: cast the <see cref="IAsyncStreamWriter{T}"/>.
/// </summary>
public interface IRpcStreamWriter<in T> : IAsyncStreamWriter<T>
{
    /// <summary>As <see cref="IAsyncStreamWriter{T}.WriteAsync(T, CancellationToken)"/>. The message may be reused once this has completed.
    /// Await the result exactly once.</summary>
    ValueTask WriteMessageAsync(T message, CancellationToken cancellationToken = default);
}

/// <summary>The streams without allocation where they can, and as the official packages have them otherwise.</summary>
public static class RpcStreamExtensions
{
    /// <summary><see cref="IRpcStreamWriter{T}.WriteMessageAsync"/>, or <see cref="IAsyncStreamWriter{T}.WriteAsync(T, CancellationToken)"/> where the stream is another's.</summary>
    public static ValueTask SendAsync<T>(this IAsyncStreamWriter<T> stream, T message, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(stream);
        return stream is IRpcStreamWriter<T> ours
            ? ours.WriteMessageAsync(message, cancellationToken)
            : new ValueTask(stream.WriteAsync(message, cancellationToken));
    }

    /// <summary><see cref="IRpcStreamReader{T}.ReadAsync"/>, or <see cref="IAsyncStreamReader{T}.MoveNext"/> where the stream is another's.</summary>
    public static ValueTask<bool> NextAsync<T>(this IAsyncStreamReader<T> stream, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(stream);
        return stream is IRpcStreamReader<T> ours ? ours.ReadAsync(cancellationToken) : new ValueTask<bool>(stream.MoveNext(cancellationToken));
    }
}
