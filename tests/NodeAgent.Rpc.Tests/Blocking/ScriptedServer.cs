using System.Net;
using System.Net.Sockets;
using NodeAgent.Rpc.Blocking.Http2;

namespace NodeAgent.Rpc.Tests.Blocking;

/// <summary>A server on a real socket that says what a test tells it to. Listens from the start; the kernel accepts by itself.</summary>
internal sealed class ScriptedServer : IDisposable
{
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private Socket? _client;

    internal ScriptedServer(int receiveBuffer = 0)
    {
        if (receiveBuffer > 0)
        {
            _listener.ReceiveBufferSize = receiveBuffer; // what is accepted inherits it
        }

        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen();
    }

    internal string Address => $"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndPoint!).Port}";

    internal Socket Client => _client ??= Accept();

    public void Dispose()
    {
        _client?.Dispose();
        _listener.Dispose();
    }

    internal void Say(params IEnumerable<byte[]> frames) => Client.Send([.. frames.SelectMany(frame => frame)]);

    /// <summary>The frames that have come, after the preface; waits for one at least.</summary>
    internal List<FrameHeader> Hear()
    {
        List<byte> bytes = [];
        byte[] buffer = new byte[64 * 1024];
        do
        {
            bytes.AddRange(buffer.AsSpan(0, Client.Receive(buffer)));
        }
        while (Client.Available > 0);

        byte[] all = [.. bytes];
        int at = all.AsSpan().StartsWith("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8) ? 24 : 0;
        List<FrameHeader> frames = [];
        for (; at < all.Length; at += FrameHeader.Size + frames[^1].Length)
        {
            frames.Add(FrameHeader.Read(all.AsSpan(at)));
        }

        return frames;
    }

    /// <summary>Hangs up with a reset.</summary>
    internal void Reset()
    {
        Client.LingerState = new LingerOption(true, 0);
        Client.Close();
    }

    private Socket Accept()
    {
        Socket client = _listener.Accept();
        client.ReceiveTimeout = (int)RpcHost.Patience.TotalMilliseconds;
        return client;
    }
}
