using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace NodeAgent.Rpc.Tests;

/// <summary>An HTTP/2 client that says exactly what a test tells it to, and nothing by itself (RFC 9113).</summary>
internal sealed class RawHttp2 : IDisposable
{
    internal const byte Data = 0;
    internal const byte Headers = 1;
    internal const byte Reset = 3;
    internal const byte Settings = 4;
    internal const byte Ping = 6;
    internal const byte GoAway = 7;
    internal const byte WindowUpdate = 8;
    internal const byte Continuation = 9;

    internal const byte EndStream = 1;
    internal const byte Ack = 1;
    internal const byte EndHeaders = 4;

    private readonly byte[] _header = new byte[9];

    private RawHttp2(Socket socket) => Stream = new NetworkStream(socket, ownsSocket: true);

    internal NetworkStream Stream { get; }

    /// <summary>Connects and says nothing.</summary>
    internal static async Task<RawHttp2> ConnectAsync(string address)
    {
        Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(IPAddress.Loopback, new Uri(address).Port);
        return new RawHttp2(socket);
    }

    /// <summary>Whether the server closes a new connection before a word is said.</summary>
    internal static async Task<bool> IsRefusedAsync(string address)
    {
        try
        {
            using RawHttp2 client = await ConnectAsync(address);
            return await client.ReadAsync() is null;
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionReset)
        {
            // It was quicker than the end of our connect.
            return true;
        }
    }

    /// <summary>Connects, and both sides have said their settings.</summary>
    internal static async Task<RawHttp2> OpenAsync(string address)
    {
        RawHttp2 client = await ConnectAsync(address);
        await client.Stream.WriteAsync("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8.ToArray());
        await client.SendAsync(Settings, 0, 0, []);
        await client.ReadUntilAsync(frame => frame.Type == Settings);
        await client.SendAsync(Settings, Ack, 0, []);
        return client;
    }

    internal static byte[] Frame(byte type, byte flags, int stream, ReadOnlySpan<byte> payload)
    {
        byte[] frame = new byte[9 + payload.Length];
        BinaryPrimitives.WriteInt32BigEndian(frame, payload.Length << 8);
        frame[3] = type;
        frame[4] = flags;
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(5), stream);
        payload.CopyTo(frame.AsSpan(9));
        return frame;
    }

    /// <summary>The header block of a call, every field spelled out (RFC 7541, 6.2.2).</summary>
    internal static byte[] CallHeaders(string path, params (string Name, string Value)[] more)
    {
        List<byte> block = [];
        (string Name, string Value)[] fields =
        [
            (":method", "POST"), (":scheme", "http"), (":path", path), (":authority", "test"), ("content-type", "application/grpc"),
            ("te", "trailers"), .. more,
        ];
        foreach ((string name, string value) in fields)
        {
            block.Add(0);
            AppendText(block, name);
            AppendText(block, value);
        }

        return [.. block];
    }

    internal Task SendAsync(byte type, byte flags, int stream, ReadOnlySpan<byte> payload) =>
        Stream.WriteAsync(Frame(type, flags, stream, payload)).AsTask();

    /// <summary>Begins a call and leaves its request open.</summary>
    internal Task BeginCallAsync(int stream, string path, params (string Name, string Value)[] more) =>
        SendAsync(Headers, EndHeaders, stream, CallHeaders(path, more));

    /// <summary>The next frame; null when the server has closed the connection.</summary>
    internal async Task<(byte Type, byte Flags, int Stream, byte[] Payload)?> ReadAsync()
    {
        using CancellationTokenSource patience = new(RpcHost.Patience);
        try
        {
            await Stream.ReadExactlyAsync(_header, patience.Token);
            byte[] payload = new byte[(_header[0] << 16) | (_header[1] << 8) | _header[2]];
            await Stream.ReadExactlyAsync(payload, patience.Token);
            return (_header[3], _header[4], BinaryPrimitives.ReadInt32BigEndian(_header.AsSpan(5)), payload);
        }
        catch (IOException)
        {
            // Closed or reset.
            return null;
        }
    }

    internal async Task<(byte Type, byte Flags, int Stream, byte[] Payload)> ReadUntilAsync(
        Func<(byte Type, byte Flags, int Stream, byte[] Payload), bool> wanted)
    {
        while (await ReadAsync() is { } frame)
        {
            if (wanted(frame))
            {
                return frame;
            }
        }

        throw new InvalidOperationException("The server has closed the connection.");
    }

    /// <summary>Reads until the server closes the connection; the error code of its GOAWAY, null when it said none.</summary>
    internal async Task<int?> ReadToTheEndAsync()
    {
        int? error = null;
        while (await ReadAsync() is { } frame)
        {
            if (frame.Type == GoAway)
            {
                error = BinaryPrimitives.ReadInt32BigEndian(frame.Payload.AsSpan(4));
            }
        }

        return error;
    }

    public void Dispose() => Stream.Dispose();

    private static void AppendText(List<byte> block, string text)
    {
        // A length of seven bits, then seven more a byte (RFC 7541, 5.1); no Huffman.
        byte[] bytes = Encoding.ASCII.GetBytes(text);
        if (bytes.Length < 127)
        {
            block.Add((byte)bytes.Length);
        }
        else
        {
            block.Add(127);
            int rest = bytes.Length - 127;
            for (; rest >= 128; rest >>= 7)
            {
                block.Add((byte)(rest | 128));
            }

            block.Add((byte)rest);
        }

        block.AddRange(bytes);
    }
}
