using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;

namespace NodeAgent.Rpc.Server.Transport;

/// <summary>
/// One accepted connection between its socket and Kestrel. What arrives goes into a pipe on <see cref="EpollLoop"/>'s thread, and the
/// reader goes on there; what is written leaves on the thread that flushes it. Each direction is bounded by its pipe.
/// </summary>
internal sealed partial class EpollConnection : ConnectionContext, IConnectionIdFeature, IConnectionItemsFeature,
    IConnectionTransportFeature, IConnectionLifetimeFeature, IConnectionEndPointFeature, IConnectionSocketFeature, IMemoryPoolFeature
{
    private readonly EpollLoop _loop;
    private readonly Socket _socket;
    private readonly SafeSocketHandle _handle;
    private readonly Pipe _input;
    private readonly Pipe _output;
    private readonly CancellationTokenSource _closed = new();
    private readonly Lock _shutLock = new();
    private IDictionary<object, object?>? _items;
    private Task _sending = Task.CompletedTask;
    private Exception? _reason; // under the lock: why it was shut
    private bool _isShut; // under the lock

    internal EpollConnection(Socket socket, EpollLoop loop, MemoryPool<byte> pool, EpollLimits limits, string id)
    {
        _socket = socket;
        _handle = socket.SafeHandle;
        _loop = loop;
        MemoryPool = pool;
        ConnectionId = id;
        LocalEndPoint = socket.LocalEndPoint;
        RemoteEndPoint = socket.RemoteEndPoint;
        ConnectionClosed = _closed.Token;
        _input = new Pipe(Options(pool, limits.MaxUnread));
        _output = new Pipe(Options(pool, limits.MaxUnsent));
        _onDrained = OnDrained;
        Transport = new Duplex(_input.Reader, _output.Writer);
        Features = new FeatureCollection();
        Features.Set<IConnectionIdFeature>(this);
        Features.Set<IConnectionItemsFeature>(this);
        Features.Set<IConnectionTransportFeature>(this);
        Features.Set<IConnectionLifetimeFeature>(this);
        Features.Set<IConnectionEndPointFeature>(this);
        Features.Set<IConnectionSocketFeature>(this);
        Features.Set<IMemoryPoolFeature>(this);
    }

    /// <inheritdoc cref="ConnectionContext.ConnectionId"/>
    public override string ConnectionId { get; set; }

    /// <inheritdoc cref="ConnectionContext.Features"/>
    public override IFeatureCollection Features { get; }

    /// <inheritdoc cref="ConnectionContext.Items"/>
    public override IDictionary<object, object?> Items
    {
        get => _items ??= new ConnectionItems();
        set => _items = value;
    }

    /// <inheritdoc cref="ConnectionContext.Transport"/>
    public override IDuplexPipe Transport { get; set; }

    /// <inheritdoc/>
    public MemoryPool<byte> MemoryPool { get; }

    /// <inheritdoc/>
    public Socket Socket => _socket;

    /// <summary>What the loop knows it by.</summary>
    internal ulong Key { get; set; }

    /// <summary>Begins to receive and to send.</summary>
    internal void Start()
    {
        _loop.Add(this, _handle);
        _sending = SendAllAsync();
    }

    /// <inheritdoc/>
    public override void Abort() => Abort(new ConnectionAbortedException());

    /// <summary>Ends it now: the peer sees a reset.</summary>
    public override void Abort(ConnectionAbortedException abortReason)
    {
        Shut(abortReason, isAbrupt: true);
        _output.Reader.CancelPendingRead();
        OnRoom();
        _loop.Post(this);
    }

    /// <summary>Sends what was written, closes, and waits until both directions have ended.</summary>
    public override async ValueTask DisposeAsync()
    {
        await _input.Reader.CompleteAsync().ConfigureAwait(false);
        await _output.Writer.CompleteAsync().ConfigureAwait(false);
        await _sending.ConfigureAwait(false);
        await _receiving.Task.ConfigureAwait(false);
        _loop.Remove(this);
        await _closedFired.Task.ConfigureAwait(false);
        _closed.Dispose();
        await base.DisposeAsync().ConfigureAwait(false);
    }

    private static PipeOptions Options(MemoryPool<byte> pool, long most) => new(
        pool, PipeScheduler.Inline, PipeScheduler.Inline, pauseWriterThreshold: most, resumeWriterThreshold: most / 2,
        minimumSegmentSize: BlockPool.BlockBytes, useSynchronizationContext: false);

    // Once; the first reason stays.
    private void Shut(Exception reason, bool isAbrupt)
    {
        lock (_shutLock)
        {
            if (_isShut)
            {
                return;
            }

            _isShut = true;
            _reason = reason;
        }

        if (isAbrupt)
        {
            // Close with what was not sent thrown away, and a reset.
            _socket.Close(0);
            return;
        }

        try
        {
            _socket.Shutdown(SocketShutdown.Both);
        }
        catch (SocketException)
        {
            // The peer was faster; closed it is either way.
            _socket.Dispose();
            return;
        }

        _socket.Dispose();
    }

    private bool IsShut(out Exception? reason)
    {
        lock (_shutLock)
        {
            reason = _reason;
            return _isShut;
        }
    }

    private sealed class Duplex(PipeReader input, PipeWriter output) : IDuplexPipe
    {
        public PipeReader Input => input;

        public PipeWriter Output => output;
    }
}

/// <summary>What one connection may hold in memory on its way.</summary>
/// <param name="MaxUnread">Bytes received and not read; the peer's sending waits beyond.</param>
/// <param name="MaxUnsent">Bytes written and not sent; the writer waits beyond.</param>
internal readonly record struct EpollLimits(long MaxUnread, long MaxUnsent);
