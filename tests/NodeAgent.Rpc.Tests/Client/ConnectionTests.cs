using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Grpc.Core;
using NodeAgent.Rpc.Tests.Proto;

namespace NodeAgent.Rpc.Tests.Client;

/// <summary>Connections that fail or vanish: always UNAVAILABLE, in bounded time, with the reason in the detail.</summary>
public sealed class ConnectionTests
{
    [Fact]
    public async Task Call_NobodyListens_SaysRefused()
    {
        RpcException e = await FailAsync($"http://127.0.0.1:{FreePort()}");
        Assert.Equal(StatusCode.Unavailable, e.StatusCode);
        Assert.Contains("refused", e.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Call_NameDoesNotResolve_SaysSo()
    {
        RpcException e = await FailAsync("http://no-such-host.invalid:1");
        Assert.Equal(StatusCode.Unavailable, e.StatusCode);
        Assert.Contains("no-such-host.invalid", e.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Call_ServerSpeaksAnotherProtocol_IsUnavailable()
    {
        using Relay relay = Relay.Answering("SSH-2.0-OpenSSH_9.2\r\n"u8.ToArray());
        RpcException e = await FailAsync(relay.Address);
        Assert.Equal(StatusCode.Unavailable, e.StatusCode);
        Assert.Contains(new Uri(relay.Address).Authority, e.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Duplex_ServerAborts_EndsUnavailableSoon()
    {
        for (int round = 0; round < 10; round++)
        {
            await using RpcHost host = await RpcHost.StartAsync();
            using AsyncDuplexStreamingCall<EchoRequest, EchoReply> call = host.Client().Duplex();
            await call.RequestStream.WriteAsync(new EchoRequest());
            Assert.True(await call.ResponseStream.MoveNext());
            Task<bool> read = call.ResponseStream.MoveNext();

            // A stop whose patience is over at once: Kestrel aborts its connections.
            Stopwatch watch = Stopwatch.StartNew();
            Task stop = host.StopAsync(new CancellationToken(true));
            RpcException e = await Assert.ThrowsAsync<RpcException>(() => read.WaitAsync(RpcHost.Patience));
            Assert.Equal(StatusCode.Unavailable, e.StatusCode);
            Assert.True(watch.Elapsed < TimeSpan.FromSeconds(5), $"noticed after {watch.Elapsed}");
            await Assert.ThrowsAsync<RpcException>(() => call.RequestStream.WriteAsync(new EchoRequest()));
            await stop;
        }
    }

    [Fact]
    public async Task Duplex_ConnectionIsReset_EndsUnavailableSoon()
    {
        await using RpcHost host = await RpcHost.StartAsync();
        using Relay relay = Relay.To(host.Address);
        using RpcChannel channel = RpcChannel.ForAddress(relay.Address);
        using AsyncDuplexStreamingCall<EchoRequest, EchoReply> call = new Echo.EchoClient(channel).Duplex();
        await call.RequestStream.WriteAsync(new EchoRequest());
        Assert.True(await call.ResponseStream.MoveNext());
        Task<bool> read = call.ResponseStream.MoveNext();
        relay.Reset();
        RpcException e = await Assert.ThrowsAsync<RpcException>(() => read.WaitAsync(RpcHost.Patience));
        Assert.Equal(StatusCode.Unavailable, e.StatusCode);
        Assert.Equal(StatusCode.Cancelled, Assert.Single(await host.WaitForRecordsAsync(1)).Status.StatusCode);
    }

    [Fact]
    public async Task Channel_AfterAResetConnection_ConnectsAgain()
    {
        await using RpcHost host = await RpcHost.StartAsync();
        using Relay relay = Relay.To(host.Address);
        using RpcChannel channel = RpcChannel.ForAddress(relay.Address);
        Echo.EchoClient client = new(channel);
        await client.UnaryAsync(new EchoRequest());
        using (AsyncDuplexStreamingCall<EchoRequest, EchoReply> call = client.Duplex())
        {
            Task<bool> read = call.ResponseStream.MoveNext();
            relay.Reset();
            await Assert.ThrowsAsync<RpcException>(() => read.WaitAsync(RpcHost.Patience));
        }

        Assert.Equal(2, (await client.UnaryAsync(new EchoRequest { Number = 1 })).Number);
    }

    [Fact]
    public async Task Duplex_LinkGoesSilent_KeepAliveNoticesOnBothSides()
    {
        TimeSpan second = TimeSpan.FromSeconds(1);
        await using RpcHost host = await RpcHost.StartAsync(kestrel: kestrel =>
        {
            kestrel.Limits.Http2.KeepAlivePingDelay = second;
            kestrel.Limits.Http2.KeepAlivePingTimeout = second;
        });
        using Relay relay = Relay.To(host.Address);
        using RpcChannel channel = RpcChannel.ForAddress(
            relay.Address, new RpcChannelOptions { KeepAlivePingDelay = second, KeepAlivePingTimeout = second });
        using AsyncDuplexStreamingCall<EchoRequest, EchoReply> call = new Echo.EchoClient(channel).Duplex();
        await call.RequestStream.WriteAsync(new EchoRequest());
        Assert.True(await call.ResponseStream.MoveNext());
        Task<bool> read = call.ResponseStream.MoveNext();
        relay.GoSilent();
        RpcException e = await Assert.ThrowsAsync<RpcException>(() => read.WaitAsync(RpcHost.Patience));
        Assert.Equal(StatusCode.Unavailable, e.StatusCode);
        Assert.Single(await host.WaitForRecordsAsync(1));
    }

    [Theory]
    [InlineData("ftp://host:1")]
    [InlineData("http://host:1/path")]
    [InlineData("host:1")]
    [InlineData("")]
    public void ForAddress_NotAnAddress_IsRefused(string address) => Assert.Throws<ArgumentException>(() => RpcChannel.ForAddress(address));

    [Fact]
    public void ForAddress_TlsOptionsWithoutTls_IsRefused() =>
        Assert.Throws<ArgumentException>(() => RpcChannel.ForAddress("http://host:1", new RpcChannelOptions { Tls = () => new() }));

    private static async Task<RpcException> FailAsync(string address)
    {
        using RpcChannel channel = RpcChannel.ForAddress(address);
        return await Assert.ThrowsAsync<RpcException>(async () => await new Echo.EchoClient(channel).UnaryAsync(new EchoRequest()));
    }

    private static int FreePort()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
