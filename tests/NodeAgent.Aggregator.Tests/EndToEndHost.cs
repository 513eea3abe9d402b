using System.Net;
using System.Net.Sockets;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;
using NodeAgent.Aggregator.Events;
using NodeAgent.Aggregator.Fleet;
using NodeAgent.Aggregator.Identity;
using NodeAgent.Aggregator.Ingest;
using NodeAgent.Aggregator.Query;
using NodeAgent.Hosting.Logs;
using NodeAgent.Aggregator.Tests.Ingest;
using NodeAgent.Journal;
using NodeAgent.Rpc;
using NodeAgent.Rpc.Server;
using NodeAgent.Testing;
using NodeAgent.Testing.Disk;
using NodeAgent.Tsdb;
using NodeAgent.Tsdb.Query;
using NodeAgent.V1;

namespace NodeAgent.Aggregator.Tests;

/// <summary>The aggregator's services behind real Kestrel on a loopback port without TLS, put together as <see cref="AggregatorServer"/> does it.</summary>
internal sealed class EndToEndHost : IAsyncDisposable
{
    // The tests' frames have the times of their own year.
    private const long RetentionMs = 100L * 366 * 24 * 3_600_000;

    private readonly WebApplication _app;
    private readonly RpcServer _rpc;
    private readonly IngestCore _ingest;
    private readonly CommitLoop _commits;
    private readonly List<RpcChannel> _channels = [];
    private readonly Uri _address;

    private EndToEndHost(
        WebApplication app, RpcServer rpc, MemoryStore store, IngestCore ingest, CommitLoop commits, CapturingLogger logs, Uri address)
    {
        _app = app;
        _rpc = rpc;
        _ingest = ingest;
        _commits = commits;
        Store = store;
        Logs = logs;
        _address = address;
    }

    internal MemoryStore Store { get; }

    internal FleetRegistry Fleet => _ingest.Fleet;

    internal CapturingLogger Logs { get; }

    internal static async Task<EndToEndHost> StartAsync()
    {
        IPEndPoint endpoint = new(IPAddress.Loopback, FreePort());
        CapturingLogger logs = new();
        MemoryStore store = new(new MemoryStoreOptions { RetentionMs = RetentionMs });
        IngestParts parts = new(store, new FleetRegistry(), new EventLedger(1_000), new IngestCounters());
        IngestOptions options = TestIngest.Small with { RetentionMs = RetentionMs, WalPendingBytes = 64 << 20 };
#pragma warning disable CA5394 // Not for secrets.
        bool isOpen = IngestCore.TryOpen(
            options, new SimulatedDisk(1), TimeProvider.System, new Random(1), parts, Moment.Of(TimeProvider.System), out IngestCore? ingest, out OpenError? error);
#pragma warning restore CA5394
        Assert.True(isOpen, error?.Message);
        CommitLoop commits = new(ingest!, TimeSpan.FromMilliseconds(5), _ => { });
        RpcServer rpc = new(new RpcServerOptions { Identify = new AccessPolicy(endpoint).IdentifyAsync, Authorise = AccessPolicy.Authorise });
        AggregatorFacts facts = new("1.2.3", 1, rpc.Admission);
        AgentLinkService link = new(
            ingest!, commits, TimeProvider.System, new IngestLog(new Logger<IngestLog>(logs), new RepeatedEventGate(logs, TimeProvider.System)), rpc.Draining);
        rpc.AddService(link.Bind()).AddService(V1.Query.BindService(
            new QueryService(store, new QueryEngine(store, new QueryLimits(), TimeProvider.System), ingest!, TimeProvider.System, facts)));
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            rpc.Apply(kestrel);
            kestrel.Listen(endpoint, listen => listen.Protocols = HttpProtocols.Http2);
        });
        WebApplication app = builder.Build();
        app.UseRpcServer(rpc);
        await app.StartAsync();
        return new EndToEndHost(app, rpc, store, ingest!, commits, logs, new Uri($"http://{endpoint}"));
    }

    /// <summary>A channel of its own, and so a connection of its own.</summary>
    internal RpcChannel Channel()
    {
        RpcChannel channel = RpcChannel.ForAddress(_address, new RpcChannelOptions());
        _channels.Add(channel);
        return channel;
    }

    internal V1.Query.QueryClient Query() => new(Channel().CreateCallInvoker());

    internal AsyncDuplexStreamingCall<AgentMessage, AggregatorMessage> Connect(string node, CancellationToken cancellation = default) =>
        new AgentLink.AgentLinkClient(Channel().CreateCallInvoker())
            .Connect(new Metadata { { NodeAgent.Contracts.Identity.FleetIdentity.PlaintextHeader, $"nodeagent://local/agent/{node}" } }, cancellationToken: cancellation);

    internal void Drain() => _rpc.Drain();

    public async ValueTask DisposeAsync()
    {
        _channels.ForEach(channel => channel.Dispose());
        await _app.DisposeAsync();
        _rpc.Dispose();
        _commits.Dispose();
        _ingest.Dispose();
        Store.Dispose();
    }

    // The policy names the port before Kestrel could choose one, so it is chosen here.
    private static int FreePort()
    {
        using Socket probe = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        probe.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)probe.LocalEndPoint!).Port;
    }
}
