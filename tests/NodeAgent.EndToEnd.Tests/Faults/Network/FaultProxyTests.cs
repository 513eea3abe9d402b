using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using NodeAgent.Testing.Network;

namespace NodeAgent.EndToEnd.Tests.Faults.Network;

/// <summary>The tool that the fault tests trust: each of its faults seen from both ends of a plain TCP connection.</summary>
public sealed class FaultProxyTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task Proxy_NoFaults_PassesEveryByteBothWays()
    {
        await using Line line = await Line.OpenAsync();
        byte[] sent = Bytes(200_000);

        await line.Client.SendAsync(sent);
        byte[] received = await line.ReadAtServerAsync(sent.Length);
        await line.Server.SendAsync(received.AsMemory(0, 1000));

        Assert.Equal(sent, received);
        Assert.Equal(sent[..1000], await Line.ReadAsync(line.Client, 1000));
        Assert.Equal(200_000, line.Proxy.Counters.BytesToServer);
        Assert.Equal(1000, line.Proxy.Counters.BytesToClient);
    }

    [Fact]
    public async Task Proxy_DelayAndJitter_BytesComeLaterAndInOrder()
    {
        await using Line line = await Line.OpenAsync();
        line.Proxy.ToServer = new LinkFaults { Delay = TimeSpan.FromMilliseconds(150), Jitter = TimeSpan.FromMilliseconds(100) };
        byte[] sent = Bytes(4000);
        Stopwatch watch = Stopwatch.StartNew();

        foreach (byte[] part in sent.Chunk(500))
        {
            await line.Client.SendAsync(part);
        }

        Assert.Equal(sent, await line.ReadAtServerAsync(sent.Length));
        Assert.True(watch.Elapsed >= TimeSpan.FromMilliseconds(150), $"{watch.Elapsed}");
    }

    [Fact]
    public async Task Proxy_Bandwidth_IsNotExceeded()
    {
        await using Line line = await Line.OpenAsync();
        line.Proxy.ToServer = new LinkFaults { BytesPerSecond = 20_000 };
        byte[] sent = Bytes(10_000);
        Stopwatch watch = Stopwatch.StartNew();

        await line.Client.SendAsync(sent);

        Assert.Equal(sent, await line.ReadAtServerAsync(sent.Length));
        Assert.True(watch.Elapsed >= TimeSpan.FromMilliseconds(350), $"{watch.Elapsed}");
    }

    [Fact]
    public async Task Proxy_OneByteSlices_ArriveOneByOne()
    {
        await using Line line = await Line.OpenAsync();
        line.Proxy.ToServer = new LinkFaults { SliceBytes = 1, BytesPerSecond = 1000 };
        byte[] sent = Bytes(50);

        await line.Client.SendAsync(sent);
        byte[] first = new byte[50];
        int length = await line.Server.ReceiveAsync(first);

        Assert.InRange(length, 1, 10);
        Assert.Equal(sent[..length], first[..length]);
        Assert.Equal(sent[length..], await line.ReadAtServerAsync(50 - length));
    }

    [Fact]
    public async Task Proxy_Stall_NothingMovesUntilItIsLifted()
    {
        await using Line line = await Line.OpenAsync();
        line.Proxy.ToServer = new LinkFaults { IsStalled = true };
        await line.Client.SendAsync(Bytes(100));

        Task<byte[]> reading = line.ReadAtServerAsync(100);
        Assert.NotSame(reading, await Task.WhenAny(reading, Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System)));
        line.Proxy.ToServer = LinkFaults.None;

        Assert.Equal(Bytes(100), await reading);
    }

    [Fact]
    public async Task Proxy_Swallow_BytesNeverArriveAndNobodyIsTold()
    {
        await using Line line = await Line.OpenAsync();
        line.Proxy.ToServer = new LinkFaults { IsSwallowed = true };
        await line.Client.SendAsync(Bytes(100));
        await Waiting.ForAsync("bytes are swallowed", Limit, () => Task.FromResult(line.Proxy.Counters.SwallowedBytes == 100 ? line : null));

        line.Proxy.ToServer = LinkFaults.None;
        await line.Client.SendAsync("after"u8.ToArray());

        Assert.Equal("after"u8.ToArray(), await line.ReadAtServerAsync(5));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(777)]
    public async Task Proxy_ResetAfterBytes_PassesExactlySoManyAndBothSidesSeeIt(int bytes)
    {
        await using Line line = await Line.OpenAsync();
        line.Proxy.ToServer = new LinkFaults { ResetAfterBytes = bytes };

        await line.Client.SendAsync(Bytes(2000));

        (int received, bool wasReset) = await Line.DrainAsync(line.Server);
        Assert.True(received <= bytes, $"{received} bytes came"); // RST may overtake what the receiver has not read
        Assert.True(wasReset);
        Assert.True((await Line.DrainAsync(line.Client)).WasReset);
        Assert.Equal(1, line.Proxy.Counters.Resets);
        Assert.Equal(bytes, line.Proxy.Counters.BytesToServer);
    }

    [Fact]
    public async Task Proxy_FinishAfterBytes_EndsOneDirectionAndKeepsTheOther()
    {
        await using Line line = await Line.OpenAsync();
        line.Proxy.ToServer = new LinkFaults { FinishAfterBytes = 300 };

        await line.Client.SendAsync(Bytes(2000));

        Assert.Equal((300, false), await Line.DrainAsync(line.Server));
        await line.Server.SendAsync(Bytes(50));
        Assert.Equal(Bytes(50), await Line.ReadAsync(line.Client, 50));
    }

    [Fact]
    public async Task Proxy_FlippedBits_AreTheSameForTheSameSeed()
    {
        byte[] first = await FlippedAsync(seed: 7);
        byte[] again = await FlippedAsync(seed: 7);
        byte[] other = await FlippedAsync(seed: 8);

        Assert.Equal(first, again);
        Assert.NotEqual(first, other);
        Assert.InRange(first.Zip(Bytes(10_000)).Count(pair => pair.First != pair.Second), 50, 200);
    }

    [Fact]
    public async Task Proxy_IdleCut_CutsOnlyWhatIsIdle()
    {
        await using Line line = await Line.OpenAsync();
        line.Proxy.IdleCut = TimeSpan.FromMilliseconds(800);
        for (int i = 0; i < 8; i++)
        {
            await line.Client.SendAsync(Bytes(1));
            await line.ReadAtServerAsync(1);
            await Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System);
        }

        Assert.Equal(0, line.Proxy.Counters.IdleCuts);
        Assert.True((await Line.DrainAsync(line.Client)).WasReset);
        Assert.Equal(1, line.Proxy.Counters.IdleCuts);
    }

    [Fact]
    public async Task Proxy_Refuse_NewConnectionsAreRefusedUntilItListensAgain()
    {
        await using Line line = await Line.OpenAsync();
        await line.Proxy.RefuseAsync();

        using Socket refused = new(SocketType.Stream, ProtocolType.Tcp);
        SocketException error = await Assert.ThrowsAsync<SocketException>(() => refused.ConnectAsync(line.Proxy.Address));
        await line.Client.SendAsync(Bytes(10));
        Assert.Equal(Bytes(10), await line.ReadAtServerAsync(10));
        line.Proxy.Listen();
        using Socket taken = new(SocketType.Stream, ProtocolType.Tcp);
        await taken.ConnectAsync(line.Proxy.Address);

        Assert.Equal(SocketError.ConnectionRefused, error.SocketErrorCode);
    }

    [Fact]
    public async Task Proxy_ServerAway_ResetsTheClient()
    {
        await using FaultProxy proxy = new(new IPEndPoint(IPAddress.Loopback, NodeAgent.Testing.Processes.LocalPair.FreePort()), seed: 1);
        using Socket client = new(SocketType.Stream, ProtocolType.Tcp);

        // The reset may come before the client has looked at its new connection.
        SocketException? early = await Record.ExceptionAsync(() => client.ConnectAsync(proxy.Address)) as SocketException;

        Assert.True(early is not null || (await Line.DrainAsync(client)).WasReset);
        Assert.Equal(1, proxy.Counters.Unreachable);
    }

    private static async Task<byte[]> FlippedAsync(int seed)
    {
        await using Line line = await Line.OpenAsync(seed);
        line.Proxy.ToServer = new LinkFaults { FlipOneIn = 100 };
        await line.Client.SendAsync(Bytes(10_000));
        return await line.ReadAtServerAsync(10_000);
    }

    private static byte[] Bytes(int count) => [.. Enumerable.Range(0, count).Select(i => (byte)(i * 31))];

    /// <summary>A client and a server with a proxy between them.</summary>
    private sealed class Line : IAsyncDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);

        private Line(int seed)
        {
            _listener.Start();
            Proxy = new FaultProxy((IPEndPoint)_listener.LocalEndpoint, seed);
        }

        internal FaultProxy Proxy { get; }

        internal Socket Client { get; } = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };

        internal Socket Server { get; private set; } = null!;

        internal static async Task<Line> OpenAsync(int seed = 1)
        {
            Line line = new(seed);
            await line.Client.ConnectAsync(line.Proxy.Address);
            line.Server = await line._listener.AcceptSocketAsync();
            return line;
        }

        internal Task<byte[]> ReadAtServerAsync(int count) => ReadAsync(Server, count);

        internal static async Task<byte[]> ReadAsync(Socket socket, int count)
        {
            using CancellationTokenSource tooLate = new(Limit);
            byte[] buffer = new byte[count];
            for (int read = 0; read < count;)
            {
                int length = await socket.ReceiveAsync(buffer.AsMemory(read), tooLate.Token);
                Assert.NotEqual(0, length);
                read += length;
            }

            return buffer;
        }

        /// <summary>Reads to the end, and says how it ended.</summary>
        internal static async Task<(int Bytes, bool WasReset)> DrainAsync(Socket socket)
        {
            using CancellationTokenSource tooLate = new(Limit);
            byte[] buffer = new byte[4096];
            int all = 0;
            try
            {
                while (await socket.ReceiveAsync(buffer, tooLate.Token) is var length and > 0)
                {
                    all += length;
                }

                return (all, false);
            }
            catch (SocketException)
            {
                return (all, true);
            }
        }

        public async ValueTask DisposeAsync()
        {
            Client.Dispose();
            Server?.Dispose();
            await Proxy.DisposeAsync();
            _listener.Stop();
        }
    }
}
