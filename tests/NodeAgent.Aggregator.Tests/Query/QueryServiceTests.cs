using Grpc.Core;
using NodeAgent.Aggregator.Fleet;
using NodeAgent.Aggregator.Query;
using NodeAgent.Aggregator.Tests.Ingest;
using NodeAgent.Contracts.Identity;
using NodeAgent.Rpc.Server;
using NodeAgent.Tsdb.Query;
using NodeAgent.V1;
using Aggregation = NodeAgent.V1.Aggregation;
using WindowFunction = NodeAgent.V1.WindowFunction;

namespace NodeAgent.Aggregator.Tests.Query;

public sealed class QueryServiceTests : IDisposable
{
    private const long Start = AgentSide.Start;

    private readonly IntakeBench _bench = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly RpcServer _rpc = new();
    private readonly FakeContext _caller;
    private QueryService _service;

    public QueryServiceTests()
    {
        _caller = new FakeContext("me", FleetRole.Viewer, _stop.Token);
        _service = Service(new QueryLimits());
        _bench.Taken(_bench.Agent.Schema(1, "s", "temp", "sent_total"));
        for (int i = 0; i < 60; i++)
        {
            _bench.Taken(i == 0 ? _bench.Agent.Key((1, [20, 0])) : _bench.Agent.Frame((1, [20 + i, i * 100])));
        }

        _bench.Time.Advance(TimeSpan.FromSeconds(60)); // the newest sample is 60 s after the start: now
    }

    public void Dispose()
    {
        _stop.Cancel();
        _stop.Dispose();
        _rpc.Dispose();
        _bench.Dispose();
    }

    [Fact]
    public async Task Instant_ExpressionAndSpec_GiveTheSame()
    {
        QueryResponse text = await _service.Instant(new InstantRequest { Query = Text("sum(rate(sent_total[30s]))") }, _caller);
        QueryResponse spec = await _service.Instant(
            new InstantRequest
            {
                Query = new QueryInput { Spec = new QuerySpec { Selector = "sent_total", Function = WindowFunction.Rate, WindowMs = 30_000, Aggregation = Aggregation.Sum } },
            },
            _caller);
        Assert.Equal(100, Assert.Single(text.Results).Value, 6);
        Assert.Equal(text.Results, spec.Results);
        Assert.Equal(Start + 60_000, text.AtUnixMs);
        Assert.Equal(1UL, text.Cost.Series);
        Assert.InRange(text.Cost.Samples, 29UL, 60UL);
    }

    [Fact]
    public async Task Instant_At_IsThatMoment()
    {
        QueryResult result = Assert.Single((await _service.Instant(new InstantRequest { Query = Text("temp"), AtUnixMs = Start + 10_500 }, _caller)).Results);
        Assert.Equal((29.0, Start + 10_000, "temp"), (result.Value, result.SampleUnixMs, result.Metric));
        Assert.Equal(["device=d", "node=n1"], result.Labels.Select(label => $"{label.Name}={label.Value}"));
    }

    [Theory]
    [InlineData("sum(temp", StatusCode.InvalidArgument, "(position 9)")]
    [InlineData("temp{device=}", StatusCode.InvalidArgument, "(position 13)")]
    [InlineData("nothing(temp)", StatusCode.InvalidArgument, "(position 1)")]
    [InlineData("", StatusCode.InvalidArgument, "(position 1)")]
    public async Task Instant_TextThatIsNoQuery_SaysWhere(string text, StatusCode code, string position)
    {
        Status status = await RefusalAsync(() => _service.Instant(new InstantRequest { Query = Text(text) }, _caller));
        Assert.Equal(code, status.StatusCode);
        Assert.Contains(position, status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Instant_RequestsThatMeanNothing_AreInvalid()
    {
        QueryInput[] inputs =
        [
            new(), Spec(new QuerySpec { Selector = "temp", Function = (WindowFunction)99 }), Spec(new QuerySpec { Selector = "temp", Aggregation = (Aggregation)(-1) }),
            Spec(new QuerySpec { Selector = "temp", WindowMs = ulong.MaxValue }), Spec(new QuerySpec { Selector = "temp", By = { "a" } }),
            Spec(new QuerySpec { Selector = "temp", Aggregation = Aggregation.Sum, By = { "a" }, Without = { "b" } }),
            Spec(new QuerySpec { Selector = "temp", Aggregation = Aggregation.Quantile, Quantile = double.NaN }), Spec(new QuerySpec { Selector = "temp{" }),
        ];
        foreach (QueryInput input in inputs)
        {
            Assert.Equal(StatusCode.InvalidArgument, (await RefusalAsync(() => _service.Instant(new InstantRequest { Query = input }, _caller))).StatusCode);
        }

        Assert.Equal(StatusCode.InvalidArgument, (await RefusalAsync(() => _service.Instant(new InstantRequest(), _caller))).StatusCode);
        foreach (long at in new[] { long.MinValue, long.MaxValue })
        {
            Assert.Equal(StatusCode.InvalidArgument,
                (await RefusalAsync(() => _service.Instant(new InstantRequest { Query = Text("temp"), AtUnixMs = at }, _caller))).StatusCode);
        }
    }

    [Fact]
    public async Task Instant_OverALimit_IsResourceExhausted()
    {
        _service = Service(new QueryLimits { MaxSamples = 10 });
        Assert.Equal(StatusCode.ResourceExhausted, (await RefusalAsync(() => _service.Instant(new InstantRequest { Query = Text("avg_over_time(temp[1m])") }, _caller))).StatusCode);
        _service = Service(new QueryLimits { MaxConcurrentPerCaller = 0 });
        Status busy = await RefusalAsync(() => _service.Instant(new InstantRequest { Query = Text("temp") }, _caller));
        Assert.Equal((StatusCode.ResourceExhausted, "viewer/me runs 0 queries, the limit per caller (query.max_concurrent_per_caller); wait for one to end"), (busy.StatusCode, busy.Detail));
    }

    [Fact]
    public async Task TopK_DefaultAndBounds_AreKept()
    {
        QueryResponse top = await _service.TopK(new TopKRequest { Query = Text("temp") }, _caller);
        Assert.Equal(79, Assert.Single(top.Results).Value);
        Assert.Equal(StatusCode.InvalidArgument, (await RefusalAsync(() => _service.TopK(new TopKRequest { Query = Text("temp"), K = 1_001 }, _caller))).StatusCode);
        Assert.Equal(StatusCode.InvalidArgument, (await RefusalAsync(() => _service.TopK(new TopKRequest { Query = Text("temp"), K = uint.MaxValue }, _caller))).StatusCode);
    }

    [Fact]
    public async Task Range_StepsAndCost_ComeWithTheLastMessage()
    {
        FakeResponses<RangeResponse> responses = new();
        await _service.Range(new RangeRequest { Query = Text("{device=\"d\"}"), StartUnixMs = Start + 1_000, EndUnixMs = Start + 5_000, StepMs = 2_000 }, responses, _caller);
        List<RangeResponse> all = responses.All;
        Assert.Equal(2, all.Count);
        Assert.Null(all[0].Cost);
        Assert.Equal(2UL, all[1].Cost.Series);
        RangeResponse temp = all.Single(one => one.Metric == "temp");
        Assert.Equal([20, 22, 24], temp.Values);
        Assert.Equal((Start + 1_000, 2_000UL), (temp.StartUnixMs, temp.StepMs));
    }

    [Fact]
    public async Task Range_NothingGiven_IsTheLastTenMinutesInAboutTwoHundredAndFortyPoints()
    {
        FakeResponses<RangeResponse> responses = new();
        await _service.Range(new RangeRequest { Query = Text("temp") }, responses, _caller);
        RangeResponse only = Assert.Single(responses.All);
        Assert.Equal((3_000UL, Start + 60_000 - 600_000, 201), (only.StepMs, only.StartUnixMs, only.Values.Count));
        Assert.Equal(79, only.Values[^1]);
        Assert.True(double.IsNaN(only.Values[0]));
    }

    [Fact]
    public async Task Range_NoMatch_IsOneMessageWithTheCost()
    {
        FakeResponses<RangeResponse> responses = new();
        await _service.Range(new RangeRequest { Query = Text("nothing") }, responses, _caller);
        RangeResponse only = Assert.Single(responses.All);
        Assert.Empty(only.Values);
        Assert.NotNull(only.Cost);
    }

    [Theory]
    [InlineData(10_000, 5_000, 1_000, StatusCode.InvalidArgument)]
    [InlineData(0, 100_000_000, 1, StatusCode.ResourceExhausted)]
    [InlineData(long.MinValue, long.MaxValue, 0, StatusCode.InvalidArgument)]
    [InlineData(long.MaxValue, long.MinValue, 1_000, StatusCode.InvalidArgument)]
    public async Task Range_BoundsThatMeanNothing_AreRefused(long start, long end, ulong step, StatusCode expected)
    {
        RangeRequest request = new() { Query = Text("temp"), StartUnixMs = start, EndUnixMs = end, StepMs = step };
        Assert.Equal(expected, (await RefusalAsync(() => _service.Range(request, new FakeResponses<RangeResponse>(), _caller))).StatusCode);
    }

    [Fact]
    public async Task Range_Refused_GivesItsPlaceBack()
    {
        _service = Service(new QueryLimits { MaxConcurrentPerCaller = 1, MaxSamples = 5 });
        for (int i = 0; i < 3; i++)
        {
            Status status = await RefusalAsync(() => _service.Range(new RangeRequest { Query = Text("temp") }, new FakeResponses<RangeResponse>(), _caller));
            Assert.DoesNotContain("limit per caller", status.Detail, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task ListSeries_Entries_CarryTheNewestSample()
    {
        FakeResponses<ListSeriesResponse> responses = new();
        await _service.ListSeries(new ListSeriesRequest { Selector = "sent_total" }, responses, _caller);
        ListSeriesResponse only = Assert.Single(responses.All);
        SeriesEntry entry = Assert.Single(only.Series);
        Assert.Equal(("sent_total", MetricKind.Counter, 1U, 5_900.0, Start + 60_000, 1UL),
            (entry.Metric, entry.Kind, entry.Scale, entry.LastValue, entry.LastUnixMs, only.Total));
    }

    [Fact]
    public async Task ListSeries_ManyOrNone_AreSentInPagesWithTheTotalLast()
    {
        _bench.Taken(_bench.Agent.Schema(2, "many", [.. Enumerable.Range(0, 1_100).Select(i => $"m{i}")]));
        Assert.Equal([(500, 0UL), (500, 0UL), (102, 1_102UL)], await ListAsync("", 0));
        Assert.Equal([(500, 0UL), (0, 1_102UL)], await ListAsync("", 500));
        Assert.Equal([(7, 1_102UL)], await ListAsync("", 7));
        Assert.Equal([(0, 0UL)], await ListAsync("nothing", 0));
        Assert.Equal(StatusCode.InvalidArgument, (await RefusalAsync(() => ListAsync("{{", 0))).StatusCode);

        async Task<List<(int, ulong)>> ListAsync(string selector, uint limit)
        {
            FakeResponses<ListSeriesResponse> responses = new();
            await _service.ListSeries(new ListSeriesRequest { Selector = selector, Limit = limit }, responses, _caller);
            return [.. responses.All.Select(one => (one.Series.Count, one.Total))];
        }
    }

    [Fact]
    public async Task Watch_Samples_ComeAsTheyAreTakenAndSeriesAreNamedOnce()
    {
        FakeResponses<WatchResponse> responses = new();
        Task watching = _service.Watch(new WatchRequest { Selector = "temp" }, responses, _caller);
        _bench.Taken(_bench.Agent.Frame((1, [7, 8])));
        WatchResponse first = await responses.NextAsync();
        _bench.Taken(_bench.Agent.Frame((1, [9, 10])));
        WatchResponse second = await responses.NextAsync();
        Assert.Equal("temp", Assert.Single(first.Series).Metric);
        Assert.Empty(second.Series);
        Assert.Equal([(7.0, Start + 61_000), (9.0, Start + 62_000)], new[] { first, second }.Select(one => (one.Samples.Single().Value, one.Samples.Single().UnixMs)));
        Assert.Equal(first.Series[0].Index, second.Samples[0].Index);
        await _stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => watching.WaitAsync(TimeSpan.FromSeconds(20)));
        Assert.Equal(0, _bench.Store.Stats().Subscriptions);
    }

    [Fact]
    public async Task Watch_NoSelectorOrNoneThatParses_IsInvalid()
    {
        Status none = await RefusalAsync(() => _service.Watch(new WatchRequest(), new FakeResponses<WatchResponse>(), _caller));
        Assert.Equal((StatusCode.InvalidArgument, "watch needs a selector: a whole fleet is never watched by accident"), (none.StatusCode, none.Detail));
        Assert.Equal(StatusCode.InvalidArgument, (await RefusalAsync(() => _service.Watch(new WatchRequest { Selector = "temp{" }, new FakeResponses<WatchResponse>(), _caller))).StatusCode);
    }

    [Fact]
    public async Task ListNodes_Pattern_MatchesWholeNames()
    {
        _bench.Fleet.GetOrAdd("gpu-1", Start);
        _bench.Fleet.GetOrAdd("gpu-12", Start);
        Assert.Equal(["gpu-1", "gpu-12", "n1"], await NamesAsync(""));
        Assert.Equal(["gpu-1"], await NamesAsync("gpu-1"));
        Assert.Equal(["gpu-1", "n1"], await NamesAsync("gpu-.|n1"));
        Assert.Empty(await NamesAsync("GPU-1"));
        foreach (string wrong in new[] { "(", "a)|(b", "(?=x)", @"(a)\1" })
        {
            Status status = await RefusalAsync(() => NamesAsync(wrong));
            Assert.Equal(StatusCode.InvalidArgument, status.StatusCode);
            Assert.Contains($"'{wrong}'", status.Detail, StringComparison.Ordinal);
        }

        async Task<IEnumerable<string>> NamesAsync(string pattern) =>
            (await _service.ListNodes(new ListNodesRequest { NamePattern = pattern }, _caller)).Nodes.Select(node => node.Name);
    }

    [Fact]
    public async Task GetNode_Known_SaysAllThatIsKnown()
    {
        _bench.Stream.Close();
        FleetNode known = _bench.Node;
        known.AgentVersion = "1.0";
        known.Inventory = new Inventory { HostName = "h" };
        GetNodeResponse response = await _service.GetNode(new GetNodeRequest { Name = "n1" }, _caller);
        Assert.Equal((NodeState.Down, 2U, Start + 60_000, "1.0", ClockQuality.Synchronised),
            (response.Node.State, response.Node.Series, response.Node.LastFrameUnixMs, response.Node.AgentVersion, response.Node.Clock));
        Assert.Equal("h", response.Inventory.HostName);
        GetNodeResponse.Types.SamplerState sampler = Assert.Single(response.Samplers);
        Assert.Equal(("s", 2U, 1_000U, Start + 60_000), (sampler.Name, sampler.Series, sampler.IntervalMs, sampler.LastFrameUnixMs));
    }

    [Fact]
    public async Task GetNode_Unknown_IsNotFound()
    {
        Status status = await RefusalAsync(() => _service.GetNode(new GetNodeRequest { Name = "zz" }, _caller));
        Assert.Equal((StatusCode.NotFound, "no node named 'zz' has ever connected"), (status.StatusCode, status.Detail));
    }

    [Fact]
    public async Task ListEvents_Filters_AreAllApplied()
    {
        Add("n1", "xid", Severity.Error, 10);
        Add("n2", "xid", Severity.Critical, 20);
        Add("n1", "oom_kill", Severity.Warning, 30);
        Assert.Equal([30L, 20, 10], await ListAsync(new ListEventsRequest()));
        Assert.Equal([30L, 10], await ListAsync(new ListEventsRequest { Node = "n1" }));
        Assert.Equal([20L, 10], await ListAsync(new ListEventsRequest { Kinds = { "xid", "other" } }));
        Assert.Equal([20L, 10], await ListAsync(new ListEventsRequest { MinSeverity = Severity.Error }));
        Assert.Equal([30L, 20], await ListAsync(new ListEventsRequest { SinceUnixMs = 20 }));
        Assert.Equal([30L], await ListAsync(new ListEventsRequest { Limit = 1 }));

        async Task<IEnumerable<long>> ListAsync(ListEventsRequest request)
        {
            FakeResponses<ListEventsResponse> responses = new();
            await _service.ListEvents(request, responses, _caller);
            return responses.All.Select(one => one.Event.WallUnixMs);
        }
    }

    [Fact]
    public async Task ListEvents_Follow_GivesThePastAndThenNewOnesUntilCancelled()
    {
        Add("n1", "xid", Severity.Error, 10);
        FakeResponses<ListEventsResponse> responses = new();
        Task following = _service.ListEvents(new ListEventsRequest { Follow = true, Kinds = { "xid" } }, responses, _caller);
        Add("n1", "other", Severity.Error, 20);
        Add("n1", "xid", Severity.Error, 30);
        Assert.Equal([10L, 30L], new[] { await responses.NextAsync(), await responses.NextAsync() }.Select(one => one.Event.WallUnixMs));
        await _stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => following.WaitAsync(TimeSpan.FromSeconds(20)));
    }

    [Fact]
    public async Task GetStatus_Counters_AreThoseOfTheStore()
    {
        _bench.Node.LastReceivedUnixMs = Start + 59_000;
        GetStatusResponse status = await _service.GetStatus(new GetStatusRequest(), _caller);
        Assert.Equal(("1.2.3", Start, Start + 60_000), (status.Version, status.StartedUnixMs, status.WallUnixMs));
        Assert.Equal((1UL, 1UL, 2UL, 120UL, 60UL), (status.Nodes, status.LiveNodes, status.Series, status.SamplesTotal, status.FramesTotal));
        Assert.Equal((1UL << 30, Start + 1_000), (status.StoreLimitBytes, status.OldestUnixMs));
    }

    private static QueryInput Text(string expression) => new() { Expression = expression };

    private static QueryInput Spec(QuerySpec spec) => new() { Spec = spec };

    private static async Task<Status> RefusalAsync(Func<Task> call) => (await Assert.ThrowsAsync<RpcException>(call)).Status;

    private void Add(string node, string kind, Severity severity, long wall) =>
        _bench.Events.Add(node, new Event { Kind = kind, Severity = severity, WallUnixMs = wall }, wall);

    private QueryService Service(QueryLimits limits) => new(
        _bench.Store, new QueryEngine(_bench.Store, limits, _bench.Time), _bench.Ingest.Core, _bench.Time, new AggregatorFacts("1.2.3", Start, _rpc.Admission));
}
