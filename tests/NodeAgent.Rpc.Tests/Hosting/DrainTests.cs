using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Grpc.Core;
using NodeAgent.Rpc.Server;
using NodeAgent.Rpc.Tests.Proto;

namespace NodeAgent.Rpc.Tests.Hosting;

public sealed class DrainTests
{
    // The grace is 0.5 s and the host gives up after 5 s; the framework's own default would be 30 s, and the rest is the machine's.
    private static readonly TimeSpan StopBound = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task Stop_OpenDuplexStreams_EndUnavailableSoon()
    {
        await using RpcHost host = await RpcHost.StartAsync();
        List<AsyncDuplexStreamingCall<EchoRequest, EchoReply>> calls = [];
        Echo.EchoClient client = host.Client();
        for (int i = 0; i < 20; i++)
        {
            AsyncDuplexStreamingCall<EchoRequest, EchoReply> call = client.Duplex();
            await call.RequestStream.WriteAsync(new EchoRequest());
            Assert.True(await call.ResponseStream.MoveNext());
            calls.Add(call);
        }

        Stopwatch watch = Stopwatch.StartNew();
        Task stop = host.StopAsync();
        foreach (AsyncDuplexStreamingCall<EchoRequest, EchoReply> call in calls)
        {
            RpcException e = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext());
            Assert.Equal(StatusCode.Unavailable, e.StatusCode);
            Assert.Equal("The server is stopping.", e.Status.Detail);
        }

        await stop;
        Assert.True(watch.Elapsed < StopBound, $"the stop took {watch.Elapsed}");
        Assert.All(await host.WaitForRecordsAsync(20), record => Assert.Equal(StatusCode.Unavailable, record.Status.StatusCode));
    }

    [Fact]
    public async Task Stop_HandlerWatchesDraining_SaysItsLastWord()
    {
        RpcServer? server = null;
        await using RpcHost host = await RpcHost.StartAsync(new EchoService
        {
            OnDuplex = async (_, responses, _) =>
            {
                await responses.WriteAsync(new EchoReply { Text = "welcome" });
                TaskCompletionSource draining = new(TaskCreationOptions.RunContinuationsAsynchronously);
                server!.Draining.Register(draining.SetResult);
                await draining.Task;
                await responses.WriteAsync(new EchoReply { Text = "farewell" });
            },
        });
        server = host.Server;
        using AsyncDuplexStreamingCall<EchoRequest, EchoReply> call = host.Client().Duplex();
        Assert.True(await call.ResponseStream.MoveNext());
        Task stop = host.StopAsync();
        Assert.True(await call.ResponseStream.MoveNext());
        Assert.Equal("farewell", call.ResponseStream.Current.Text);
        Assert.False(await call.ResponseStream.MoveNext());
        await stop;
    }

    [Fact]
    public async Task Drain_NewCallOnTheOpenConnection_IsUnavailable()
    {
        await using RpcHost host = await RpcHost.StartAsync();
        Echo.EchoClient client = host.Client();
        await client.UnaryAsync(new EchoRequest());
        host.Server.Drain();
        RpcException e = await Assert.ThrowsAsync<RpcException>(async () => await client.UnaryAsync(new EchoRequest()));
        Assert.Equal(StatusCode.Unavailable, e.StatusCode);
        host.Server.Drain();
    }

    [Fact]
    public async Task Drain_RunningUnaryCall_FinishesWithinTheGrace()
    {
        TaskCompletionSource started = new();
        TaskCompletionSource release = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using RpcHost host = await RpcHost.StartAsync(
            new EchoService
            {
                OnUnary = async (request, _) =>
                {
                    started.SetResult();
                    await release.Task;
                    return EchoService.Reply(request);
                },
            },
            new RpcServerOptions { DrainGrace = TimeSpan.FromSeconds(30) });
        AsyncUnaryCall<EchoReply> call = host.Client().UnaryAsync(new EchoRequest { Number = 3 });
        await started.Task;
        host.Server.Drain();
        release.SetResult();
        Assert.Equal(6, (await call).Number);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Stop_ClientReadsNothing_IsNotHeldUp(bool handlerHasReturned)
    {
        TaskCompletionSource returning = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using RpcHost host = await RpcHost.StartAsync(new EchoService
        {
            OnServerStream = async (_, responses, _) =>
            {
                // Far more than the client's window: as one message of a handler that returns, or as messages of one that never does.
                responses.WriteOptions = new WriteOptions(handlerHasReturned ? WriteFlags.BufferHint : WriteFlags.None);
                EchoReply large = new() { Payload = Google.Protobuf.ByteString.CopyFrom(new byte[30_000]) };
                do
                {
                    for (int i = 0; i < 20; i++)
                    {
                        Task write = responses.WriteAsync(large);
                        if (!handlerHasReturned)
                        {
                            await write;
                        }
                        else if (!write.IsCompleted)
                        {
                            break;
                        }
                    }
                }
                while (!handlerHasReturned);
                returning.TrySetResult();
            },
        });
        using AsyncServerStreamingCall<EchoReply> call = host.Client().ServerStream(new EchoRequest());
        await call.ResponseHeadersAsync;
        if (handlerHasReturned)
        {
            await returning.Task;
        }

        Stopwatch watch = Stopwatch.StartNew();
        await host.StopAsync();
        Assert.True(watch.Elapsed < StopBound, $"the stop took {watch.Elapsed}");
        Assert.Single(await host.WaitForRecordsAsync(1));
    }

    [Fact]
    public async Task Stop_OpenConnection_IsToldGoAway()
    {
        await using RpcHost host = await RpcHost.StartAsync();
        using TcpClient tcp = new();
        await tcp.ConnectAsync(IPAddress.Loopback, new Uri(host.Address).Port);
        NetworkStream stream = tcp.GetStream();
        await stream.WriteAsync("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8.ToArray());
        await stream.WriteAsync(new byte[] { 0, 0, 0, 4, 0, 0, 0, 0, 0 }); // SETTINGS without values
        Assert.Equal(4, await ReadFrameTypeAsync(stream));
        Task stop = host.StopAsync();
        byte type;
        do
        {
            type = await ReadFrameTypeAsync(stream).WaitAsync(RpcHost.Patience);
        }
        while (type != 7);

        await stop;
    }

    [Fact]
    public async Task Stop_HandlerIgnoresEverything_ClientIsFreedAtOnceAndTheHostAtItsTimeout()
    {
        TaskCompletionSource never = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using RpcHost host = await RpcHost.StartAsync(new EchoService
        {
            OnUnary = async (_, _) =>
            {
                await never.Task;
                return new EchoReply();
            },
        });
        AsyncUnaryCall<EchoReply> call = host.Client().UnaryAsync(new EchoRequest());
        while (host.Server.ActiveCalls == 0)
        {
            await Task.Yield();
        }

        Task stop = host.StopAsync();
        Stopwatch watch = Stopwatch.StartNew();
        Assert.Equal(StatusCode.Unavailable, (await Assert.ThrowsAsync<RpcException>(async () => await call)).StatusCode);
        Assert.True(watch.Elapsed < StopBound, $"the client waited {watch.Elapsed}");
        never.SetResult();
        await stop;
    }

    private static async Task<byte> ReadFrameTypeAsync(NetworkStream stream)
    {
        byte[] header = new byte[9];
        await stream.ReadExactlyAsync(header);
        await stream.ReadExactlyAsync(new byte[(header[0] << 16) | (header[1] << 8) | header[2]]);
        return header[3];
    }
}
