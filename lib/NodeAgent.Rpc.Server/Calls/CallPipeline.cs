using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.Extensions.Primitives;
using NodeAgent.Rpc.Server.Connections;
using NodeAgent.Rpc.Wire;

namespace NodeAgent.Rpc.Server.Calls;

/// <summary>From an HTTP request to an answered call: checks, identity, handler, status.</summary>
internal sealed class CallPipeline(MethodTable methods, RpcServerOptions options, CancellationToken draining, CancellationToken drained)
{
    private int _activeCalls;

    internal int ActiveCalls => Volatile.Read(ref _activeCalls);

    internal bool Owns(HttpContext http) =>
        RpcHeaderNames.IsRpcContentType(http.Request.ContentType) || methods.Find(http.Request.Path.Value ?? "") is not null;

    internal async Task HandleAsync(HttpContext http)
    {
        if (RefuseAsHttp(http.Request) is { } httpStatus)
        {
            http.Response.StatusCode = httpStatus;
            return;
        }

        LiftLimits(http);
        Interlocked.Increment(ref _activeCalls);
        ServerConnection? connection = http.Features.Get<ServerConnection>();
        connection?.BeginCall();
        using ServerCall call = new(http, options, http.Request.Path.Value ?? "");
        try
        {
            await RunAsync(call).ConfigureAwait(false);
        }
        finally
        {
            connection?.EndCall();
            Interlocked.Decrement(ref _activeCalls);
            options.OnCallEnded?.Invoke(new RpcServerCallRecord(
                call.Method, call.Peer, call.Identity, call.Outcome, options.TimeProvider.GetElapsedTime(call.StartedAt), call.Failure));
        }
    }

    // Not gRPC at all: HTTP's own answers, as the protocol asks (415) or as every client understands.
    private static int? RefuseAsHttp(HttpRequest request)
    {
        if (!HttpMethods.IsPost(request.Method))
        {
            request.HttpContext.Response.Headers.Allow = "POST";
            return StatusCodes.Status405MethodNotAllowed;
        }

        if (!RpcHeaderNames.IsRpcContentType(request.ContentType))
        {
            return StatusCodes.Status415UnsupportedMediaType;
        }

        return HttpProtocol.IsHttp2(request.Protocol) ? null : StatusCodes.Status426UpgradeRequired;
    }

    // Kestrel's defaults are for uploads: 30 MB in all, and at least 240 B/s, which kills a quiet stream after 5 s. Message sizes,
    // deadlines and keep-alive bound a call instead.
    private static void LiftLimits(HttpContext http)
    {
        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
        {
            size.MaxRequestBodySize = null;
        }

        if (http.Features.Get<IHttpMinRequestBodyDataRateFeature>() is { } rate)
        {
            rate.MinDataRate = null;
        }
    }

    private async Task RunAsync(ServerCall call)
    {
        MethodHandler? handler = methods.Find(call.Method);
        Status refusal = Judge(call, handler, out TimeSpan? timeout);
        if (refusal.StatusCode != StatusCode.OK)
        {
            await call.AnswerAsync(refusal).ConfigureAwait(false);
            return;
        }

        call.Watch(timeout, drained);
        Task<Status> work = GuardAsync(call, handler!);
        if (await Task.WhenAny(work, call.Interrupted).ConfigureAwait(false) != work)
        {
            await AnswerInterruptedAsync(call, work).ConfigureAwait(false);
        }

        Status status = await work.ConfigureAwait(false);
        await call.AnswerAsync(status).ConfigureAwait(false);
        call.ReleaseBuffers();
    }

    // The client gets its answer when the deadline passes, even from a handler that does not listen; but the request may not be left before
    // the handler is, because the handler holds what Kestrel would give to the next request.
    private static async Task AnswerInterruptedAsync(ServerCall call, Task<Status> work)
    {
        if (call.EndReason != EndReason.ClientGone)
        {
            await call.AnswerInterruptedAsync().ConfigureAwait(false);
            if (!work.IsCompleted)
            {
                call.StopRequest();
            }
        }
    }

    private Status Judge(ServerCall call, MethodHandler? handler, out TimeSpan? timeout)
    {
        timeout = null;
        if (handler is null)
        {
            return methods.Unimplemented(call.Method);
        }

        if (draining.IsCancellationRequested)
        {
            return new Status(StatusCode.Unavailable, "The server is stopping.");
        }

        IHeaderDictionary headers = call.Http.Request.Headers;
        StringValues encoding = headers[RpcHeaderNames.Encoding];
        if (encoding.Count > 0 && encoding[0] is not (RpcHeaderNames.Identity or RpcHeaderNames.Gzip))
        {
            call.Http.Response.Headers[RpcHeaderNames.AcceptEncoding] = RpcHeaderNames.AcceptedEncodings;
            return new Status(
                StatusCode.Unimplemented,
                $"The message encoding '{encoding[0]}' is not supported; send {RpcHeaderNames.AcceptedEncodings}.");
        }

        return JudgeMetadata(headers) ?? JudgeTimeout(headers, out timeout) ?? Status.DefaultSuccess;
    }

    private Status? JudgeMetadata(IHeaderDictionary headers)
    {
        long size = 0;
        foreach ((string name, StringValues values) in headers)
        {
            foreach (string? value in values)
            {
                size += name.Length + (value?.Length ?? 0);
            }
        }

        return size <= options.MaxRequestMetadataSize
            ? null
            : new Status(
                StatusCode.ResourceExhausted,
                $"Received metadata larger than max ({size} vs. {options.MaxRequestMetadataSize} bytes).");
    }

    private static Status? JudgeTimeout(IHeaderDictionary headers, out TimeSpan? timeout)
    {
        timeout = null;
        StringValues text = headers[RpcHeaderNames.Timeout];
        if (text.Count == 0)
        {
            return null;
        }

        // grpc-go's answer; serving without a deadline, as others do, would hide the mistake.
        if (text.Count > 1 || !RpcTimeout.TryParse(text[0], out TimeSpan parsed))
        {
            return new Status(StatusCode.Internal, $"Malformed grpc-timeout: '{text}'.");
        }

        timeout = parsed;
        return parsed > TimeSpan.Zero ? null : new Status(StatusCode.DeadlineExceeded, "The deadline passed before the call arrived.");
    }

    private async Task<Status> GuardAsync(ServerCall call, MethodHandler handler)
    {
        try
        {
            await AdmitAsync(call, handler.Method).ConfigureAwait(false);
            await handler.RunAsync(call).ConfigureAwait(false);
            return call.Status;
        }
        catch (RpcException e)
        {
            call.Failure = e.Status.DebugException;
            AddTrailers(call, e.Trailers);
            return call.EndReason == EndReason.None ? e.Status : call.StatusOf(call.EndReason);
        }
        catch (Exception e)
        {
            if (call.EndReason != EndReason.None)
            {
                return call.StatusOf(call.EndReason);
            }

            // The peer learns that, not what: an exception's text may hold anything.
            call.Failure = e;
            return e is OperationCanceledException
                ? new Status(StatusCode.Cancelled, "The handler was cancelled.")
                : new Status(StatusCode.Unknown, "The handler failed; the server's log says why.");
        }
    }

    private async ValueTask AdmitAsync(ServerCall call, IMethod method)
    {
        if (options.Identify is { } identify)
        {
            try
            {
                call.Identity = await identify(call.Http).ConfigureAwait(false);
            }
            catch (Exception e) when (e is not RpcException)
            {
                throw new RpcException(new Status(StatusCode.Unauthenticated, "The identity of the caller could not be established.", e));
            }
        }

        Status verdict = options.Authorise is { } authorise
            ? Verdict(authorise, method, call.Identity)
            : options.Identify is not null && call.Identity is null
                ? new Status(StatusCode.Unauthenticated, "The caller has no identity here.")
                : Status.DefaultSuccess;
        if (verdict.StatusCode != StatusCode.OK)
        {
            throw new RpcException(verdict);
        }

        if (call.Identity is not null)
        {
            call.SetIdentity(call.Identity);
        }
    }

    // A rule that fails denies.
    private static Status Verdict(Func<IMethod, RpcIdentity?, Status> authorise, IMethod method, RpcIdentity? identity)
    {
        try
        {
            return authorise(method, identity);
        }
        catch (Exception e)
        {
            return new Status(StatusCode.PermissionDenied, "The permission of the caller could not be established.", e);
        }
    }

    private static void AddTrailers(ServerCall call, Metadata trailers)
    {
        foreach (Metadata.Entry entry in trailers)
        {
            call.ResponseTrailers.Add(entry);
        }
    }
}
