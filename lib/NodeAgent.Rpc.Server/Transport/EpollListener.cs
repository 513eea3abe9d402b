using System.Buffers;
using System.ComponentModel;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;

namespace NodeAgent.Rpc.Server.Transport;

/// <summary>Accepts connections on one address. Accepting is rare, so it is left to the runtime's own sockets.</summary>
internal sealed class EpollListener(
    Socket listening, EpollLoop loop, MemoryPool<byte> pool, EpollLimits limits, TimeProvider time) : IConnectionListener
{
    // Without descriptors an accept fails at once, again and again; those who wait are served when some have gone.
    private static readonly TimeSpan DescriptorWait = TimeSpan.FromMilliseconds(50);

    private static long lastConnection;

    /// <inheritdoc/>
    public EndPoint EndPoint { get; } = listening.LocalEndPoint!;

    /// <inheritdoc/>
    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
    {
        while (true)
        {
            Socket? accepted = null;
            try
            {
                accepted = await listening.AcceptAsync(cancellationToken).ConfigureAwait(false);
                accepted.NoDelay = true;
                EpollConnection connection = new(accepted, loop, pool, limits, NextId());
                connection.Start();
                return connection;
            }
            catch (ObjectDisposedException)
            {
                accepted?.Dispose();
                return null; // unbound
            }
            catch (SocketException e) when (e.SocketErrorCode == SocketError.OperationAborted)
            {
                accepted?.Dispose();
                return null;
            }
            catch (SocketException e) when (e.SocketErrorCode == SocketError.TooManyOpenSockets)
            {
                await Task.Delay(DescriptorWait, time, cancellationToken).ConfigureAwait(false);
            }
            catch (SocketException)
            {
                // It was reset before it was accepted, or before its addresses were asked for: the next one.
                accepted?.Dispose();
            }
            catch (Win32Exception)
            {
                // The system watches no more descriptors. This one is turned away; the server goes on.
                accepted?.Dispose();
            }
        }
    }

    /// <inheritdoc/>
    public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
    {
        listening.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        listening.Dispose();
        return ValueTask.CompletedTask;
    }

    private static string NextId() => Interlocked.Increment(ref lastConnection).ToString("X8", CultureInfo.InvariantCulture);
}
