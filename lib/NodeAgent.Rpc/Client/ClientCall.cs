using System.Net;
using Grpc.Core;
using NodeAgent.Rpc.Wire;

namespace NodeAgent.Rpc.Client;

/// <summary>
/// The life of one call, whatever its messages: sends the request, learns status and trailers, and ends exactly once, by whichever comes
/// first
/// of the server's status, a transport failure, the deadline, the caller's token or Dispose.
/// </summary>
internal sealed partial class ClientCall : IDisposable
{
    private readonly RpcChannel _channel;
    private readonly IMethod _method;
    private readonly CallOptions _options;
    private readonly CancellationTokenSource _abort = new();
    private readonly TaskCompletionSource<Metadata> _headers = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _endLock = new();
    private readonly long _startedAt;
    private RpcRequestContent? _content;
    private HttpResponseMessage? _response;
    private ITimer? _deadlineTimer;
    private CancellationTokenRegistration _callerRegistration;
    private CancellationTokenRegistration _channelRegistration;
    private bool _ended;
    private Status _status;
    private Metadata? _trailers;

    internal ClientCall(RpcChannel channel, IMethod method, string? host, in CallOptions options)
    {
        _channel = channel;
        _method = method;
        _options = options;
        Host = host;
        _startedAt = channel.Options.TimeProvider.GetTimestamp();
    }

    /// <summary>The body of the answer once its headers are in; null when the call ended without one. Never fails.</summary>
    internal Task<Stream?> ResponseBody { get; private set; } = null!;

    /// <summary>What the server said about compressed messages; known once <see cref="ResponseBody"/> is.</summary>
    internal string? ResponseEncoding { get; private set; }

    internal RpcChannelOptions Limits => _channel.Options;

    internal CallOptions Options => _options;

    internal CancellationToken AbortToken { get; private set; }

    internal bool HasEnded => Volatile.Read(ref _ended);

    private string? Host { get; }

    internal void Start(RpcRequestContent content)
    {
        _content = content;
        AbortToken = _abort.Token;
        _callerRegistration = _options.CancellationToken.UnsafeRegister(
            static state => ((ClientCall)state!).Cancel("The call was cancelled by the caller."), this);
        _channelRegistration = _channel.ShutdownToken.UnsafeRegister(
            static state => ((ClientCall)state!).Cancel("The channel was closed."), this);
        ResponseBody = HasEnded || !StartDeadline(out TimeSpan? timeout) ? Task.FromResult<Stream?>(null) : SendAsync(content, timeout);
    }

    internal Task<Metadata> ResponseHeadersAsync() => _headers.Task;

    internal Status GetStatus() =>
        HasEnded ? _status : throw new InvalidOperationException("The call has not ended; it has no status yet.");

    internal Metadata GetTrailers() =>
        HasEnded ? _trailers! : throw new InvalidOperationException("The call has not ended; it has no trailers yet.");

    /// <summary>Ends the call if it still runs. Its token source has neither timer nor handle, so there is nothing else to free.</summary>
    public void Dispose() => Cancel("The call was disposed before it ended.");

    internal void Cancel(string why) => End(new Status(StatusCode.Cancelled, why), null);

    internal RpcException ToException() => new(_status, _trailers!);

    /// <summary>The answer's body came to its end: its trailers hold the status.</summary>
    internal void EndFromTrailers()
    {
        Metadata trailers = ReadMetadata(_response!.TrailingHeaders, null);
        End(ReadStatus(_response.TrailingHeaders) ?? new Status(StatusCode.Unknown, "The answer ended without grpc-status."), trailers);
    }

    /// <summary>The transport failed; if the call ended before, that is why, and its status stays.</summary>
    internal void EndFromFailure(Exception exception)
    {
        // Closing a connection surfaces as different exceptions (ObjectDisposedException is an InvalidOperationException, for one):
        // whatever comes out of the transport is a status, never a crash.
        End(TransportFailure.ToStatus(exception, _channel), null);
    }

    /// <summary>Ends the call, unless it has ended.</summary>
    internal void End(Status status, Metadata? trailers)
    {
        lock (_endLock)
        {
            if (_ended)
            {
                return;
            }

            _status = status;
            _trailers = trailers ?? [];
            Volatile.Write(ref _ended, true);
        }

        _deadlineTimer?.Dispose();
        _callerRegistration.Unregister();
        _channelRegistration.Unregister();
        if (_headers.TrySetException(ToException()))
        {
            _ = _headers.Task.Exception; // Observed: few callers ask for the headers of a call that failed.
        }

        _content?.Complete();
        _abort.Cancel();
        Volatile.Read(ref _response)?.Dispose();
        _channel.Options.OnCallEnded?.Invoke(
            new RpcClientCallRecord(_method, status, _channel.Options.TimeProvider.GetElapsedTime(_startedAt)));
    }

    private bool StartDeadline(out TimeSpan? timeout)
    {
        timeout = null;
        if (_options.Deadline is not { } deadline || deadline == DateTime.MaxValue)
        {
            return true;
        }

        TimeProvider time = _channel.Options.TimeProvider;
        timeout = deadline.ToUniversalTime() - time.GetUtcNow().UtcDateTime;
        if (timeout <= TimeSpan.Zero)
        {
            EndByDeadline();
            return false;
        }

        // Timers hold 49 days; a deadline further off than that does not end the call here, but the server still learns it.
        if (timeout < TimeSpan.FromDays(49))
        {
            _deadlineTimer = time.CreateTimer(
                static state => ((ClientCall)state!).EndByDeadline(), this, timeout.Value, Timeout.InfiniteTimeSpan);
        }

        return true;
    }

    private void EndByDeadline() => End(new Status(StatusCode.DeadlineExceeded, "The deadline passed."), null);

    private async Task<Stream?> SendAsync(RpcRequestContent content, TimeSpan? timeout)
    {
        try
        {
            HttpRequestMessage request = await CreateRequestAsync(content, timeout).ConfigureAwait(false);
            HttpResponseMessage response = await _channel.Http.SendAsync(request, AbortToken).ConfigureAwait(false);
            _channel.HasSpoken = true;
            Volatile.Write(ref _response, response);
            if (HasEnded)
            {
                response.Dispose();
                return null;
            }

            return AcceptHeaders(response) ? await response.Content.ReadAsStreamAsync(AbortToken).ConfigureAwait(false) : null;
        }
        catch (RpcException e)
        {
            End(e.Status, e.Trailers);
            return null;
        }
        catch (Exception e)
        {
            EndFromFailure(e);
            return null;
        }
    }

    private bool AcceptHeaders(HttpResponseMessage response)
    {
        Status? trailersOnly = ReadStatus(response.Headers);
        string? contentType = response.Content.Headers.NonValidated.TryGetValues("content-type", out var values) ? values.ToString() : null;
        if (trailersOnly is { } status)
        {
            _headers.TrySetResult([]);
            End(status, ReadMetadata(response.Headers, response.Content.Headers));
            return false;
        }

        if (response.StatusCode != HttpStatusCode.OK)
        {
            StatusCode code = StatusMapping.FromHttpStatus((int)response.StatusCode);
            End(new Status(code, $"Not an answer of a gRPC server: HTTP status {(int)response.StatusCode}."), null);
            return false;
        }

        if (!RpcHeaderNames.IsRpcContentType(contentType))
        {
            End(new Status(StatusCode.Unknown, $"Not an answer of a gRPC server: content-type '{contentType}'."), null);
            return false;
        }

        ResponseEncoding = FirstValue(response.Headers, RpcHeaderNames.Encoding);
        _headers.TrySetResult(ReadMetadata(response.Headers, response.Content.Headers));
        return true;
    }
}
