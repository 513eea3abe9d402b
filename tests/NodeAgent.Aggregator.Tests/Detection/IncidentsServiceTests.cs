using Grpc.Core;
using NodeAgent.Aggregator.Detection;
using NodeAgent.Aggregator.Tests.Ingest;
using NodeAgent.Aggregator.Tests.Query;
using NodeAgent.Contracts.Identity;
using NodeAgent.Tsdb;
using NodeAgent.Tsdb.Query;
using NodeAgent.V1;

namespace NodeAgent.Aggregator.Tests.Detection;

public sealed class IncidentsServiceTests : IDisposable
{
    private readonly DetectionBench _bench = new();
    private readonly FakeContext _operator = new("op", FleetRole.Operator);
    private readonly IncidentsService _service;

    public IncidentsServiceTests() => _service = Service(_bench.Parts, _bench.Ingest.Store);

    public void Dispose()
    {
        _service.Dispose();
        _bench.Dispose();
    }

    [Fact]
    public async Task List_ByNodeAndCause_GivesWhatMatches()
    {
        _bench.Happen("n1", "kernel_fault", Severity.Error);
        _bench.Happen("n2", "machine_check", Severity.Critical);

        Assert.Equal(2, (await _service.List(new ListIncidentsRequest(), _operator)).Incidents.Count);
        Assert.Equal("machine-check", (await _service.List(new ListIncidentsRequest { Node = "n2" }, _operator)).Incidents.Single().Causes[0].Finding.Cause);
        Assert.Equal("n1", (await _service.List(new ListIncidentsRequest { Cause = "kernel-fault" }, _operator)).Incidents.Single().Impact.Nodes.Single());
        ListIncidentsResponse one = await _service.List(new ListIncidentsRequest { Limit = 1 }, _operator);
        Assert.Equal((1, 2U), (one.Incidents.Count, one.Total));
    }

    [Theory]
    [InlineData("", "", 1000UL, "why")]
    [InlineData("n1", "", 0UL, "why")]
    [InlineData("n1", "", 1000UL, " ")]
    [InlineData("n1", "", 40UL * 86_400_000, "why")]
    public async Task Silence_WithoutSubjectReasonOrEnd_IsRefused(string node, string cause, ulong duration, string reason)
    {
        RpcException refused = await Assert.ThrowsAsync<RpcException>(() => _service.Silence(new SilenceRequest { Node = node, Cause = cause, DurationMs = duration, Reason = reason }, _operator));
        Assert.Equal(StatusCode.InvalidArgument, refused.StatusCode);
    }

    [Fact]
    public async Task Orders_OnWhatIsNotThere_AreNotFound()
    {
        Assert.Equal(StatusCode.NotFound, (await Assert.ThrowsAsync<RpcException>(() => _service.Acknowledge(new AcknowledgeRequest { Id = 9 }, _operator))).StatusCode);
        Assert.Equal(StatusCode.NotFound, (await Assert.ThrowsAsync<RpcException>(() => _service.Unsilence(new UnsilenceRequest { Id = 9 }, _operator))).StatusCode);
        Assert.Equal(StatusCode.NotFound, (await Assert.ThrowsAsync<RpcException>(() => _service.Explain(new ExplainRequest { Id = 9 }, _operator))).StatusCode);
        Assert.Equal(StatusCode.NotFound, (await Assert.ThrowsAsync<RpcException>(() => _service.Feedback(new FeedbackRequest { Id = 9 }, _operator))).StatusCode);
    }

    [Fact]
    public async Task Feedback_AgainAndAgain_StaysWithinItsBounds()
    {
        _bench.Happen("n1", "kernel_fault", Severity.Error);
        ulong id = _bench.Incidents().Single().Id;
        FeedbackResponse last = new();
        for (int time = 0; time < 20; time++) last = await _service.Feedback(new FeedbackRequest { Id = id, Right = false }, _operator);
        Assert.Equal(3, last.Strictness);
        for (int time = 0; time < 60; time++) last = await _service.Feedback(new FeedbackRequest { Id = id, Right = true }, _operator);
        Assert.Equal(0.7, last.Strictness);
    }

    [Fact]
    public async Task Watch_FromTheBeginning_GivesWhatIsThereThenEveryChange()
    {
        _bench.Happen("n1", "kernel_fault", Severity.Error);
        using CancellationTokenSource end = new();
        FakeContext watcher = new("me", FleetRole.Viewer, end.Token);
        FakeResponses<IncidentUpdate> responses = new();
        Task watching = _service.Watch(new WatchIncidentsRequest(), responses, watcher);
        IncidentUpdate present = await responses.NextAsync();
        _bench.Happen("n2", "kernel_fault", Severity.Error);
        IncidentUpdate opened = await responses.NextAsync();
        await end.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => watching);

        Assert.Equal((IncidentChange.Unspecified, "n1"), (present.Change, present.Incident.Impact.Nodes.Single()));
        Assert.Equal((IncidentChange.Opened, "n2"), (opened.Change, opened.Incident.Impact.Nodes.Single()));
    }

    [Fact]
    public async Task Explain_ARulesIncident_HasTheSamplesAroundItAndWhatWasExpected()
    {
        SchemaHandle schema = _bench.Schema("n1", "gpu", "gpu_temperature_margin_celsius{gpu=2}");
        for (int second = 0; second < 120; second++)
        {
            double margin = second < 80 ? 30 + (second % 3) : 1;
            _bench.Ingest.Store.Append(schema, _bench.Now, [margin], [1UL]);
            _bench.Row(schema, margin);
            _bench.Pass(1);
        }

        ExplainResponse answer = await _service.Explain(new ExplainRequest { Id = _bench.Incidents().Single().Id, AroundMs = 60_000 }, _operator);

        Assert.Equal("thermal-margin", answer.Incident.Causes[0].Finding.Cause);
        Assert.NotEmpty(answer.Why);
        Evidence evidence = Assert.Single(answer.Evidence);
        Assert.StartsWith("gpu_temperature_margin_celsius{", evidence.Series, StringComparison.Ordinal);
        Assert.InRange(evidence.ExpectedLow, 29.9, 31);
        Assert.InRange(evidence.ExpectedHigh, 30.5, 32.1);
        Assert.Contains(evidence.Seen, value => value < 2);
    }

    [Fact]
    public async Task Detect_OverStoredSamples_FindsWhatARuleWouldHaveAndChangesNothing()
    {
        SchemaHandle schema = _bench.Schema("n1", "gpu", "gpu_throttle_active{gpu=2,reason=hw_thermal}");
        long from = _bench.Now;
        for (int second = 0; second < 300; second++)
        {
            _bench.Ingest.Store.Append(schema, from + (second * 1000L), [second is > 100 and < 150 ? 1 : 0], [1UL]);
        }

        DetectResponse answer = await _service.Detect(new DetectRequest { Selector = "{node=\"n1\"}", FromUnixMs = from, ToUnixMs = from + 300_000 }, _operator);

        V1.Incident incident = Assert.Single(answer.Incidents);
        Assert.Equal(("throttle-thermal", "gpu2", from + 106_000), (incident.Causes[0].Finding.Cause, incident.Causes[0].Finding.Device, incident.OpenedUnixMs));
        Assert.Equal((1U, 300UL, 1U), (answer.Series, answer.Samples, answer.Findings.Single(kind => kind.Cause == "throttle-thermal").Findings));
        Assert.Empty(_bench.Incidents());
        Assert.Equal(StatusCode.InvalidArgument, (await Assert.ThrowsAsync<RpcException>(() => _service.Detect(new DetectRequest(), _operator))).StatusCode);
    }

    [Fact]
    public void Forecast_OfADiskThatFills_SaysWhenAndOfAYoungOneWhyNot()
    {
        const long day = 86_400_000;
        const long start = 1_700_006_400_000; // a whole hour
        using MemoryStore store = new(new MemoryStoreOptions { RetentionMs = 30 * day, MaxAheadMs = 30 * day });
        SchemaHandle old = store.Register("n1", "disk", 600_000, [Series("/var")]).Handle!;
        SchemaHandle young = store.Register("n2", "disk", 600_000, [Series("/home")]).Handle!;
        for (int tenth = 0; tenth < 5 * 144; tenth++)
        {
            // 10 GB a day, and a daily swing of 3 GB that must not count.
            double free = 100e9 - (tenth / 144.0 * 10e9) + (1.5e9 * Math.Sin(tenth / 144.0 * 2 * Math.PI));
            store.Append(old, start + (tenth * 600_000L), [free], [1UL]);
        }

        store.Append(young, start + (5 * day) - 600_000, [1e9], [1UL]);
        StoredForecast forecast = new(store, new QueryEngine(store, new QueryLimits(), TimeProvider.System));
        ForecastResponse answer = forecast.Run(new ForecastRequest { Selector = "node_filesystem_avail_bytes", Limit = 0 }, start + (5 * day), "me", TestContext.Current.CancellationToken);

        Assert.Equal(2U, answer.Total);
        SeriesForecast filling = answer.Series[0];
        Assert.Equal("n1", filling.Labels.Single(label => label.Name == "node").Value);
        Assert.InRange(filling.CrossesInMs / day, 4.5, 5.5);
        Assert.InRange(filling.PerDay, -11e9, -9e9);
        Assert.True(filling.FromMs <= filling.CrossesInMs && filling.CrossesInMs <= filling.ToMs);
        Assert.Equal((48, 48, 48), (filling.Low.Count, filling.Middle.Count, filling.High.Count));
        Assert.All(Enumerable.Range(0, 48), at => Assert.True(filling.Low[at] <= filling.Middle[at] && filling.Middle[at] <= filling.High[at]));
        Assert.NotEmpty(answer.Series[1].Problem);

        static NodeAgent.Contracts.Series.SeriesDefinition Series(string mount) =>
            new("node_filesystem_avail_bytes", NodeAgent.Contracts.Metrics.MetricKind.Gauge, "bytes", 1, [new NodeAgent.Contracts.Series.Label("mountpoint", mount)]);
    }

    [Fact]
    public async Task Anything_WhileDetectionIsSwitchedOff_SaysSo()
    {
        using IncidentsService off = Service(null, _bench.Ingest.Store);
        Assert.Equal(StatusCode.FailedPrecondition, (await Assert.ThrowsAsync<RpcException>(() => off.List(new ListIncidentsRequest(), _operator))).StatusCode);
    }

    private IncidentsService Service(DetectionParts? parts, MemoryStore store) => new(parts, store, new QueryEngine(store, new QueryLimits(), _bench.Ingest.Time), _bench.Ingest.Time);
}
