using Grpc.Core;
using NodeAgent.Rpc.Server;
using NodeAgent.Rpc.Tests.Proto;

namespace NodeAgent.Rpc.Tests.Hosting;

public sealed class HookTests
{
    private static readonly Func<Microsoft.AspNetCore.Http.HttpContext, ValueTask<RpcIdentity?>> ByHeader = http =>
        ValueTask.FromResult(http.Request.Headers["who"].ToString() is { Length: > 0 } who ? new RpcIdentity(who) : null);

    [Fact]
    public async Task Identify_Known_ReachesTheHandlerAndTheRecord()
    {
        await using RpcHost host = await StartAsync(new RpcServerOptions { Identify = ByHeader });
        EchoReply reply = await host.Client().UnaryAsync(new EchoRequest(), new Metadata { { "who", "alice" } });
        Assert.Equal("alice", reply.Text);
        Assert.Equal("alice", Assert.Single(await host.WaitForRecordsAsync(1)).Identity?.Name);
    }

    [Fact]
    public async Task Identify_NobodyAndNoRule_IsUnauthenticatedBeforeTheHandler()
    {
        await using RpcHost host = await StartAsync(new RpcServerOptions { Identify = ByHeader }, mayRun: false);
        Assert.Equal(StatusCode.Unauthenticated, (await FailAsync(host, null)).StatusCode);
    }

    [Fact]
    public async Task Identify_Fails_IsUnauthenticatedWithoutTheReason()
    {
        await using RpcHost host = await StartAsync(
            new RpcServerOptions { Identify = _ => throw new InvalidDataException("secret") }, mayRun: false);
        RpcException e = await FailAsync(host, "alice");
        Assert.Equal(StatusCode.Unauthenticated, e.StatusCode);
        Assert.DoesNotContain("secret", e.Status.Detail, StringComparison.Ordinal);
        Assert.IsType<InvalidDataException>(Assert.Single(await host.WaitForRecordsAsync(1)).Exception);
    }

    [Fact]
    public async Task Authorise_Denies_IsItsStatusForEveryKindOfCall()
    {
        await using RpcHost host = await StartAsync(
            new RpcServerOptions
            {
                Identify = ByHeader,
                Authorise = (method, identity) => identity?.Name == "root"
                    ? Status.DefaultSuccess
                    : new Status(StatusCode.PermissionDenied, $"{identity} may not call {method.Name}"),
            },
            mayRun: false);
        RpcException e = await FailAsync(host, "alice");
        Assert.Equal(StatusCode.PermissionDenied, e.StatusCode);
        Assert.Equal("alice may not call Unary", e.Status.Detail);

        using AsyncDuplexStreamingCall<EchoRequest, EchoReply> call = host.Client().Duplex();
        Assert.Equal(
            StatusCode.PermissionDenied, (await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext())).StatusCode);
    }

    [Fact]
    public async Task Authorise_Fails_Denies()
    {
        await using RpcHost host = await StartAsync(
            new RpcServerOptions { Authorise = (_, _) => throw new InvalidOperationException("broken rule") }, mayRun: false);
        Assert.Equal(StatusCode.PermissionDenied, (await FailAsync(host, "alice")).StatusCode);
    }

    [Fact]
    public async Task Authorise_NobodyAllowed_RunsTheHandlerWithoutIdentity()
    {
        await using RpcHost host = await StartAsync(new RpcServerOptions { Authorise = (_, _) => Status.DefaultSuccess });
        Assert.Equal("nobody", (await host.Client().UnaryAsync(new EchoRequest())).Text);
    }

    [Fact]
    public async Task ClientHook_EveryCall_IsToldOnce()
    {
        List<RpcClientCallRecord> records = [];
        await using RpcHost host = await RpcHost.StartAsync(new EchoService
        {
            OnUnary = (request, _) => request.Number < 0 ? throw new RpcException(new Status(StatusCode.OutOfRange, "")) : Task.FromResult(new EchoReply()),
        });
        Echo.EchoClient client = host.Client(new RpcChannelOptions
        {
            OnCallEnded = record =>
            {
                lock (records)
                {
                    records.Add(record);
                }
            },
        });
        await client.UnaryAsync(new EchoRequest());
        await Assert.ThrowsAsync<RpcException>(async () => await client.UnaryAsync(new EchoRequest { Number = -1 }));
        Assert.Equal([StatusCode.OK, StatusCode.OutOfRange], records.Select(record => record.Status.StatusCode));
        Assert.All(records, record => Assert.Equal("/nodeagent.rpc.tests.Echo/Unary", record.Method.FullName));
    }

    private static Task<RpcHost> StartAsync(RpcServerOptions options, bool mayRun = true) => RpcHost.StartAsync(
        new EchoService
        {
            OnUnary = (_, context) => mayRun
                ? Task.FromResult(new EchoReply { Text = context.GetIdentity()?.Name ?? "nobody" })
                : throw new InvalidOperationException("the handler ran"),
        },
        options);

    private static async Task<RpcException> FailAsync(RpcHost host, string? who)
    {
        Metadata headers = [];
        if (who is not null)
        {
            headers.Add("who", who);
        }

        return await Assert.ThrowsAsync<RpcException>(async () => await host.Client().UnaryAsync(new EchoRequest(), headers));
    }
}
