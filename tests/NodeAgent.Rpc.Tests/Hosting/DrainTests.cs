using Grpc.Core;
using NodeAgent.Rpc.Server;
using NodeAgent.Rpc.Tests.Proto;
using NodeAgent.Testing;

namespace NodeAgent.Rpc.Tests.Hosting;

public sealed class DrainTests
{
    // The host would end what the server does not; so that it cannot, it would wait longer than any of these tests.
    private static readonly TimeSpan Host = TimeSpan.FromMinutes(10);

    // The longest that a stop takes of the server's own clock: the grace of 0.5 s and less than a second.
    private static readonly TimeSpan StopTakes = TimeSpan.FromMilliseconds(1450);

    private static readonly EchoReply Large = new() { Payload = Google.Protobuf.ByteString.CopyFrom(new byte[30_000]) };

    [Fact]
    public async Task Stop_OpenDuplexStreams_EndUnavailableSoon()
    {
        await using RpcHost host = await RpcHost.StartAsync(shutdownTimeout: Host);
        List<AsyncDuplexStreamingCall<EchoRequest, EchoReply>> calls = [];
        Echo.EchoClient client = host.Client();
        for (int i = 0; i < 20; i++)
        {
            AsyncDuplexStreamingCall<EchoRequest, EchoReply> call = client.Duplex();
            await call.RequestStream.WriteAsync(new EchoRequest());
            Assert.True(await call.ResponseStream.MoveNext());
            calls.Add(call);
        }

        Task stop = host.StopAsync();
        foreach (AsyncDuplexStreamingCall<EchoRequest, EchoReply> call in calls)
        {
            RpcException e = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext());
            Assert.Equal(StatusCode.Unavailable, e.StatusCode);
            Assert.Equal("The server is stopping.", e.Status.Detail);
        }

        await stop.WaitAsync(RpcHost.Patience);
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
        await using RpcHost host = await RpcHost.StartAsync(
            new EchoService
            {
                OnServerStream = async (_, responses, _) =>
                {
                    // Far more than the client's window: as one message of a handler that returns, or as messages of one that never does.
                    responses.WriteOptions = new WriteOptions(handlerHasReturned ? WriteFlags.BufferHint : WriteFlags.None);
                    do
                    {
                        for (int i = 0; i < 20; i++)
                        {
                            Task write = responses.WriteAsync(Large);
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
            },
            shutdownTimeout: Host);
        using AsyncServerStreamingCall<EchoReply> call = host.Client().ServerStream(new EchoRequest());
        await call.ResponseHeadersAsync;
        if (handlerHasReturned)
        {
            await returning.Task;
        }

        await host.StopAsync().WaitAsync(RpcHost.Patience);
        Assert.Single(await host.WaitForRecordsAsync(1));
    }

    [Fact]
    public async Task Stop_ClientReadsNothingFromItsSocket_EndsSoonAfterTheGrace()
    {
        SimulatedTime time = new();
        await using RpcHost host = await RpcHost.StartAsync(
            new EchoService
            {
                OnServerStream = async (_, responses, _) =>
                {
                    while (true)
                    {
                        await responses.WriteAsync(Large);
                    }
                },
            },
            new RpcServerOptions { TimeProvider = time },
            shutdownTimeout: Host);
        using RawHttp2 client = await RawHttp2.OpenAsync(host.Address);

        // All the windows there are, so that it is the socket which fills.
        await client.SendAsync(RawHttp2.Settings, 0, 0, [0, 4, 0x7f, 0xff, 0xff, 0xff]);
        await client.SendAsync(RawHttp2.WindowUpdate, 0, 0, [0x7f, 0, 0, 0]);
        await client.BeginCallAsync(1, "/nodeagent.rpc.tests.Echo/ServerStream");
        await client.SendAsync(RawHttp2.Data, RawHttp2.EndStream, 1, RawCall.Frame([]));
        await client.ReadUntilAsync(frame => frame.Type == RawHttp2.Data);
        await StopAsync(host, time);
    }

    [Theory]
    [InlineData("/nodeagent.rpc.tests.Echo/Duplex")]
    [InlineData("/nodeagent.rpc.tests.Echo/ClientStream")]
    public async Task Stop_ClientNeverClosesItsHalf_HearsUnavailableAndEndsSoon(string path)
    {
        SimulatedTime time = new();
        await using RpcHost host = await RpcHost.StartAsync(options: new RpcServerOptions { TimeProvider = time }, shutdownTimeout: Host);
        using RawHttp2 client = await RawHttp2.OpenAsync(host.Address);
        await client.BeginCallAsync(1, path);
        await client.SendAsync(RawHttp2.Data, 0, 1, RawCall.Frame([]));
        await WaitForCallsAsync(host, 1);

        Task stop = host.StopAsync();
        await host.WaitForDrainAsync();
        time.Advance(TimeSpan.FromMilliseconds(500));
        await client.ReadUntilAsync(frame => frame.Type == RawHttp2.Headers && (frame.Flags & RawHttp2.EndStream) != 0);
        time.Advance(StopTakes - TimeSpan.FromMilliseconds(500));
        await stop.WaitAsync(RpcHost.Patience);
        await client.ReadToTheEndAsync();
        Assert.Equal(StatusCode.Unavailable, Assert.Single(await host.WaitForRecordsAsync(1)).Status.StatusCode);
    }

    [Fact]
    public async Task Stop_ConnectionWithoutCalls_IsClosedBeforeTheGraceIsOver()
    {
        SimulatedTime time = new();
        await using RpcHost host = await RpcHost.StartAsync(options: new RpcServerOptions { TimeProvider = time }, shutdownTimeout: Host);
        using RawHttp2 client = await RawHttp2.OpenAsync(host.Address);
        Task stop = host.StopAsync();
        Assert.Equal(0, await client.ReadToTheEndAsync());
        await stop.WaitAsync(RpcHost.Patience);
    }

    [Fact]
    public async Task Stop_LastCallEndsWithinTheGrace_ConnectionIsClosedThen()
    {
        SimulatedTime time = new();
        TaskCompletionSource release = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using RpcHost host = await RpcHost.StartAsync(
            new EchoService
            {
                OnClientStream = async (_, _) =>
                {
                    await release.Task;
                    return new EchoReply();
                },
            },
            new RpcServerOptions { TimeProvider = time, DrainGrace = TimeSpan.FromHours(1) },
            shutdownTimeout: Host);
        using RawHttp2 client = await RawHttp2.OpenAsync(host.Address);
        await client.BeginCallAsync(1, RawCall.ClientStream);
        await WaitForCallsAsync(host, 1);
        Task stop = host.StopAsync();
        await client.ReadUntilAsync(frame => frame.Type == RawHttp2.GoAway);
        release.SetResult();

        // The client, which could close now, says nothing more; nobody but the server's own beat notices that the call was the last one.
        await client.ReadUntilAsync(frame => frame.Type == RawHttp2.Headers && (frame.Flags & RawHttp2.EndStream) != 0);
        await host.WaitForRecordsAsync(1);
        while (!stop.IsCompleted && time.Elapsed < TimeSpan.FromMinutes(1))
        {
            time.Advance(TimeSpan.FromMilliseconds(50));
            await Task.Yield();
        }

        await client.ReadToTheEndAsync();
        await stop.WaitAsync(RpcHost.Patience);
    }

    [Fact]
    public async Task Stop_OpenConnection_IsToldGoAway()
    {
        await using RpcHost host = await RpcHost.StartAsync(shutdownTimeout: Host);
        using RawHttp2 client = await RawHttp2.OpenAsync(host.Address);
        Task stop = host.StopAsync();
        await client.ReadUntilAsync(frame => frame.Type == RawHttp2.GoAway);
        await stop.WaitAsync(RpcHost.Patience);
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
        Assert.Equal(
            StatusCode.Unavailable,
            (await Assert.ThrowsAsync<RpcException>(async () => await call.ResponseAsync.WaitAsync(RpcHost.Patience))).StatusCode);
        Assert.False(stop.IsCompleted);
        never.SetResult();
        await stop.WaitAsync(RpcHost.Patience);
    }

    // As long as a stop may take, in the steps that the server's own timers take.
    private static async Task StopAsync(RpcHost host, SimulatedTime time)
    {
        Task stop = host.StopAsync();
        await host.WaitForDrainAsync();
        time.Advance(StopTakes);
        await stop.WaitAsync(RpcHost.Patience);
    }

    private static async Task WaitForCallsAsync(RpcHost host, int calls)
    {
        using CancellationTokenSource patience = new(RpcHost.Patience);
        while (host.Server.ActiveCalls < calls)
        {
            patience.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }
}
