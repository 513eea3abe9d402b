using System.Net;
using System.Net.Sockets;

namespace NodeAgent.Interop.Tests.Hosting;

/// <summary>
/// Passes TCP connections through and counts their bytes: the one witness of compression that neither stack can talk into anything.
/// </summary>
internal sealed class CountingRelay : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly int _targetPort;
    private readonly Task _accepting;
    private long _toServer;
    private long _toClient;

    internal CountingRelay(int targetPort)
    {
        _targetPort = targetPort;
        _listener.Start();
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        _accepting = AcceptAsync();
    }

    internal int Port { get; }

    internal long BytesToServer => Interlocked.Read(ref _toServer);

    internal long BytesToClient => Interlocked.Read(ref _toClient);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _accepting;
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        List<Task> connections = [];
        try
        {
            while (true)
            {
                connections.Add(RelayAsync(await _listener.AcceptTcpClientAsync(_stop.Token)));
            }
        }
        catch (OperationCanceledException)
        {
            await Task.WhenAll(connections);
        }
    }

    private async Task RelayAsync(TcpClient client)
    {
        using TcpClient server = new();
        using (client)
        {
            await server.ConnectAsync(IPAddress.Loopback, _targetPort, _stop.Token);

            // Either end that closes closes both: HTTP/2 has no use for half a connection.
            Task up = CopyAsync(client, server, length => Interlocked.Add(ref _toServer, length));
            Task down = CopyAsync(server, client, length => Interlocked.Add(ref _toClient, length));
            await Task.WhenAny(up, down);
            client.Close();
            server.Close();
            await Task.WhenAll(up, down);
        }
    }

    private async Task CopyAsync(TcpClient from, TcpClient to, Action<int> count)
    {
        byte[] buffer = new byte[64 * 1024];
        NetworkStream source = from.GetStream();
        NetworkStream target = to.GetStream();
        try
        {
            for (int length; (length = await source.ReadAsync(buffer, _stop.Token)) > 0;)
            {
                count(length);
                await target.WriteAsync(buffer.AsMemory(0, length), _stop.Token);
            }
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException or OperationCanceledException)
        {
            return; // One of the two ends has gone, which ends this relay.
        }
    }
}
