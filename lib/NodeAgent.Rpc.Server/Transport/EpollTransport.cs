using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Options;

namespace NodeAgent.Rpc.Server.Transport;

/// <summary>
/// Kestrel's transport for TCP on Linux: one thread waits for all connections and receives from them (<see cref="EpollLoop"/>).
/// Bounds and the backlog are those of <see cref="SocketTransportOptions"/>.
/// </summary>
internal sealed class EpollTransport(IOptions<SocketTransportOptions> options, TimeProvider time)
    : IConnectionListenerFactory, IConnectionListenerFactorySelector, IDisposable
{
    private readonly Lock _lock = new();
    private readonly BlockPool _pool = new();
    private EpollLoop? _loop; // under the lock; with the first listener, so that a server that never starts has no thread
    private bool _isDisposed;

    /// <summary>Connections that have not ended.</summary>
    internal int Connections
    {
        get
        {
            lock (_lock)
            {
                return _loop?.Connections ?? 0;
            }
        }
    }

    /// <inheritdoc/>
    public bool CanBind(EndPoint endpoint) => endpoint is IPEndPoint && OperatingSystem.IsLinux();

    /// <inheritdoc/>
    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        Socket listening = Bind(endpoint);
        try
        {
            listening.Listen(options.Value.Backlog);
            EpollLimits limits = new(options.Value.MaxReadBufferSize ?? 0, options.Value.MaxWriteBufferSize ?? 0);
            return ValueTask.FromResult<IConnectionListener>(new EpollListener(listening, Loop(), _pool, limits, time));
        }
        catch
        {
            listening.Dispose();
            throw;
        }
    }

    /// <summary>Ends the thread; connections have ended before.</summary>
    public void Dispose()
    {
        EpollLoop? loop;
        lock (_lock)
        {
            _isDisposed = true;
            loop = _loop;
            _loop = null;
        }

        loop?.Dispose();
        _pool.Dispose();
    }

    private static Socket Bind(EndPoint endpoint)
    {
        try
        {
            return SocketTransportOptions.CreateDefaultBoundListenSocket(endpoint);
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            throw new AddressInUseException(e.Message, e);
        }
    }

    private EpollLoop Loop()
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            return _loop ??= new EpollLoop(time);
        }
    }
}
