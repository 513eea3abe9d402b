using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using NodeAgent.Rpc.Server.Identity;
using NodeAgent.Rpc.Wire;

namespace NodeAgent.Rpc.Server.Calls;

/// <summary>
/// The life of one call on the server: its clock, its cancellation, its headers, and the one place that sends its status.
/// </summary>
internal sealed partial class ServerCall : ServerCallContext, IDisposable
{
    private readonly CancellationTokenSource _cancellation = new();
    private readonly Lock _endLock = new();
    private ITimer? _deadlineTimer;
    private CancellationTokenRegistration _abortRegistration;
    private CancellationTokenRegistration _drainRegistration;
    private Metadata? _requestHeaders;
    private Metadata? _responseTrailers;
    private AuthContext? _authContext;
    private Dictionary<object, object>? _userState;
    private DateTime _deadline = DateTime.MaxValue;
    private int _endReason;

    // Under _endLock. Kestrel gives the context to another request once this one is left, while a timer may still be on its way.
    private bool _finished;

    internal ServerCall(HttpContext http, RpcServerOptions options, string method)
    {
        Http = http;
        Options = options;
        MethodCore = method;
        StartedAt = options.TimeProvider.GetTimestamp();
    }

    internal HttpContext Http { get; }

    internal RpcServerOptions Options { get; }

    internal long StartedAt { get; }

    internal RpcIdentity? Identity { get; set; }

    /// <summary>Why the call must not go on; None while it may.</summary>
    internal EndReason EndReason => (EndReason)Volatile.Read(ref _endReason);

    /// <summary>What a handler threw, for the hook.</summary>
    internal Exception? Failure { get; set; }

    protected override string MethodCore { get; }

    protected override string HostCore => Http.Request.Host.Value ?? "";

    protected override string PeerCore => FormatPeer(Http.Connection);

    protected override DateTime DeadlineCore => _deadline;

    protected override Metadata RequestHeadersCore => _requestHeaders ??= ReadRequestHeaders();

    protected override CancellationToken CancellationTokenCore => _cancellation.Token;

    protected override Metadata ResponseTrailersCore => _responseTrailers ??= [];

    protected override Status StatusCore { get; set; } = Status.DefaultSuccess;

    protected override WriteOptions? WriteOptionsCore { get; set; }

    protected override AuthContext AuthContextCore => _authContext ??= PeerAuthentication.Read(Http.Connection);

    protected override IDictionary<object, object> UserStateCore => _userState ??= [];

    public void Dispose()
    {
        lock (_endLock)
        {
            _finished = true;
        }

        _deadlineTimer?.Dispose();
        _abortRegistration.Unregister();
        _drainRegistration.Unregister();
    }

    internal static string FormatPeer(ConnectionInfo connection)
    {
        if (connection.RemoteIpAddress is not { } address)
        {
            return "unknown";
        }

        if (address.IsIPv4MappedToIPv6)
        {
            address = address.MapToIPv4();
        }

        return address.AddressFamily == AddressFamily.InterNetworkV6
            ? string.Create(CultureInfo.InvariantCulture, $"ipv6:[{address}]:{connection.RemotePort}")
            : string.Create(CultureInfo.InvariantCulture, $"ipv4:{address}:{connection.RemotePort}");
    }

    /// <summary>Starts everything that may end the call from outside.</summary>
    internal void Watch(TimeSpan? timeout, CancellationToken drained)
    {
        _abortRegistration = Http.RequestAborted.UnsafeRegister(static state => ((ServerCall)state!).Interrupt(EndReason.ClientGone), this);
        _drainRegistration = drained.UnsafeRegister(static state => ((ServerCall)state!).Interrupt(EndReason.Drained), this);
        if (timeout is not { } left)
        {
            return;
        }

        TimeProvider time = Options.TimeProvider;
        DateTime now = time.GetUtcNow().UtcDateTime;
        _deadline = left < DateTime.MaxValue - now ? now + left : DateTime.MaxValue;

        // Timers hold 49 days; no handler runs that long without the client coming back for it.
        if (left < TimeSpan.FromDays(49))
        {
            _deadlineTimer = time.CreateTimer(
                static state => ((ServerCall)state!).Interrupt(EndReason.DeadlinePassed), this, left, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>The status of a call that was interrupted.</summary>
    internal Status StatusOf(EndReason reason) => reason switch
    {
        EndReason.ClientGone => new Status(StatusCode.Cancelled, "The client gave the call up."),
        EndReason.DeadlinePassed => new Status(StatusCode.DeadlineExceeded, "The deadline passed."),
        EndReason.Drained => new Status(StatusCode.Unavailable, "The server is stopping."),
        _ => throw new InvalidOperationException($"BUG: the call {Method} has no end reason ({reason})."),
    };

    /// <summary>Thrown into a handler that reads or writes after its call was interrupted.</summary>
    internal RpcException ToException() => new(StatusOf(EndReason));

    /// <summary>The request broke off. Nothing happens in a call that was interrupted already or has ended.</summary>
    internal void ReportClientGone() => Interrupt(EndReason.ClientGone);

    private void Interrupt(EndReason reason)
    {
        lock (_endLock)
        {
            if (_finished || EndReason != EndReason.None)
            {
                return;
            }

            Volatile.Write(ref _endReason, (int)reason);

            if (reason != EndReason.ClientGone)
            {
                WakeHandler();
            }
        }

        _interrupted.TrySetResult();
        _cancellation.Cancel();
    }

    // One wake-up for whatever the handler waits in, besides its own token: a read or a flush. They need no token of their own.
    // Kestrel continues both elsewhere, not inside our lock.
    private void WakeHandler()
    {
        try
        {
            Http.Request.BodyReader.CancelPendingRead();
            Http.Response.BodyWriter.CancelPendingFlush();
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or OperationCanceledException)
        {
            // The client has gone at the same moment: its reads and flushes have failed already, nothing waits in them.
            Failure ??= e;
        }
    }

    private Metadata ReadRequestHeaders()
    {
        Metadata metadata = [];
        foreach ((string name, Microsoft.Extensions.Primitives.StringValues values) in Http.Request.Headers)
        {
            if (RpcHeaderNames.IsReserved(name))
            {
                continue;
            }

            foreach (string? value in values)
            {
                MetadataCodec.TryDecode(name.ToLowerInvariant(), value ?? "", metadata);
            }
        }

        return metadata;
    }
}

/// <summary>What interrupted a call from outside its handler. The first one counts.</summary>
internal enum EndReason
{
    None,
    ClientGone,
    DeadlinePassed,
    Drained,
}
