using System.Net;

namespace NodeAgent.Rpc.Client;

/// <summary>A request body. Being neither a string nor a stream content lets HttpClient answer while it is still being sent.</summary>
internal abstract class RpcRequestContent : HttpContent
{
    /// <summary>Ends the body; the call is over or its writer has completed.</summary>
    internal abstract void Complete();

    /// <inheritdoc/>
    protected sealed override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    /// <inheritdoc/>
    protected sealed override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }
}

/// <summary>The one message of a unary or server-streaming call, encoded before.</summary>
internal sealed class SingleMessageContent(ReadOnlyMemory<byte> frame) : RpcRequestContent
{
    internal override void Complete()
    {
        // Its end is the end of its only write.
    }

    // May run twice: HttpClient sends again what a server that is going away did not accept.
    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken) =>
        stream.WriteAsync(frame, cancellationToken).AsTask();
}

/// <summary>The body of a streaming call: lends its transport stream to the writer and stays until the call is over.</summary>
internal sealed class StreamingContent : RpcRequestContent
{
    // Continuations must not run inside the completing thread: HttpClient cancels its token while it holds the connection's lock.
    private readonly TaskCompletionSource _end = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource<Stream> _stream = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _lent;

    /// <summary>The transport stream once the request headers are on their way. Never completes when the connection fails: race
    /// it.</summary>
    internal Task<Stream> TransportStream => Volatile.Read(ref _stream).Task;

    /// <summary>Set by the writer before its first byte: from then on the body cannot start again.</summary>
    internal bool Started { get; set; }

    internal override void Complete() => _end.TrySetResult();

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        if (_lent)
        {
            // HttpClient repeats a request that a departing server did not accept.
            if (Started)
            {
                throw new IOException("The server went away after the first messages were sent; they cannot be sent again.");
            }

            Volatile.Write(ref _stream, new TaskCompletionSource<Stream>(TaskCreationOptions.RunContinuationsAsynchronously));
        }

        _lent = true;

        // Otherwise the request headers wait for the first message, and a server that speaks first is never asked.
        await stream.FlushAsync(cancellationToken).ConfigureAwait(false);
        _stream.TrySetResult(stream);
        await _end.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
    }
}
