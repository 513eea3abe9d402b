using System.Net;
using System.Net.Sockets;

namespace NodeAgent.EndToEnd.Tests.Faults.Rig;

/// <summary>
/// The smallest name server that a resolver believes (RFC 1035): answers every question for an IPv4 address with one address and every
/// other with none; silent until it is given one.
/// </summary>
internal sealed class NameServer : IDisposable
{
    private const int HeaderBytes = 12;
    private const byte AddressRecord = 1;

    private readonly UdpClient _socket;
    private volatile IPAddress? _answer;
    private int _queries;

    internal NameServer(IPAddress listen)
    {
        _socket = new UdpClient(new IPEndPoint(listen, 53));
        _ = ServeAsync();
    }

    /// <summary>Null: silent.</summary>
    internal IPAddress? Answer
    {
        get => _answer;
        set => _answer = value;
    }

    internal int Queries => Volatile.Read(ref _queries);

    public void Dispose() => _socket.Dispose();

    private async Task ServeAsync()
    {
        try
        {
            while (true)
            {
                UdpReceiveResult query = await _socket.ReceiveAsync().ConfigureAwait(false);
                Interlocked.Increment(ref _queries);
                if (_answer is { } address && query.Buffer.Length > HeaderBytes)
                {
                    await _socket.SendAsync(Reply(query.Buffer, address), query.RemoteEndPoint).ConfigureAwait(false);
                }
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Closed: the test is over.
            return;
        }
    }

    private static byte[] Reply(byte[] query, IPAddress address)
    {
        int end = HeaderBytes;
        while (query[end] != 0)
        {
            end += query[end] + 1;
        }

        end += 5; // the root label, type and class
        bool wantsAddress = query[end - 3] == AddressRecord;
        byte[] header = [query[0], query[1], 0x81, 0x80, 0, 1, 0, (byte)(wantsAddress ? 1 : 0), 0, 0, 0, 0];
        byte[] record = [0xC0, HeaderBytes, 0, AddressRecord, 0, 1, 0, 0, 0, 1, 0, 4, .. address.GetAddressBytes()];
        return [.. header, .. query[HeaderBytes..end], .. wantsAddress ? record : []];
    }
}
