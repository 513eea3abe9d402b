using System.Net.Sockets;
using System.Text;

namespace NodeAgent.Hosting.Tests.Lifetime;

/// <summary>The other end of NOTIFY_SOCKET: a real datagram socket, as systemd binds it.</summary>
internal sealed class ServiceManager : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
    private readonly string? _path;

    internal ServiceManager(string address)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no unix datagram sockets");
        _path = address[0] == '@' ? null : address;
        _socket.Bind(new UnixDomainSocketEndPoint(_path ?? "\0" + address[1..]));
        _socket.ReceiveTimeout = 10_000;
    }

    /// <summary>The next datagram; waits for it.</summary>
    internal string Receive()
    {
        byte[] buffer = new byte[4096];
        return Encoding.UTF8.GetString(buffer, 0, _socket.Receive(buffer));
    }

    /// <summary>Datagrams that have come and were not received.</summary>
    internal int Waiting()
    {
        int count = 0;
        byte[] buffer = new byte[4096];
        while (_socket.Poll(0, SelectMode.SelectRead))
        {
            _socket.Receive(buffer);
            count++;
        }

        return count;
    }

    public void Dispose()
    {
        _socket.Dispose();
        if (_path is not null)
        {
            File.Delete(_path);
        }
    }
}
