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
