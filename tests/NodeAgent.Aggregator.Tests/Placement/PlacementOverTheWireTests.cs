using System.Net;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using NodeAgent.Aggregator.Identity;
using NodeAgent.Aggregator.Placement;
using NodeAgent.Contracts.Identity;
using NodeAgent.Rpc;
using NodeAgent.Rpc.Server;
using NodeAgent.V1;

namespace NodeAgent.Aggregator.Tests.Placement;

/// <summary>The service behind real Kestrel, with the aggregator's own policy of who may do what.</summary>
public sealed class PlacementOverTheWireTests : IAsyncLifetime
{
    private readonly PlacementBench _bench = new();
    private readonly IPEndPoint _endpoint = new(IPAddress.Loopback, Testing.Processes.LocalPair.FreePort());
    private PlacementService? _service;
    private RpcServer? _rpc;
    private WebApplication? _app;
    private RpcChannel? _channel;

    private V1.Placement.PlacementClient Client => new(_channel!.CreateCallInvoker());

    public async ValueTask InitializeAsync()
    {
        _bench.Add("n1");
        _service = new PlacementService(_bench.Desk);
        _rpc = new RpcServer(new RpcServerOptions { Identify = new AccessPolicy(_endpoint).IdentifyAsync, Authorise = AccessPolicy.Authorise });
        _rpc.AddService(V1.Placement.BindService(_service));
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            RpcKestrelDefaults.Apply(kestrel);
            kestrel.Listen(_endpoint, listen => listen.Protocols = HttpProtocols.Http2);
        });
        _app = builder.Build();
        _app.UseRpcServer(_rpc);
        await _app.StartAsync();
        _channel = RpcChannel.ForAddress(new Uri($"http://{_endpoint}"), new RpcChannelOptions());
    }

    public async ValueTask DisposeAsync()
    {
        _channel?.Dispose();
        if (_app is not null)
        {
            await _app.DisposeAsync();
        }

        _rpc?.Dispose();
        _service?.Dispose();
        _bench.Dispose();
    }

    [Fact]
    public async Task Place_ByAnOperator_IsCommittedAndSeenByAViewer()
    {
        CancellationToken stop = TestContext.Current.CancellationToken;
        PlaceResponse placed = await Client.PlaceAsync(new PlaceRequest { Request = new JobRequest { Job = "a", Gpus = 1 } }, As("operator"), cancellationToken: stop);
        CommitResponse committed = await Client.CommitAsync(new CommitRequest { Token = placed.Decision.Token }, As("operator"), cancellationToken: stop);
        ListJobsResponse seen = await Client.ListJobsAsync(new ListJobsRequest(), As("viewer"), cancellationToken: stop);
        Assert.Equal((CommitVerdict.Committed, "a", JobState.Committed), (committed.Verdict, seen.Jobs.Single().Request.Job, seen.Jobs.Single().State));
    }

    [Fact]
    public async Task Change_ByAViewer_IsDenied()
    {
        Func<Task>[] changes =
        [
            async () => await Client.PlaceAsync(new PlaceRequest(), As("viewer")), async () => await Client.PlaceBatchAsync(new PlaceBatchRequest(), As("viewer")),
            async () => await Client.CommitAsync(new CommitRequest(), As("viewer")), async () => await Client.ReleaseAsync(new ReleaseRequest(), As("viewer")),
            async () => await Client.ApplyAsync(new ApplyRequest(), As("viewer")), async () => await Client.CordonAsync(new CordonRequest(), As("viewer")),
        ];
        foreach (Func<Task> change in changes)
        {
            Assert.Equal(StatusCode.PermissionDenied, (await Assert.ThrowsAsync<RpcException>(change)).StatusCode);
        }

        Assert.Equal(StatusCode.InvalidArgument, (await Assert.ThrowsAsync<RpcException>(async () => await Client.PlanRoomAsync(new PlanRoomRequest(), As("viewer")))).StatusCode);
    }

    private static Metadata As(string role) => new() { { FleetIdentity.PlaintextHeader, $"nodeagent://local/{role}/me" } };
}
