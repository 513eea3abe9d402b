using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Primitives;
using NodeAgent.Rpc.Wire;

namespace NodeAgent.Rpc.Server.Calls;

/// <summary>What goes back to the client: headers, then messages (in the writer), then the status, exactly once.</summary>
internal sealed partial class ServerCall
{
    private const int Http2NoError = 0x0;
    private const int Http2Cancel = 0x8;

    // Continuations elsewhere: the deadline fires on a timer thread and the client's reset on the connection's own.
    private readonly TaskCompletionSource _interrupted = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _headersPrepared;
    private bool _messageWritten;
    private bool _writing;
    private bool _answered;
    private TaskCompletionSource? _writeEnded;

    /// <summary>What the client was told, or would have been told.</summary>
    internal Status Outcome { get; private set; }

    /// <summary>Completes when the call is interrupted from outside.</summary>
    internal Task Interrupted => _interrupted.Task;

    /// <summary>The requests; set before the handler runs.</summary>
    internal ICallBuffers? Reader { get; set; }

    /// <summary>The responses; set before the handler runs.</summary>
    internal ICallBuffers? Writer { get; set; }

    /// <summary>Whether responses of this call are compressed.</summary>
    internal bool Compresses { get; private set; }

    /// <summary>Before anything is written: takes the response for a message. False once the status is out or a write is pending.</summary>
    internal bool TryBeginWrite()
    {
        lock (_endLock)
        {
            if (_answered || _writing)
            {
                return false;
            }

            _writing = true;
        }

        PrepareHeaders();
        _messageWritten = true;
        return true;
    }

    internal void EndWrite()
    {
        lock (_endLock)
        {
            _writing = false;
            _writeEnded?.TrySetResult();
        }
    }

    /// <summary>Sends the status of a handler that has returned, after a write that it left pending.</summary>
    internal async Task AnswerAsync(Status status)
    {
        Task? writeEnded = null;
        lock (_endLock)
        {
            if (_writing)
            {
                _writeEnded = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                writeEnded = _writeEnded.Task;
            }
        }

        if (writeEnded is not null)
        {
            await Task.WhenAny(writeEnded, Interrupted).ConfigureAwait(false);
        }

        await AnswerOnceAsync(status, _responseTrailers).ConfigureAwait(false);
    }

    /// <summary>Sends the status of an interrupted call whose handler may still run. Its trailers are its own until it returns.</summary>
    internal Task AnswerInterruptedAsync() => AnswerOnceAsync(StatusOf(EndReason), null);

    // Once; and on a connection that is gone it does nothing.
    private async Task AnswerOnceAsync(Status status, Metadata? trailers)
    {
        lock (_endLock)
        {
            if (_answered)
            {
                return;
            }

            _answered = true;
            Outcome = status;
            if (_writing)
            {
                // Somebody is inside a write, so the response is not ours to touch: the stream is reset. The client knows its own deadline;
                // when the server drains it sees CANCELLED instead of UNAVAILABLE.
                Reset(Http2Cancel);
                return;
            }
        }

        if (EndReason == EndReason.ClientGone)
        {
            return;
        }

        SetStatus(status, trailers);
        await CompleteResponseAsync().ConfigureAwait(false);
    }

    // The status queues behind the messages, and those wait for the client's window: a client that reads nothing must not hold the call
    // beyond its deadline or the server's stop.
    private async Task CompleteResponseAsync()
    {
        try
        {
            Task complete = Http.Response.CompleteAsync();
            if (!complete.IsCompleted && EndReason == EndReason.None)
            {
                await Task.WhenAny(complete, Interrupted).ConfigureAwait(false);
            }

            if (!complete.IsCompleted && EndReason is EndReason.DeadlinePassed or EndReason.Drained)
            {
                Reset(Http2Cancel);
            }

            await complete.ConfigureAwait(false);
        }
        catch (Exception e)
        {
            // The connection broke under the answer; the client will find that out by itself.
            Failure ??= e;
        }
    }

    /// <summary>After the status: tells a client that is still sending to stop.</summary>
    internal void StopRequest() => Reset(Http2NoError);

    /// <summary>After the answer: pooled memory goes back, unless a task that the handler left behind is still using it.</summary>
    internal void ReleaseBuffers()
    {
        Reader?.Release();
        lock (_endLock)
        {
            // Nothing can begin to write any more.
            if (_answered && !_writing)
            {
                Writer?.Release();
            }
        }
    }

    protected override async Task WriteResponseHeadersAsyncCore(Metadata responseHeaders)
    {
        ArgumentNullException.ThrowIfNull(responseHeaders);
        if (Http.Response.HasStarted || _messageWritten)
        {
            throw new InvalidOperationException("The response headers were sent before.");
        }

        foreach (Metadata.Entry entry in responseHeaders)
        {
            AppendHeader(Http.Response.Headers, entry);
        }

        if (!TryBeginWrite())
        {
            throw EndReason == EndReason.None ? new InvalidOperationException("A write is pending, or the call has ended.") : ToException();
        }

        try
        {
            // StartAsync only marks them; the flush sends them.
            await Http.Response.BodyWriter.FlushAsync().ConfigureAwait(false);
        }
        finally
        {
            EndWrite();
        }
    }

    private void PrepareHeaders()
    {
        if (_headersPrepared)
        {
            return;
        }

        _headersPrepared = true;
        Http.Response.ContentType = RpcHeaderNames.ContentType;
        Compresses = Options.CompressResponses && ClientAcceptsGzip();
        if (Compresses)
        {
            Http.Response.Headers[RpcHeaderNames.Encoding] = RpcHeaderNames.Gzip;
        }
    }

    private bool ClientAcceptsGzip()
    {
        foreach (string? value in Http.Request.Headers[RpcHeaderNames.AcceptEncoding])
        {
            foreach (Range range in value.AsSpan().Split(','))
            {
                if (value.AsSpan(range).Trim().Equals(RpcHeaderNames.Gzip, StringComparison.OrdinalIgnoreCase))
                {
                    return true;
                }
            }
        }

        return false;
    }

    // Kestrel says HasStarted only after the first flush. A message that is buffered already must nevertheless be followed by trailers:
    // a status among the headers would be read as an answer without messages.
    private void SetStatus(Status status, Metadata? trailers)
    {
        IHeaderDictionary target;
        if (_messageWritten || Http.Response.HasStarted)
        {
            target = Http.Features.GetRequiredFeature<IHttpResponseTrailersFeature>().Trailers;
        }
        else
        {
            Http.Response.ContentType = RpcHeaderNames.ContentType;
            target = Http.Response.Headers;
        }

        target[RpcHeaderNames.Status] = StatusMapping.Format(status.StatusCode);
        if (status.Detail.Length > 0)
        {
            target[RpcHeaderNames.Message] = PercentEncoding.Encode(status.Detail);
        }

        foreach (Metadata.Entry entry in trailers ?? Metadata.Empty)
        {
            AppendHeader(target, entry);
        }
    }

    private static void AppendHeader(IHeaderDictionary target, Metadata.Entry entry)
    {
        if (!RpcHeaderNames.IsReserved(entry.Key))
        {
            // Not Append: it drops empty values, and an empty value is a value.
            target[entry.Key] = StringValues.Concat(target[entry.Key], MetadataCodec.EncodeValue(entry));
        }
    }

    private void Reset(int errorCode) => Http.Features.Get<IHttpResetFeature>()?.Reset(errorCode);
}
