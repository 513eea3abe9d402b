using Grpc.Core;
using NodeAgent.Aggregator.Tests.Ingest;
using NodeAgent.V1;

namespace NodeAgent.Aggregator.Tests;

public sealed class EndToEndTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Agent_SendsFrames_AndTheyCanBeQueried()
    {
        await using EndToEndHost host = await EndToEndHost.StartAsync();
        using AsyncDuplexStreamingCall<AgentMessage, AggregatorMessage> call = host.Connect("n1");
        AgentSide agent = new();
        await SendAsync(call, AgentSide.Hello());
        Assert.Equal("n1", (await NextAsync(call)).Welcome.Node);
        await SendAsync(call, agent.Schema(1, "s", "temp"));
        await SendAsync(call, agent.Key((1, [20.5])));
        await SendAsync(call, agent.Frame((1, [21.5])));
        await SendAsync(call, agent.Event("xid"));
        while ((await NextAsync(call)).Acknowledge.Sequence < 3)
        {
            Assert.NotNull(host.Fleet.Find("n1"));
        }

        V1.Query.QueryClient query = host.Query();
        QueryResponse instant = await query.InstantAsync(
            new InstantRequest { Query = new QueryInput { Expression = "temp" }, AtUnixMs = AgentSide.Start + 2_000 }, deadline: Deadline());
        Assert.Equal(21.5, Assert.Single(instant.Results).Value);
        ListNodesResponse nodes = await query.ListNodesAsync(new ListNodesRequest(), deadline: Deadline());
        Assert.Equal(NodeState.Live, Assert.Single(nodes.Nodes).State);
        using AsyncServerStreamingCall<ListEventsResponse> events = query.ListEvents(new ListEventsRequest(), deadline: Deadline());
        Assert.True(await events.ResponseStream.MoveNext(CancellationToken.None));
        Assert.Equal("xid", events.ResponseStream.Current.Event.Kind);
        RpcException wrong = await Assert.ThrowsAsync<RpcException>(async () =>
            await query.InstantAsync(new InstantRequest { Query = new QueryInput { Expression = "temp{" } }, deadline: Deadline()));
        Assert.Equal(StatusCode.InvalidArgument, wrong.StatusCode);
        Assert.Contains("(position 6)", wrong.Status.Detail, StringComparison.Ordinal);

        // One last acknowledgement, then the end.
        await call.RequestStream.CompleteAsync();
        Assert.Equal(3UL, (await NextAsync(call)).Acknowledge.Sequence);
        Assert.False(await call.ResponseStream.MoveNext(CancellationToken.None).WaitAsync(Patience));
        host.Logs.AssertNoErrors();
    }

    [Fact]
    public async Task Roles_AgentAndViewer_AreKeptApart()
    {
        await using EndToEndHost host = await EndToEndHost.StartAsync();
        RpcException agent = await Assert.ThrowsAsync<RpcException>(async () => await host.Query().GetStatusAsync(
            new GetStatusRequest(), new Metadata { { "nodeagent-identity", "nodeagent://local/agent/n1" } }, Deadline()));
        Assert.Equal((StatusCode.PermissionDenied, "agent/n1 may not call /nodeagent.v1.Query/GetStatus"), (agent.StatusCode, agent.Status.Detail));
        using AsyncDuplexStreamingCall<AgentMessage, AggregatorMessage> viewer = new AgentLink.AgentLinkClient(host.Channel().CreateCallInvoker()).Connect();
        Assert.Equal(StatusCode.PermissionDenied, (await Assert.ThrowsAsync<RpcException>(() => NextAsync(viewer))).StatusCode);
    }

    [Fact]
    public async Task Drain_OpenStream_IsToldThatTheAggregatorStops()
    {
        await using EndToEndHost host = await EndToEndHost.StartAsync();
        using AsyncDuplexStreamingCall<AgentMessage, AggregatorMessage> call = host.Connect("n1");
        await SendAsync(call, AgentSide.Hello());
        await NextAsync(call);
        host.Drain();
        RpcException ended = await Assert.ThrowsAsync<RpcException>(() => NextAsync(call));
        Assert.Equal((StatusCode.Unavailable, "the aggregator is stopping"), (ended.StatusCode, ended.Status.Detail));
    }

    [Fact]
    public async Task GetStatus_Connections_AreThoseTheServerAdmitted()
    {
        await using EndToEndHost host = await EndToEndHost.StartAsync();
        for (uint connections = 1; connections <= 3; connections++)
        {
            GetStatusResponse.Types.AdmissionStatus admission =
                (await host.Query().GetStatusAsync(new GetStatusRequest(), deadline: Deadline())).Admission;
            Assert.Equal((connections, connections), (admission.AcceptedTotal, admission.OpenConnections));
            Assert.Equal((0UL, 0UL, 0UL), (admission.RefusedRateTotal, admission.RefusedFullTotal, admission.FloodingTotal));
        }
    }

    [Fact]
    public async Task Flood_OfEightAgents_StarvesNobodyElse()
    {
        const int Agents = 8;
        await using EndToEndHost host = await EndToEndHost.StartAsync();
        using CancellationTokenSource end = new();
        Task<long>[] floods = [.. Enumerable.Range(0, Agents).Select(i => Task.Run(() => FloodAsync(host, $"n{i}", end.Token)))];
        V1.Query.QueryClient query = host.Query();
        long start = TimeProvider.System.GetTimestamp();
        int answers = 0;
        ulong frames = 0;
        while (TimeProvider.System.GetElapsedTime(start) < TimeSpan.FromSeconds(2))
        {
            // A starved call fails with DEADLINE_EXCEEDED.
            GetStatusResponse status = await query.GetStatusAsync(new GetStatusRequest(), deadline: Deadline());
            frames = status.FramesTotal;
            answers++;
        }

        await end.CancelAsync();
        long[] sent = await Task.WhenAll(floods).WaitAsync(Patience);
        Assert.All(sent, one => Assert.True(one > 0, "an agent sent nothing at all"));
        Assert.True(frames > 1_000, $"only {frames} frames were taken: that is no flood");
        Assert.True(answers > 0);
        host.Logs.AssertNoErrors();
    }

    private static async Task<long> FloodAsync(EndToEndHost host, string node, CancellationToken end)
    {
        AgentSide agent = new();
        using AsyncDuplexStreamingCall<AgentMessage, AggregatorMessage> call = host.Connect(node, CancellationToken.None);
        await SendAsync(call, AgentSide.Hello());
        await NextAsync(call);
        Task<ulong> acknowledged = Task.Run(async () =>
        {
            ulong last = 0;
            while (await call.ResponseStream.MoveNext(CancellationToken.None))
            {
                last = call.ResponseStream.Current.Acknowledge?.Sequence ?? last;
            }

            return last;
        });
        string[] metrics = [.. Enumerable.Range(0, 50).Select(i => $"m{i}")];
        double[] values = new double[metrics.Length];
        await SendAsync(call, agent.Schema(1, "s", metrics));
        for (bool isFirst = true; !end.IsCancellationRequested; isFirst = false)
        {
            Array.Fill(values, agent.Next);
            await SendAsync(call, isFirst ? agent.Key((1, values)) : agent.Frame((1, values)));
        }

        await call.RequestStream.CompleteAsync();
        ulong last = await acknowledged.WaitAsync(Patience, CancellationToken.None);
        Assert.Equal(agent.Next - 1, last);
        return (long)last;
    }

    private static DateTime Deadline() => TimeProvider.System.GetUtcNow().UtcDateTime.AddSeconds(5);

    private static Task SendAsync(AsyncDuplexStreamingCall<AgentMessage, AggregatorMessage> call, byte[] message) =>
        call.RequestStream.WriteAsync(AgentMessage.Parser.ParseFrom(message)).WaitAsync(Patience);

    private static async Task<AggregatorMessage> NextAsync(AsyncDuplexStreamingCall<AgentMessage, AggregatorMessage> call)
    {
        Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None).WaitAsync(Patience));
        return call.ResponseStream.Current;
    }
}
