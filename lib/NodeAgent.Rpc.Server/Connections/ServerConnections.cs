using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Connections;

namespace NodeAgent.Rpc.Server.Connections;

/// <summary>All connections of a server: admits them, knows them, and ends them when the server stops.</summary>
internal sealed class ServerConnections : IDisposable
{
    // While the server drains, Kestrel must look at its connections to see that their last call has ended, but its own heartbeat stops
    // with it: a client that says nothing more would keep its connection until the host's time-out.
    internal static readonly TimeSpan DrainBeat = TimeSpan.FromMilliseconds(50);

    // After the grace every call has been answered. What a client that reads has not read by then it does not get; one that reads nothing,
    // or never closes its half, does not hold up the stop.
    internal static readonly TimeSpan FarewellWithoutCalls = TimeSpan.FromMilliseconds(250);
    internal static readonly TimeSpan FarewellAtMost = TimeSpan.FromMilliseconds(750);

    private readonly ConcurrentDictionary<ServerConnection, bool> _open = new();
    private readonly RpcServerOptions _options;
    private readonly HandshakeGate _gate;
    private readonly AddressRate _rate;
    private readonly Lock _drainLock = new();
    private ITimer? _drainTimer;
    private long? _drainedAt;

    internal ServerConnections(RpcServerOptions options)
    {
        _options = options;
        RpcAdmissionOptions admission = options.Admission;
        _gate = new HandshakeGate(
            admission.MaxComputingHandshakes, static step => ThreadPool.UnsafeQueueUserWorkItem(step, preferLocal: false));
        _rate = new AddressRate(admission.MaxConnectionsPerSecondAndAddress, RpcAdmissionOptions.MostAddresses, options.TimeProvider);
        Admission = new RpcAdmission(() => _gate.Waiting);
    }

    internal RpcAdmission Admission { get; }

    internal TimeProvider Time => _options.TimeProvider;

    internal TimeSpan HandshakeTimeout => _options.Admission.HandshakeTimeout;

    public void Dispose()
    {
        lock (_drainLock)
        {
            _drainTimer?.Dispose();
        }
    }

    /// <summary>The life of a connection, as the outermost of its middleware.</summary>
    internal async Task RunAsync(ConnectionContext context, ConnectionDelegate next)
    {
        if (!_rate.TryTake((context.RemoteEndPoint as IPEndPoint)?.Address))
        {
            Admission.CountRefusedRate();
            context.Abort(new ConnectionAbortedException("Too many connections from this address."));
            return;
        }

        ServerConnection connection = new(this, context);
        _open[connection] = true;
        Admission.CountAccepted();
        try
        {
            await next(context).ConfigureAwait(false);
        }
        finally
        {
            Admission.CountClosed();
            _open.TryRemove(connection, out _);
        }
    }

    /// <summary>The part of it that TLS lives in; it begins with the handshake.</summary>
    internal async Task RunTlsAsync(ConnectionContext context, ConnectionDelegate next)
    {
        if (!Admission.TryBeginHandshake(_options.Admission.MaxPendingHandshakes))
        {
            context.Abort(new ConnectionAbortedException("Too many handshakes at once."));
            return;
        }

        ServerConnection connection = ServerConnection.Of(context);
        connection.BeginHandshake();
        try
        {
            await next(context).ConfigureAwait(false);
        }
        finally
        {
            if (connection.IsHandshaking)
            {
                // Kestrel's timer counts from a little later and in coarse milliseconds.
                Admission.EndHandshake(succeeded: false, inTime: connection.Age < 0.95 * HandshakeTimeout);
            }
        }
    }

    /// <summary>Called inside TLS, when the handshake is done.</summary>
    internal void EndHandshake(ConnectionContext context)
    {
        ServerConnection.Of(context).EndHandshake();
        Admission.EndHandshake(succeeded: true, inTime: true);
    }

    internal void EnterGate(ServerConnection connection)
    {
        if (!_gate.Enter(connection))
        {
            Admission.CountQueued();
        }
    }

    internal void LeaveGate() => _gate.Leave();

    /// <summary>From now on connections are looked after until they end.</summary>
    internal void Drain()
    {
        lock (_drainLock)
        {
            _drainTimer ??= Time.CreateTimer(
                static connections => ((ServerConnections)connections!).Sweep(), this, DrainBeat, DrainBeat);
        }
    }

    /// <summary>The grace is over: calls have been interrupted, and connections end soon.</summary>
    internal void EndSoon()
    {
        lock (_drainLock)
        {
            _drainedAt = Time.GetTimestamp();
        }
    }

    private void Sweep()
    {
        TimeSpan farewell;
        lock (_drainLock)
        {
            farewell = _drainedAt is { } at ? Time.GetElapsedTime(at) : TimeSpan.Zero;
        }

        foreach ((ServerConnection connection, _) in _open)
        {
            if (farewell >= (connection.ActiveCalls == 0 ? FarewellWithoutCalls : FarewellAtMost))
            {
                connection.Abort("The server is stopping.");
            }
            else
            {
                connection.Beat();
            }
        }
    }
}
