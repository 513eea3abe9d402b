using Grpc.Core;
using NodeAgent.Rpc.Server;
using NodeAgent.Rpc.Tests.Proto;

namespace NodeAgent.Rpc.Tests.Calls;

public sealed class DeadlineTests
{
    private static readonly TimeSpan Short = TimeSpan.FromMilliseconds(150);

    [Fact]
    public async Task Unary_HandlerListens_BothSidesSeeDeadlineExceeded()
    {
        await using RpcHost host = await RpcHost.StartAsync(new EchoService
        {
            OnUnary = async (_, context) =>
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.CancellationToken);
                return new EchoReply();
            },
        });
        RpcException e = await Assert.ThrowsAsync<RpcException>(
            async () => await host.Client().UnaryAsync(new EchoRequest(), deadline: In(Short)));
        Assert.Equal(StatusCode.DeadlineExceeded, e.StatusCode);

        // The client resets the stream at the same moment; whichever the server notices first is true.
        RpcServerCallRecord record = Assert.Single(await host.WaitForRecordsAsync(1));
        Assert.True(record.Status.StatusCode is StatusCode.DeadlineExceeded or StatusCode.Cancelled, record.Status.ToString());
    }

    [Fact]
    public async Task Server_HandlerIgnoresItsToken_AnswersAtTheDeadlineAndWaitsForTheHandler()
    {
        TaskCompletionSource release = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using RpcHost host = await RpcHost.StartAsync(new EchoService
        {
            OnUnary = async (_, _) =>
            {
                await release.Task;
                return new EchoReply();
            },
        });

        // No deadline of its own: what it sees comes from the server alone.
        RawCall.Answer answer = await RawCall.SendAsync(host, RawCall.Frame([]), headers: [("grpc-timeout", "100m")]);
        Assert.Equal(StatusCode.DeadlineExceeded, answer.Status);
        Assert.Equal(1, host.Server.ActiveCalls);
        release.SetResult();
        RpcServerCallRecord record = Assert.Single(await host.WaitForRecordsAsync(1));
        Assert.Equal(StatusCode.DeadlineExceeded, record.Status.StatusCode);
    }

    [Fact]
    public async Task Server_HandlerStreamsPastTheDeadline_IsInterrupted()
    {
        await using RpcHost host = await RpcHost.StartAsync(new EchoService
        {
            OnServerStream = async (_, responses, _) =>
            {
                while (true)
                {
                    await responses.WriteAsync(new EchoReply { Payload = Google.Protobuf.ByteString.CopyFrom(new byte[1000]) });
                }
            },
        });
        using AsyncServerStreamingCall<EchoReply> call = host.Client().ServerStream(new EchoRequest(), deadline: In(Short));
        RpcException e = await Assert.ThrowsAsync<RpcException>(async () =>
        {
            while (await call.ResponseStream.MoveNext())
            {
            }
        });
        Assert.Equal(StatusCode.DeadlineExceeded, e.StatusCode);
        Assert.Single(await host.WaitForRecordsAsync(1));
    }

    [Fact]
    public async Task Duplex_WaitingForMessages_EndsAtTheDeadline()
    {
        await using RpcHost host = await RpcHost.StartAsync();
        using AsyncDuplexStreamingCall<EchoRequest, EchoReply> call = host.Client().Duplex(deadline: In(Short));
        await call.RequestStream.WriteAsync(new EchoRequest());
        Assert.True(await call.ResponseStream.MoveNext());
        RpcException e = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext());
        Assert.Equal(StatusCode.DeadlineExceeded, e.StatusCode);
        Assert.Equal(
            StatusCode.DeadlineExceeded,
            (await Assert.ThrowsAsync<RpcException>(() => call.RequestStream.WriteAsync(new EchoRequest()))).StatusCode);
    }

    [Fact]
    public async Task Unary_DeadlinePassedBefore_NeverReachesTheServer()
    {
        await using RpcHost host = await RpcHost.StartAsync();
        RpcException e = await Assert.ThrowsAsync<RpcException>(
            async () => await host.Client().UnaryAsync(new EchoRequest(), deadline: In(TimeSpan.FromSeconds(-1))));
        Assert.Equal(StatusCode.DeadlineExceeded, e.StatusCode);
        await host.Client().UnaryAsync(new EchoRequest());
        Assert.Single(await host.WaitForRecordsAsync(1));
    }

    [Fact]
    public async Task Server_KnowsTheDeadlineOfTheClient()
    {
        DateTime seen = default;
        await using RpcHost host = await RpcHost.StartAsync(new EchoService
        {
            OnUnary = (_, context) =>
            {
                seen = context.Deadline;
                return Task.FromResult(new EchoReply());
            },
        });
        DateTime deadline = In(TimeSpan.FromMinutes(10));
        await host.Client().UnaryAsync(new EchoRequest(), deadline: deadline);
        Assert.InRange(seen, deadline, deadline + TimeSpan.FromSeconds(30));
        await host.Client().UnaryAsync(new EchoRequest());
        Assert.Equal(DateTime.MaxValue, seen);
    }

    [Theory]
    [InlineData("")]
    [InlineData("5")]
    [InlineData("m")]
    [InlineData("-1m")]
    [InlineData("1.5S")]
    [InlineData("123456789S")]
    [InlineData("10x")]
    public async Task Server_MalformedTimeout_IsInternal(string timeout)
    {
        await using RpcHost host = await RpcHost.StartAsync();
        RawCall.Answer answer = await RawCall.SendAsync(host, RawCall.Frame([]), headers: [("grpc-timeout", timeout)]);
        Assert.Equal(StatusCode.Internal, answer.Status);
        Assert.Contains("grpc-timeout", answer.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Server_ZeroTimeout_IsDeadlineExceeded()
    {
        await using RpcHost host = await RpcHost.StartAsync();
        RawCall.Answer answer = await RawCall.SendAsync(host, RawCall.Frame([]), headers: [("grpc-timeout", "0S")]);
        Assert.Equal(StatusCode.DeadlineExceeded, answer.Status);
    }

    [Theory]
    [InlineData("99999999H")]
    [InlineData("99999999S")]
    public async Task Server_TimeoutOfCenturies_IsServed(string timeout)
    {
        await using RpcHost host = await RpcHost.StartAsync();
        RawCall.Answer answer = await RawCall.SendAsync(host, RawCall.Frame([]), headers: [("grpc-timeout", timeout)]);
        Assert.Equal(StatusCode.OK, answer.Status);
    }

    private static DateTime In(TimeSpan time) => TimeProvider.System.GetUtcNow().UtcDateTime + time;
}
