using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using Grpc.Core;
using NodeAgent.Rpc.Wire;

namespace NodeAgent.Rpc.Server.Calls;

/// <summary>The responses of a call: one copy into Kestrel's buffer and one flush for each message.</summary>
internal sealed class ServerStreamWriter<T>(ServerCall call, Marshaller<T> marshaller, YieldCounter yield)
    : IServerStreamWriter<T>, IRpcStreamWriter<T>, ICallBuffers
    where T : class
{
    // Kestrel counts only flushed bytes against its limit: messages with a buffer hint would pile up without end.
    private const int MaxUnflushed = 32 * 1024;

    private readonly MessageEncoder _encoder = new(call.Options.MaxSendMessageSize);
    private int _unflushed;

    public WriteOptions? WriteOptions { get; set; }

    public Task WriteAsync(T message) => WriteMessageAsync(message).AsTask();

    public Task WriteAsync(T message, CancellationToken cancellationToken) => WriteMessageAsync(message, cancellationToken).AsTask();

    public ValueTask WriteMessageAsync(T message, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(message);
        cancellationToken.ThrowIfCancellationRequested();
        if (!call.TryBeginWrite())
        {
            throw call.EndReason != EndReason.None
                ? call.ToException()
                : new InvalidOperationException("A write is pending, or the call has ended; only one write at a time.");
        }

        return WriteCoreAsync(message, cancellationToken);
    }

    /// <summary>The memory goes back. Only after the status went out and with no write pending.</summary>
    public void Release() => _encoder.Release();

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask WriteCoreAsync(T message, CancellationToken cancellationToken)
    {
        try
        {
            if (call.EndReason != EndReason.None)
            {
                throw call.ToException();
            }

            bool flush = Buffer(message);
            if (flush)
            {
                await FlushAsync(cancellationToken).ConfigureAwait(false);
            }

            if (yield.Due())
            {
                await Task.Yield();
            }
        }
        catch (Exception e) when (
            e is ObjectDisposedException or not (RpcException or InvalidOperationException or OperationCanceledException))
        {
            throw call.EndReason != EndReason.None
                ? call.ToException()
                : new RpcException(new Status(StatusCode.Cancelled, "The client's connection broke.", e));
        }
        finally
        {
            call.EndWrite();
        }
    }

    private bool Buffer(T message)
    {
        WriteFlags flags = (WriteOptions ?? call.WriteOptions)?.Flags ?? WriteFlags.None;
        bool compress = call.Compresses && (flags & WriteFlags.NoCompress) == 0;
        ReadOnlySpan<byte> frame = _encoder.Encode(marshaller, message, compress).Span;
        PipeWriter pipe = call.Http.Response.BodyWriter;
        frame.CopyTo(pipe.GetSpan(frame.Length));
        pipe.Advance(frame.Length);
        _unflushed += frame.Length;
        _encoder.Trim();
        return (flags & WriteFlags.BufferHint) == 0 || _unflushed >= MaxUnflushed;
    }

    private async ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        _unflushed = 0;
        FlushResult result = await call.Http.Response.BodyWriter.FlushAsync(cancellationToken).ConfigureAwait(false);
        if (result.IsCanceled || result.IsCompleted)
        {
            throw call.EndReason != EndReason.None
                ? call.ToException()
                : new RpcException(new Status(StatusCode.Cancelled, "The client takes no more responses."));
        }
    }
}
