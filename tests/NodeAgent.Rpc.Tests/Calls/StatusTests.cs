using Grpc.Core;
using NodeAgent.Rpc.Server;
using NodeAgent.Rpc.Tests.Proto;

namespace NodeAgent.Rpc.Tests.Calls;

public sealed class StatusTests
{
    public static TheoryData<StatusCode> AllErrors => [.. Enum.GetValues<StatusCode>().Where(code => code != StatusCode.OK)];

    [Theory]
    [MemberData(nameof(AllErrors))]
    public async Task Unary_HandlerThrowsStatus_ClientGetsCodeDetailAndTrailers(StatusCode code)
    {
        await using RpcHost host = await RpcHost.StartAsync(new EchoService
        {
            OnUnary = (_, _) => throw new RpcException(new Status(code, "why"), new Metadata { { "reason", "r1" } }),
        });
        RpcException e = await Assert.ThrowsAsync<RpcException>(async () => await host.Client().UnaryAsync(new EchoRequest()));
        Assert.Equal(code, e.StatusCode);
        Assert.Equal("why", e.Status.Detail);
        Assert.Equal("r1", e.Trailers.GetValue("reason"));
    }

    [Theory]
    [MemberData(nameof(AllErrors))]
    public async Task ServerStream_StatusAfterMessages_DeliversThemFirst(StatusCode code)
    {
        await using RpcHost host = await RpcHost.StartAsync(new EchoService
        {
            OnServerStream = async (_, responses, context) =>
            {
                await responses.WriteAsync(new EchoReply { Number = 1 });
                await responses.WriteAsync(new EchoReply { Number = 2 });
                context.ResponseTrailers.Add("seen", "2");
                context.Status = new Status(code, "after two");
            },
        });
        using AsyncServerStreamingCall<EchoReply> call = host.Client().ServerStream(new EchoRequest());
        Assert.True(await call.ResponseStream.MoveNext());
        Assert.True(await call.ResponseStream.MoveNext());
        Assert.Equal(2, call.ResponseStream.Current.Number);
        RpcException e = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext());
        Assert.Equal(code, e.StatusCode);
        Assert.Equal("after two", call.GetStatus().Detail);
        Assert.Equal("2", call.GetTrailers().GetValue("seen"));
    }

    [Theory]
    [InlineData("\t\ntest with whitespace\r\nand Unicode BMP \u263A and non-BMP \U0001F608\t\n")]
    [InlineData("100 % sure, %41 is not an A")]
    [InlineData("Grüße aus Zürich")]
    public async Task Unary_SpecialDetail_ArrivesUnchanged(string detail)
    {
        await using RpcHost host = await RpcHost.StartAsync(new EchoService
        {
            OnUnary = (_, _) => throw new RpcException(new Status(StatusCode.Unknown, detail)),
        });
        RpcException e = await Assert.ThrowsAsync<RpcException>(async () => await host.Client().UnaryAsync(new EchoRequest()));
        Assert.Equal(detail, e.Status.Detail);
    }

    [Fact]
    public async Task Unary_HandlerFails_PeerLearnsNothingAndTheHookEverything()
    {
        await using RpcHost host = await RpcHost.StartAsync(new EchoService
        {
            OnUnary = (_, _) => throw new InvalidDataException("the password is swordfish"),
        });
        RpcException e = await Assert.ThrowsAsync<RpcException>(async () => await host.Client().UnaryAsync(new EchoRequest()));
        Assert.Equal(StatusCode.Unknown, e.StatusCode);
        Assert.DoesNotContain("swordfish", e.ToString(), StringComparison.Ordinal);

        RpcServerCallRecord record = Assert.Single(await host.WaitForRecordsAsync(1));
        Assert.Equal("the password is swordfish", Assert.IsType<InvalidDataException>(record.Exception).Message);
        Assert.Equal("/nodeagent.rpc.tests.Echo/Unary", record.Method);
        Assert.StartsWith("ipv4:127.0.0.1:", record.Peer, StringComparison.Ordinal);
        Assert.Equal(StatusCode.Unknown, record.Status.StatusCode);
    }

    [Fact]
    public async Task Unary_HandlerReturnsNull_IsUnknown()
    {
        await using RpcHost host = await RpcHost.StartAsync(new EchoService { OnUnary = (_, _) => Task.FromResult<EchoReply>(null!) });
        RpcException e = await Assert.ThrowsAsync<RpcException>(async () => await host.Client().UnaryAsync(new EchoRequest()));
        Assert.Equal(StatusCode.Unknown, e.StatusCode);
    }

    [Fact]
    public async Task Unary_StatusSetWithoutException_IsTheAnswer()
    {
        await using RpcHost host = await RpcHost.StartAsync(new EchoService
        {
            OnUnary = (_, context) =>
            {
                context.Status = new Status(StatusCode.FailedPrecondition, "not yet");
                return Task.FromResult(new EchoReply());
            },
        });
        RpcException e = await Assert.ThrowsAsync<RpcException>(async () => await host.Client().UnaryAsync(new EchoRequest()));
        Assert.Equal(StatusCode.FailedPrecondition, e.StatusCode);
    }

    [Fact]
    public async Task Call_UnknownMethod_IsUnimplementedAndNamesIt()
    {
        await using RpcHost host = await RpcHost.StartAsync();
        RpcException e = await CallAsync(host, "nodeagent.rpc.tests.Echo", "Missing");
        Assert.Equal(StatusCode.Unimplemented, e.StatusCode);
        Assert.Contains("Missing", e.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Call_UnknownService_IsUnimplementedAndNamesIt()
    {
        await using RpcHost host = await RpcHost.StartAsync();
        RpcException e = await CallAsync(host, "no.such.Service", "Call");
        Assert.Equal(StatusCode.Unimplemented, e.StatusCode);
        Assert.Contains("no.such.Service", e.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Call_MethodThatTheBaseLeavesOpen_IsUnimplemented()
    {
        await using RpcHost host = await RpcHost.StartAsync(configure: server => server.AddService(Extended.BindService(new Bare())));
        RpcException e = await Assert.ThrowsAsync<RpcException>(
            async () => await new Extended.ExtendedClient(host.Channel()).CallAsync(new Open()));
        Assert.Equal(StatusCode.Unimplemented, e.StatusCode);
    }

    private static async Task<RpcException> CallAsync(RpcHost host, string service, string name)
    {
        Method<string, string> method = new(MethodType.Unary, service, name, Marshallers.StringMarshaller, Marshallers.StringMarshaller);
        return await Assert.ThrowsAsync<RpcException>(
            async () => await host.Channel().CreateCallInvoker().AsyncUnaryCall(method, null, default, "x"));
    }

    private sealed class Bare : Extended.ExtendedBase
    {
    }
}
