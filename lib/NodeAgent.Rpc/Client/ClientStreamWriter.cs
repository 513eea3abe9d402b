using System.Runtime.CompilerServices;
using Grpc.Core;
using NodeAgent.Rpc.Wire;

namespace NodeAgent.Rpc.Client;

/// <summary>The requests of a streaming call: one encoder, one write and one flush for each message.</summary>
internal sealed class ClientStreamWriter<T>(ClientCall call, StreamingContent content, Marshaller<T> marshaller)
    : IClientStreamWriter<T>, IRpcStreamWriter<T>
    where T : class
{
    private readonly MessageEncoder _encoder = new(call.Limits.MaxSendMessageSize);
    private Stream? _stream;
    private int _writing;
    private bool _completed;
    private bool _writeFailed;

    public WriteOptions? WriteOptions { get; set; } = call.Options.WriteOptions;

    public Task WriteAsync(T message) => WriteMessageAsync(message, CancellationToken.None).AsTask();

    public Task WriteAsync(T message, CancellationToken cancellationToken) => WriteMessageAsync(message, cancellationToken).AsTask();

    public ValueTask WriteMessageAsync(T message, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(message);
        if (Interlocked.Exchange(ref _writing, 1) != 0)
        {
            throw new InvalidOperationException("A write is pending; only one at a time.");
        }

        return WriteCoreAsync(message, cancellationToken);
    }

    public Task CompleteAsync()
    {
        if (Interlocked.Exchange(ref _writing, 1) != 0)
        {
            throw new InvalidOperationException("A write is pending; complete the stream after it.");
        }

        if (!_completed)
        {
            _completed = true;
            if (!_writeFailed)
            {
                // After a failed write nobody knows whether the transport still looks at the buffer; then it is left to the collector.
                _encoder.Release();
            }

            content.Complete();
        }

        Volatile.Write(ref _writing, 0);
        return Task.CompletedTask;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask WriteCoreAsync(T message, CancellationToken cancellationToken)
    {
        CancellationTokenRegistration registration = cancellationToken.UnsafeRegister(
            static state => ((ClientCall)state!).Cancel("The write was cancelled by the caller."), call);
        try
        {
            ThrowIfOver();
            WriteFlags flags = WriteOptions?.Flags ?? WriteFlags.None;
            bool compress = call.Limits.CompressRequests && (flags & WriteFlags.NoCompress) == 0;
            ReadOnlyMemory<byte> frame = _encoder.Encode(marshaller, message, compress);
            await SendAsync(frame, flush: (flags & WriteFlags.BufferHint) == 0).ConfigureAwait(false);
            _encoder.Trim();
        }
        finally
        {
            registration.Unregister();
            Volatile.Write(ref _writing, 0);
        }
    }

    private void ThrowIfOver()
    {
        if (_completed)
        {
            throw new InvalidOperationException("The stream was completed; nothing more can be written.");
        }

        if (call.HasEnded)
        {
            throw call.ToException();
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask SendAsync(ReadOnlyMemory<byte> frame, bool flush)
    {
        try
        {
            _stream ??= await WaitForStreamAsync().ConfigureAwait(false);
            await _stream.WriteAsync(frame, call.AbortToken).ConfigureAwait(false);
            if (flush)
            {
                await _stream.FlushAsync(call.AbortToken).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is not RpcException)
        {
            throw await ToCallFailureAsync(e).ConfigureAwait(false);
        }
    }

    private async Task<Stream> WaitForStreamAsync()
    {
        // The connection may fail before it lends a stream; then the call has its status.
        Task<Stream> stream = content.TransportStream;
        if (!stream.IsCompletedSuccessfully)
        {
            await Task.WhenAny((Task)stream, call.ResponseBody).ConfigureAwait(false);
        }

        if (call.HasEnded)
        {
            throw call.ToException();
        }

        content.Started = true;
        return await content.TransportStream.ConfigureAwait(false);
    }

    // The server may end a stream, with a status of its own, while we still write: then the status is what went wrong, not the write.
    private async Task<RpcException> ToCallFailureAsync(Exception exception)
    {
        _writeFailed = true;
        await call.ResponseBody.ConfigureAwait(false);
        return call.HasEnded
            ? call.ToException()
            : new RpcException(new Status(
                StatusCode.Unavailable, "The server takes no more messages; its status comes after its responses.", exception));
    }
}
