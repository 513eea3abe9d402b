using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;

namespace NodeAgent.Rpc.Server.Connections;

/// <summary>
/// One connection as its server sees it, between the socket and TLS or HTTP/2: says when received bytes are worked on, passes Kestrel's
/// heartbeat on where it is of use, and can be ended.
/// </summary>
internal sealed class ServerConnection : IReceiveWatch, IHandshakeStep, IConnectionHeartbeatFeature
{
    // Kestrel looks after every connection once a second, in work of its own for each. A connection that has just received
    // something has nothing to be looked after for: no ping is due and no idle time is over. The other time-outs are checked this much
    // later on a connection that keeps sending.
    private const int MostBeatsPassedOver = 4;

    // Beats come every second. One that comes this late says that this process stood still, not that the peer did: what the peer sent
    // meanwhile is read first.
    private static readonly TimeSpan LateBeat = TimeSpan.FromSeconds(2.5);

    private readonly ServerConnections _owner;
    private readonly ConnectionContext _context;
    private readonly WatchedReader _reader;
    private readonly IConnectionHeartbeatFeature? _heart;
    private readonly Lock _beatLock = new();
    private readonly List<(Action<object> Action, object State)> _beats = [];
    private readonly long _acceptedAt;
    private long _lastBeatAt;
    private int _activeCalls;
    private int _beatsPassedOver;
    private volatile bool _handshaking;
    private volatile bool _arrivedSinceBeat;

    internal ServerConnection(ServerConnections owner, ConnectionContext context)
    {
        _owner = owner;
        _context = context;
        _acceptedAt = _lastBeatAt = owner.Time.GetTimestamp();
        _reader = new WatchedReader(context.Transport.Input, this) { Guard = new FrameGuard(owner.Time) };
        context.Transport = new Duplex(_reader, context.Transport.Output);
        _heart = context.Features.Get<IConnectionHeartbeatFeature>();
        context.Features.Set<IConnectionHeartbeatFeature>(this);
        context.Features.Set(this);
    }

    /// <summary>Calls that run on this connection.</summary>
    internal int ActiveCalls => Volatile.Read(ref _activeCalls);

    /// <summary>Since it was accepted.</summary>
    internal TimeSpan Age => _owner.Time.GetElapsedTime(_acceptedAt);

    /// <summary>Received bytes are worked on when <see cref="HandshakeGate"/> says so.</summary>
    internal bool IsHandshaking => _handshaking;

    /// <summary>TLS follows: what is read here is cipher text, and frames are read along behind it.</summary>
    internal void BeginHandshake()
    {
        _reader.Guard = null;
        _handshaking = true;
    }

    /// <summary>TLS is up, and what its transport reads is what the client says.</summary>
    internal void EndHandshake()
    {
        _handshaking = false;
        Decrypted decrypted = new(this);
        decrypted.Reader = new WatchedReader(_context.Transport.Input, decrypted) { Guard = new FrameGuard(_owner.Time) };
        _context.Transport = new Duplex(decrypted.Reader, _context.Transport.Output);
    }

    /// <summary>The connection that this context belongs to.</summary>
    internal static ServerConnection Of(ConnectionContext context) => context.Features.Get<ServerConnection>()
        ?? throw new InvalidOperationException("RpcServer.Apply was not called for this Kestrel before its endpoints were made.");

    internal void BeginCall() => Interlocked.Increment(ref _activeCalls);

    internal void EndCall() => Interlocked.Decrement(ref _activeCalls);

    /// <summary>Ends it now, whatever it does.</summary>
    internal void Abort(string reason) => _context.Abort(new ConnectionAbortedException(reason));

    public void OnArrived()
    {
        _arrivedSinceBeat = true;
        if (_handshaking)
        {
            _owner.EnterGate(this);
            return;
        }

        _reader.Deliver();
    }

    public void OnFlood()
    {
        _owner.Admission.CountFlooding();
        Abort("Too many frames that carry nothing.");
    }

    /// <summary>One step of the handshake; all of it runs inside Deliver.</summary>
    void IThreadPoolWorkItem.Execute()
    {
        try
        {
            if (Age < _owner.HandshakeTimeout)
            {
                _reader.Deliver();
            }
            else
            {
                _reader.Fail(new ConnectionAbortedException("The handshake waited too long for its turn."));
            }
        }
        finally
        {
            _owner.LeaveGate();
        }
    }

    void IConnectionHeartbeatFeature.OnHeartbeat(Action<object> action, object state)
    {
        lock (_beatLock)
        {
            _beats.Add((action, state));
            if (_beats.Count > 1)
            {
                return;
            }
        }

        _heart?.OnHeartbeat(static connection => ((ServerConnection)connection).OnBeat(), this);
    }

    /// <summary>Lets Kestrel look after the connection: time-outs, pings, and whether it is over.</summary>
    internal void Beat()
    {
        lock (_beatLock)
        {
            foreach ((Action<object> action, object state) in _beats)
            {
                action(state);
            }
        }
    }

    private void OnBeat()
    {
        long now = _owner.Time.GetTimestamp();
        bool late = _owner.Time.GetElapsedTime(_lastBeatAt, now) > LateBeat;
        _lastBeatAt = now;
        if ((_arrivedSinceBeat || late) && _beatsPassedOver < MostBeatsPassedOver)
        {
            _arrivedSinceBeat = false;
            _beatsPassedOver++;
            return;
        }

        _beatsPassedOver = 0;
        Beat();
    }

    // Behind TLS nothing is held back any more.
    private sealed class Decrypted(ServerConnection connection) : IReceiveWatch
    {
        internal WatchedReader? Reader { get; set; }

        public void OnArrived() => Reader!.Deliver();

        public void OnFlood() => connection.OnFlood();
    }

    private sealed class Duplex(PipeReader input, PipeWriter output) : IDuplexPipe
    {
        public PipeReader Input => input;

        public PipeWriter Output => output;
    }
}
