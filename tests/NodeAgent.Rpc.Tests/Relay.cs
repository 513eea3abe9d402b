using System.Net;
using System.Net.Sockets;

namespace NodeAgent.Rpc.Tests;

/// <summary>A TCP relay that can lose the link: by a reset, which both sides see, or by silence, which nobody sees.</summary>
internal sealed class Relay : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private readonly List<Socket> _sockets = [];
    private readonly Func<Socket, Task> _serve;
    private readonly Task _accepting;
    private volatile bool _silent;

    private Relay(Func<Relay, Socket, Task> serve)
    {
        _serve = socket => serve(this, socket);
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public string Address => $"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}";

    public static Relay To(string address, int piece = 16 * 1024)
    {
        Uri uri = new(address);
        return new Relay((relay, client) => relay.RelayAsync(client, uri.Port)) { Piece = piece };
    }

    /// <summary>Says this to everyone and hangs up.</summary>
    public static Relay Answering(byte[] greeting) => new(async (relay, client) =>
    {
        await client.SendAsync(greeting, relay._end.Token);
        client.Shutdown(SocketShutdown.Send);
    });

    public void Reset()
    {
        lock (_sockets)
        {
            foreach (Socket socket in _sockets)
            {
                socket.Close();
            }

            _sockets.Clear();
        }
    }

    public void GoSilent() => _silent = true;

    /// <summary>Bytes that are handed on at a time.</summary>
    public int Piece { get; init; } = 16 * 1024;

    public void Dispose()
    {
        _end.Cancel();
        _listener.Stop();
        Reset();
        _end.Dispose();
        Assert.True(_accepting.IsCompleted || !_accepting.IsFaulted);
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                Socket client = await _listener.AcceptSocketAsync(_end.Token);
                Keep(client);
                _ = _serve(client);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The test is over.
            _silent = true;
        }
    }

    private async Task RelayAsync(Socket client, int port)
    {
        Socket server = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        Keep(server);
        await server.ConnectAsync(IPAddress.Loopback, port, _end.Token);
        await Task.WhenAll(PumpAsync(client, server), PumpAsync(server, client));
    }

    private async Task PumpAsync(Socket from, Socket to)
    {
        byte[] buffer = new byte[Piece];
        try
        {
            int read;
            while ((read = await from.ReceiveAsync(buffer, _end.Token)) > 0)
            {
                if (!_silent)
                {
                    await to.SendAsync(buffer.AsMemory(0, read), _end.Token);
                }
            }

            if (!_silent)
            {
                to.Shutdown(SocketShutdown.Send);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // Either side hung up, or the test reset the link.
            from.Close();
        }
    }

    private void Keep(Socket socket)
    {
        // Closing then resets the connection instead of ending it politely.
        socket.LingerState = new LingerOption(true, 0);
        lock (_sockets)
        {
            _sockets.Add(socket);
        }
    }
}
