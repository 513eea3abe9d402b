using System.Net;
using System.Net.Sockets;

namespace NodeAgent.Testing.Network;

/// <summary>
/// A TCP proxy between two real programs that does to their bytes what networks do: delay, jitter, narrow bandwidth, one-byte slices,
/// stalls, silent loss, RST in the middle of a message, half-close, flipped bits, idle cuts, refused connections. All of it can be changed
/// while bytes flow. What is random comes from the seed, the connection's number and its direction, so a run can be repeated as far
/// as real sockets allow. For what needs the kernel (packet loss, MTU, black holes) there are network namespaces.
/// </summary>
public sealed class FaultProxy : IAsyncDisposable
{
    private static readonly TimeSpan ConnectLimit = TimeSpan.FromSeconds(5);

    private readonly int _seed;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _lock = new();
    private readonly Dictionary<ProxiedConnection, Task> _open = [];
    private TcpListener? _listener;
    private Task _accepting = Task.CompletedTask;
    private int _connections;
    private volatile LinkFaults _toServer = LinkFaults.None;
    private volatile LinkFaults _toClient = LinkFaults.None;
    private long _idleCutTicks;

    /// <param name="target">The server.</param>
    /// <param name="seed">Of everything random.</param>
    /// <param name="listen">Where clients connect; null: a free port on loopback.</param>
    /// <param name="time">Delays run on it.</param>
    public FaultProxy(IPEndPoint target, int seed, IPEndPoint? listen = null, TimeProvider? time = null)
    {
        Target = target;
        _seed = seed;
        _time = time ?? TimeProvider.System;
        Address = listen ?? new IPEndPoint(IPAddress.Loopback, 0);
        Listen();
    }

    /// <summary>Where clients connect; stays the same while connections are refused.</summary>
    public IPEndPoint Address { get; private set; }

    /// <summary>Where new connections are led to.</summary>
    public IPEndPoint Target { get; set; }

    public FaultProxyCounters Counters { get; } = new();

    /// <summary>From clients to the server.</summary>
    public LinkFaults ToServer
    {
        get => _toServer;
        set => _toServer = value;
    }

    /// <summary>From the server to clients.</summary>
    public LinkFaults ToClient
    {
        get => _toClient;
        set => _toClient = value;
    }

    /// <summary>A connection on which nothing moved for this long gets RST, as from a middlebox. Zero: never.</summary>
    public TimeSpan IdleCut
    {
        get => new(Interlocked.Read(ref _idleCutTicks));
        set => Interlocked.Exchange(ref _idleCutTicks, value.Ticks);
    }

    public int OpenConnections
    {
        get
        {
            lock (_lock)
            {
                return _open.Count;
            }
        }
    }

    /// <summary>Sets both directions.</summary>
    public void SetFaults(LinkFaults both)
    {
        ToServer = both;
        ToClient = both;
    }

    /// <summary>Closes the listener: the kernel refuses new connections. Those open go on.</summary>
    public async Task RefuseAsync()
    {
        _listener?.Stop();
        _listener = null;
        await _accepting.ConfigureAwait(false);
    }

    /// <summary>Listens (again).</summary>
    public void Listen()
    {
        if (_listener is not null)
        {
            return;
        }

        TcpListener listener = new(Address);
        listener.Start();
        Address = (IPEndPoint)listener.LocalEndpoint;
        _listener = listener;
        _accepting = AcceptAsync(listener);
    }

    /// <summary>RST to both sides of every open connection.</summary>
    public void ResetAll()
    {
        foreach (ProxiedConnection connection in Open())
        {
            connection.Reset();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await RefuseAsync().ConfigureAwait(false);
        await _stop.CancelAsync().ConfigureAwait(false);
        Task[] running;
        lock (_lock)
        {
            running = [.. _open.Values];
        }

        foreach (ProxiedConnection connection in Open())
        {
            connection.Close();
        }

        await Task.WhenAll(running).ConfigureAwait(false);
        _stop.Dispose();
    }

    private ProxiedConnection[] Open()
    {
        lock (_lock)
        {
            return [.. _open.Keys];
        }
    }

    private async Task AcceptAsync(TcpListener listener)
    {
        while (true)
        {
            Socket client;
            try
            {
                client = await listener.AcceptSocketAsync(_stop.Token).ConfigureAwait(false);
            }
            catch (Exception e) when (e is SocketException or OperationCanceledException or InvalidOperationException)
            {
                // The listener was closed, which is how it is told to stop.
                return;
            }

            Counters.AddAccepted();
            _ = ServeAsync(client, _connections++);
        }
    }

    private async Task ServeAsync(Socket client, int number)
    {
        Socket server = new(Target.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
            limit.CancelAfter(ConnectLimit);
            await server.ConnectAsync(Target, limit.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException)
        {
            Counters.AddUnreachable();
            client.LingerState = new LingerOption(enable: true, seconds: 0);
            client.Dispose();
            server.Dispose();
            return;
        }

        client.NoDelay = true;
        server.NoDelay = true;
        using ProxiedConnection connection = new(client, server);
        FaultyPipe toServer = new(client, server, isToServer: true, () => _toServer, new Random(SeedOf(number, 0)), Counters, _time);
        FaultyPipe toClient = new(server, client, isToServer: false, () => _toClient, new Random(SeedOf(number, 1)), Counters, _time);
        TaskCompletionSource over = new(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_lock)
        {
            _open.Add(connection, over.Task);
        }

        if (_stop.IsCancellationRequested)
        {
            connection.Close();
        }

        await connection.RunAsync(toServer, toClient, () => IdleCut, Counters, _time).ConfigureAwait(false);
        lock (_lock)
        {
            _open.Remove(connection);
        }

        over.SetResult();
    }

    // Not HashCode.Combine, which differs from run to run.
    private int SeedOf(int connection, int direction) => unchecked((_seed * 486187739) + (connection * 2) + direction);
}
