using Grpc.Core;
using NodeAgent.Rpc.Server;
using NodeAgent.Rpc.Tests.Proto;

namespace NodeAgent.Rpc.Tests.Calls;

public sealed class CancellationTests
{
    [Fact]
    public async Task Unary_CancelledByCaller_CancelsTheHandler()
    {
        TaskCompletionSource started = New();
        TaskCompletionSource cancelled = New();
        await using RpcHost host = await RpcHost.StartAsync(new EchoService
        {
            OnUnary = async (_, context) =>
            {
                context.CancellationToken.Register(cancelled.SetResult);
                started.SetResult();
                await cancelled.Task;
                return new EchoReply();
            },
        });
        using CancellationTokenSource cancel = new();
        AsyncUnaryCall<EchoReply> call = host.Client().UnaryAsync(new EchoRequest(), cancellationToken: cancel.Token);
        await started.Task.WaitAsync(RpcHost.Patience);
        await cancel.CancelAsync();
        RpcException e = await Assert.ThrowsAsync<RpcException>(async () => await call);
        Assert.Equal(StatusCode.Cancelled, e.StatusCode);
        await cancelled.Task.WaitAsync(RpcHost.Patience);
        Assert.Equal(StatusCode.Cancelled, Assert.Single(await host.WaitForRecordsAsync(1)).Status.StatusCode);
    }

    [Fact]
    public async Task Duplex_Disposed_WakesAHandlerThatReads()
    {
        TaskCompletionSource<Exception> seen = new();
        await using RpcHost host = await RpcHost.StartAsync(new EchoService
        {
            OnDuplex = async (requests, responses, _) =>
            {
                await requests.MoveNext();
                await responses.WriteAsync(new EchoReply());
                seen.SetResult((await Record.ExceptionAsync(() => requests.MoveNext()))!);
            },
        });
        AsyncDuplexStreamingCall<EchoRequest, EchoReply> call = host.Client().Duplex();
        await call.RequestStream.WriteAsync(new EchoRequest());
        Assert.True(await call.ResponseStream.MoveNext());
        call.Dispose();
        Assert.Equal(StatusCode.Cancelled, Assert.IsType<RpcException>(await seen.Task.WaitAsync(RpcHost.Patience)).StatusCode);
        Assert.Equal(StatusCode.Cancelled, call.GetStatus().StatusCode);
        call.Dispose();
    }

    [Fact]
    public async Task ServerStream_DisposedWhileServerWaitsForTheWindow_WakesTheHandler()
    {
        await using RpcHost host = await RpcHost.StartAsync(new EchoService
        {
            OnServerStream = async (_, responses, _) =>
            {
                while (true)
                {
                    await responses.WriteAsync(new EchoReply { Payload = Google.Protobuf.ByteString.CopyFrom(new byte[10_000]) });
                }
            },
        });
        AsyncServerStreamingCall<EchoReply> call = host.Client().ServerStream(new EchoRequest());
        Assert.True(await call.ResponseStream.MoveNext());
        call.Dispose();
        Assert.Equal(StatusCode.Cancelled, Assert.Single(await host.WaitForRecordsAsync(1)).Status.StatusCode);
    }

    [Fact]
    public async Task MoveNext_ItsTokenFires_EndsTheCallCancelled()
    {
        await using RpcHost host = await RpcHost.StartAsync();
        using AsyncDuplexStreamingCall<EchoRequest, EchoReply> call = host.Client().Duplex();
        await call.RequestStream.WriteAsync(new EchoRequest());
        Assert.True(await call.ResponseStream.MoveNext());
        using CancellationTokenSource cancel = new();
        Task<bool> read = call.ResponseStream.MoveNext(cancel.Token);
        await cancel.CancelAsync();
        Assert.Equal(StatusCode.Cancelled, (await Assert.ThrowsAsync<RpcException>(() => read)).StatusCode);
    }

    [Fact]
    public async Task Call_TokenCancelledBefore_NeverReachesTheServer()
    {
        await using RpcHost host = await RpcHost.StartAsync();
        RpcException e = await Assert.ThrowsAsync<RpcException>(
            async () => await host.Client().UnaryAsync(new EchoRequest(), cancellationToken: new CancellationToken(true)));
        Assert.Equal(StatusCode.Cancelled, e.StatusCode);
        Assert.Empty(host.Records);
    }

    [Fact]
    public async Task Server_HandlerIsCancelledByItself_IsCancelled()
    {
        await using RpcHost host = await RpcHost.StartAsync(new EchoService { OnUnary = (_, _) => throw new OperationCanceledException() });
        RpcException e = await Assert.ThrowsAsync<RpcException>(async () => await host.Client().UnaryAsync(new EchoRequest()));
        Assert.Equal(StatusCode.Cancelled, e.StatusCode);
    }

    [Fact]
    public async Task Channel_Disposed_EndsItsCallsCancelled()
    {
        await using RpcHost host = await RpcHost.StartAsync();
        RpcChannel channel = host.Channel();
        using AsyncDuplexStreamingCall<EchoRequest, EchoReply> call = new Echo.EchoClient(channel).Duplex();
        await call.RequestStream.WriteAsync(new EchoRequest());
        Assert.True(await call.ResponseStream.MoveNext());
        Task<bool> read = call.ResponseStream.MoveNext();
        await channel.ShutdownAsync();
        Assert.Equal(StatusCode.Cancelled, (await Assert.ThrowsAsync<RpcException>(() => read)).StatusCode);
        Assert.Throws<ObjectDisposedException>(() => channel.CreateCallInvoker());
    }

    [Fact]
    public async Task Writes_TwoAtOnce_AreRefused()
    {
        await using RpcHost host = await RpcHost.StartAsync(new EchoService
        {
            OnDuplex = async (_, _, context) => await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.CancellationToken),
        });
        using AsyncDuplexStreamingCall<EchoRequest, EchoReply> call = host.Client().Duplex();
        EchoRequest large = new() { Payload = Google.Protobuf.ByteString.CopyFrom(new byte[1_000_000]) };
        Task pending = call.RequestStream.WriteAsync(large);
        await Assert.ThrowsAsync<InvalidOperationException>(() => call.RequestStream.WriteAsync(large));
        call.Dispose();
        Assert.Equal(StatusCode.Cancelled, (await Assert.ThrowsAsync<RpcException>(() => pending)).StatusCode);
    }

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
