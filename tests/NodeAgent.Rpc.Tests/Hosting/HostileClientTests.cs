using Grpc.Core;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using NodeAgent.Rpc.Server;
using NodeAgent.Rpc.Tests.Load;
using NodeAgent.Rpc.Tests.Proto;

namespace NodeAgent.Rpc.Tests.Hosting;

/// <summary>
/// Clients that keep to the letter of HTTP/2 and cost as much as they can: the server closes their connection, or they cost
/// nothing, and others are served.
/// </summary>
[Collection(MeasuredAlone.Name)]
public sealed class HostileClientTests
{
    private const int EnhanceYourCalm = 0xb;

    [Fact]
    public async Task RapidReset_ConnectionIsClosed()
    {
        // CVE-2023-44487: a call begun and given up costs its server a call and the client nothing.
        await AssertFloodIsEndedAsync(i =>
        [
            .. RawHttp2.Frame(RawHttp2.Headers, RawHttp2.EndHeaders, (2 * i) + 1, RawHttp2.CallHeaders(RawCall.Unary)),
            .. RawHttp2.Frame(RawHttp2.Reset, 0, (2 * i) + 1, [0, 0, 0, 8]),
        ]);
    }

    [Fact]
    public Task PingFlood_ConnectionIsClosed() =>
        AssertFloodIsEndedAsync(_ => RawHttp2.Frame(RawHttp2.Ping, 0, 0, new byte[8]));

    [Fact]
    public Task SettingsFlood_ConnectionIsClosed() =>
        AssertFloodIsEndedAsync(_ => RawHttp2.Frame(RawHttp2.Settings, 0, 0, [0, 4, 0, 1, 0, 0]));

    [Fact]
    public Task PriorityFlood_ConnectionIsClosed() =>
        AssertFloodIsEndedAsync(_ => RawHttp2.Frame(2, 0, 1, [0, 0, 0, 3, 7]));

    [Fact]
    public Task EmptyDataFlood_ConnectionIsClosed() =>
        AssertFloodIsEndedAsync(
            _ => RawHttp2.Frame(RawHttp2.Data, 0, 1, []), RawHttp2.Frame(RawHttp2.Headers, RawHttp2.EndHeaders, 1, RawHttp2.CallHeaders(RawCall.ClientStream)));

    [Fact]
    public Task EmptyContinuationFlood_ConnectionIsClosed() =>
        AssertFloodIsEndedAsync(
            _ => RawHttp2.Frame(RawHttp2.Continuation, 0, 1, []), RawHttp2.Frame(RawHttp2.Headers, 0, 1, RawHttp2.CallHeaders(RawCall.Unary)));

    [Fact]
    public async Task PingFlood_ClientThatReadsNoAnswer_StandsAndOthersAreServed()
    {
        await using RpcHost host = await RpcHost.StartAsync();
        using RawHttp2 client = await RawHttp2.OpenAsync(host.Address);
        byte[] pings = [.. Enumerable.Repeat(RawHttp2.Frame(RawHttp2.Ping, 0, 0, new byte[8]), 1000).SelectMany(frame => frame)];
        Task flood = Task.Run(async () =>
        {
            try
            {
                while (true)
                {
                    await client.Stream.WriteAsync(pings);
                }
            }
            catch (Exception e) when (e is IOException or ObjectDisposedException)
            {
                // The server has closed it, or the test is over.
                return;
            }
        });
        await AssertServesOthersAsync(host);
        client.Dispose();
        await flood.WaitAsync(RpcHost.Patience);
    }

    [Theory]
    [InlineData(100, 1000)] // Ten times the limit in fields of a kilobyte.
    [InlineData(5000, 10)] // Small fields without end.
    public async Task HeaderBomb_ConnectionIsClosed(int fields, int length)
    {
        await using RpcHost host = await RpcHost.StartAsync();
        using RawHttp2 client = await RawHttp2.OpenAsync(host.Address);
        byte[] block = RawHttp2.CallHeaders(
            RawCall.Unary, [.. Enumerable.Range(0, fields).Select(i => ($"x-{i}", new string('x', length)))]);
        Task send = SendHeadersAsync(client, block);
        int? error = await client.ReadToTheEndAsync();
        Assert.True(error is null or > 0, $"{error}");
        await Record.ExceptionAsync(() => send);
        await AssertServesOthersAsync(host);
    }

    [Fact]
    public async Task CompressedHeaderBomb_ConnectionIsClosed()
    {
        // A field of 3,000 bytes goes into the table once and is then named by one byte (RFC 7541, 6.1), 10,000 times: 30 MB in 13 kB.
        await using RpcHost host = await RpcHost.StartAsync();
        using RawHttp2 client = await RawHttp2.OpenAsync(host.Address);
        byte[] value = new byte[3000];
        Array.Fill(value, (byte)'x');
        byte[] block =
        [
            .. RawHttp2.CallHeaders(RawCall.Unary),
            0x40, 1, (byte)'x', 127, .. Length(3000 - 127), .. value,
            .. Enumerable.Repeat((byte)(0x80 | 62), 10_000),
        ];
        Task send = SendHeadersAsync(client, block);
        Assert.True(await client.ReadToTheEndAsync() is null or > 0);
        await Record.ExceptionAsync(() => send);
        await AssertServesOthersAsync(host);

        static byte[] Length(int rest) => [(byte)((rest & 127) | 128), (byte)(rest >> 7)];
    }

    [Fact]
    public async Task SlowHeaders_ConnectionIsClosed()
    {
        await using RpcHost host = await RpcHost.StartAsync(kestrel: limits => limits.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(1));
        using RawHttp2 client = await RawHttp2.OpenAsync(host.Address);
        await client.SendAsync(RawHttp2.Headers, 0, 1, RawHttp2.CallHeaders(RawCall.Unary));
        Assert.True(await client.ReadToTheEndAsync() is null or > 0);
    }

    [Fact]
    public async Task KeepAlive_ClientThatAnswersNoPing_IsClosedAndOneThatDoesStays()
    {
        await using RpcHost host = await RpcHost.StartAsync(kestrel: limits =>
        {
            limits.Limits.Http2.KeepAlivePingDelay = TimeSpan.FromSeconds(1);
            limits.Limits.Http2.KeepAlivePingTimeout = TimeSpan.FromSeconds(1);
        });
        using RawHttp2 dead = await RawHttp2.OpenAsync(host.Address);
        using RawHttp2 living = await RawHttp2.OpenAsync(host.Address);
        await dead.BeginCallAsync(1, RawCall.ClientStream);
        await living.BeginCallAsync(1, RawCall.ClientStream);
        Task<int?> end = dead.ReadToTheEndAsync();
        while (!end.IsCompleted)
        {
            (_, _, _, byte[] payload) = await living.ReadUntilAsync(frame => frame.Type == RawHttp2.Ping);
            await living.SendAsync(RawHttp2.Ping, RawHttp2.Ack, 0, payload);
        }

        RpcServerCallRecord record = Assert.Single(await host.WaitForRecordsAsync(1));
        Assert.Equal(StatusCode.Cancelled, record.Status.StatusCode);
        await living.SendAsync(RawHttp2.Data, RawHttp2.EndStream, 1, RawCall.Frame([]));
        await living.ReadUntilAsync(frame => frame.Type == RawHttp2.Headers && (frame.Flags & RawHttp2.EndStream) != 0);
    }

    [Fact]
    public void Defaults_DeadPeer_IsNoticedWithinFifteenSeconds()
    {
        KestrelServerOptions kestrel = new();
        RpcKestrelDefaults.Apply(kestrel);

        // Kestrel adds a second to each for its clock and checks once a second.
        TimeSpan noticed = kestrel.Limits.Http2.KeepAlivePingDelay + kestrel.Limits.Http2.KeepAlivePingTimeout + TimeSpan.FromSeconds(4);
        Assert.True(noticed < TimeSpan.FromSeconds(15), $"{noticed}");
    }

    // Sends until the connection is gone; what others are told meanwhile is right.
    private static async Task AssertFloodIsEndedAsync(Func<int, byte[]> frames, byte[]? first = null)
    {
        const int AtMost = 2_000_000;
        await using RpcHost host = await RpcHost.StartAsync();
        using RawHttp2 client = await RawHttp2.OpenAsync(host.Address);
        await client.Stream.WriteAsync(first ?? []);
        Task<int?> reading = client.ReadToTheEndAsync();
        Task<int> sending = Task.Run(async () =>
        {
            int sent = 0;
            try
            {
                for (; sent < AtMost; sent += 100)
                {
                    await client.Stream.WriteAsync(Enumerable.Range(sent, 100).SelectMany(frames).ToArray());
                }
            }
            catch (IOException)
            {
                // What the test is about.
                return sent;
            }

            return sent;
        });
        await AssertServesOthersAsync(host);
        Assert.InRange(await sending.WaitAsync(RpcHost.Patience), 1, AtMost - 1);
        Assert.True(await reading is null or EnhanceYourCalm || host.Server.Admission.EndedFlooding == 1);
        await AssertServesOthersAsync(host);
    }

    private static async Task SendHeadersAsync(RawHttp2 client, byte[] block)
    {
        bool first = true;
        foreach (byte[] part in block.Chunk(16_000))
        {
            await client.SendAsync(first ? RawHttp2.Headers : RawHttp2.Continuation, 0, 1, part);
            first = false;
        }
    }

    private static async Task AssertServesOthersAsync(RpcHost host)
    {
        Echo.EchoClient other = host.Client();
        for (int i = 0; i < 20; i++)
        {
            EchoReply reply = await other.UnaryAsync(
                new EchoRequest { Number = i }, deadline: TimeProvider.System.GetUtcNow().UtcDateTime.AddSeconds(20));
            Assert.Equal(2 * i, reply.Number);
        }
    }
}
