using NodeAgent.Aggregator.Remote;
using NodeAgent.Aggregator.Sinks;
using NodeAgent.Aggregator.Tests.Ingest;
using NodeAgent.Aggregator.Tests.Sinks;
using NodeAgent.Tsdb;
using NodeAgent.Tsdb.Query;

namespace NodeAgent.Aggregator.Tests.Remote;

/// <summary>
/// The real servers of Debian: what the sink sends comes back as it was, through an outage, and expressions give the same answers there as on
/// the aggregator's own store.
/// </summary>
public sealed class RealEngineTests
{
    private static readonly string[] Expressions =
    [
        "temp_celsius", "max_over_time(temp_celsius[30s])", "avg_over_time(temp_celsius[1m])", "sum by (node) (rate(sent_bytes_total[30s]))",
        "increase(sent_bytes_total[1m])", "count(temp_celsius{device=\"d\"})", "temp_celsius{device!=\"d\"}", "temp_celsius{node=~\"n.*\",device=~\"d|e\"}",
        "topk(1, temp_celsius)", "up", "quantile_over_time(0.5, temp_celsius[1m])", "temp_celsius{absent=\"\"}",
    ];

    [Fact]
    public async Task VictoriaMetrics_OverAnOutage_HasEverySampleAndGivesTheSameAnswers()
    {
        await using EngineProcess engine = await EngineProcess.VictoriaMetricsAsync();
        SinkSettings settings = SinkBench.Default();
        settings.Url = engine.Url;
        await using SinkBench bench = new(settings: settings);
        await FeedOverAnOutageAsync(bench, engine);

        // What was just written is found after its buffers were flushed: about a second, or at once when asked for.
        await engine.PostAsync("/internal/force_flush");
        await CompareAsync(bench, new RemoteReadSettings { Kind = RemoteKind.VictoriaMetrics, Url = engine.Url }, Expressions);
    }

    [Fact]
    public async Task Influxdb_OverAnOutage_HasEverySampleAndGivesTheSameAnswers()
    {
        await using EngineProcess engine = await EngineProcess.InfluxdbAsync();
        Assert.DoesNotContain("error", await engine.PostAsync("/query", ("q", "CREATE DATABASE nodeagent")), StringComparison.Ordinal);
        SinkSettings settings = SinkBench.Default();
        settings.Kind = SinkKind.Influxdb1;
        settings.Url = engine.Url;
        await using SinkBench bench = new(settings: settings);
        await FeedOverAnOutageAsync(bench, engine);
        await CompareAsync(bench, new RemoteReadSettings { Kind = RemoteKind.Influxdb1, Url = engine.Url }, Expressions);
    }

    [Fact]
    public async Task VictoriaMetrics_AsInfluxdb2_TakesItToo()
    {
        await using EngineProcess engine = await EngineProcess.VictoriaMetricsAsync();
        SinkSettings settings = SinkBench.Default();
        settings.Kind = SinkKind.Influxdb2; // the only server of that interface that Debian has
        settings.Url = engine.Url;
        settings.Bucket = "b";
        await using SinkBench bench = new(settings: settings);
        bench.Feed(30);
        bench.Start();
        await bench.CaughtUpAsync();
        await engine.PostAsync("/internal/force_flush");
        Assert.Contains("temp_celsius", await engine.PostAsync("/api/v1/export", ("match[]", "temp_celsius{node=\"n1\"}"), ("start", "1700000000")), StringComparison.Ordinal);
    }

    // Debian has no vminsert. A single node behind the prefix of a tenant reads the same requests below it.
    [Fact]
    public async Task VictoriaMetrics_BehindTheClustersPath_TakesItToo()
    {
        await using EngineProcess engine = await EngineProcess.VictoriaMetricsAsync("/insert/7:12");
        SinkSettings settings = SinkBench.Default();
        (settings.Kind, settings.Url, settings.Tenant) = (SinkKind.VictoriaMetricsCluster, engine.Url, "7:12");
        await using SinkBench bench = new(settings: settings);
        bench.Feed(30);
        bench.Start();
        await bench.CaughtUpAsync();
        await engine.PostAsync("/insert/7:12/internal/force_flush");
        Assert.Contains(
            "temp_celsius", await engine.PostAsync("/insert/7:12/api/v1/export", ("match[]", "temp_celsius{node=\"n1\"}"), ("start", "1700000000")), StringComparison.Ordinal);
        Assert.Equal(0, bench.Sink!.Counters.DeadLetters);
    }

    [Fact]
    public async Task Influxdb_WithAFieldOfAnotherType_RefusesThoseLinesOnly()
    {
        await using EngineProcess engine = await EngineProcess.InfluxdbAsync();
        await engine.PostAsync("/query", ("q", "CREATE DATABASE nodeagent"));
        using HttpClient http = new();
        using StringContent text = new("temp,device=d,node=n1 celsius=\"warm\" 1699999999000\n"); // somebody else's idea of a temperature
        using HttpResponseMessage first = await http.PostAsync(new Uri(engine.Url, "/write?db=nodeagent&precision=ms"), text);
        Assert.True(first.IsSuccessStatusCode);
        SinkSettings settings = SinkBench.Default();
        settings.Kind = SinkKind.Influxdb1;
        settings.Url = engine.Url;
        await using SinkBench bench = new(settings: settings);
        bench.Feed(40);
        bench.Start();
        await bench.CaughtUpAsync();
        Assert.Contains("\"count\"", await engine.PostAsync("/query", ("db", "nodeagent"), ("q", "SELECT COUNT(bytes_total) FROM sent")), StringComparison.Ordinal);
        Assert.InRange(bench.Sink!.Counters.DeadLetters, 1, 120);
        Assert.Contains("type conflict", bench.Log.Named("SinkDeadLetters")[0].Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Engine_ThatDoesNotAnswer_IsNamedInTheError()
    {
        using HttpClient http = new() { Timeout = TimeSpan.FromSeconds(2) };
        await using SinkBench bench = new();
        RemoteStore? store = RemoteStore.TryMake(new RemoteReadSettings { Kind = RemoteKind.VictoriaMetrics, Url = new Uri("http://127.0.0.1:1") }, http, bench.Ingest.Store, out _);
        QueryException failed = Assert.Throws<QueryException>(() => store!.Match(Selector.Parse("up"), 0, 1));
        Assert.Equal(QueryErrorKind.RemoteEngine, failed.Kind);
        Assert.StartsWith("127.0.0.1:1 does not answer: ", failed.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Statement_OfHostileText_StaysAStatement() => Assert.Equal(
        "SELECT \"b\\\"c\" FROM \"a\" WHERE time >= 1ms AND time <= 2ms AND \"l\" = 'x\\'; DROP DATABASE y; --\\\\' GROUP BY *",
        InfluxqlEngine.Text(
            new Selector([new LabelMatcher("l", MatchOperator.Equal, "x'; DROP DATABASE y; --\\"), new LabelMatcher("m", MatchOperator.Matches, "z.*")]), "a_b\"c", "{0}", 1, 2));

    private static async Task FeedOverAnOutageAsync(SinkBench bench, EngineProcess engine)
    {
        bench.Feed(60);
        bench.Start();
        await bench.CaughtUpAsync();
        await engine.StopAsync();
        bench.Feed(90);
        await engine.StartAsync();
        await bench.CaughtUpAsync();
        Assert.Equal(450, bench.Sink!.Counters.Samples);
        Assert.Equal(0, bench.Sink.Counters.DeadLetters);
    }

    private static async Task CompareAsync(SinkBench bench, RemoteReadSettings settings, string[] expressions)
    {
        using HttpClient http = new();
        RemoteStore? store = RemoteStore.TryMake(settings, http, bench.Ingest.Store, out string problem);
        Assert.Equal("", problem);
        QueryEngine remote = new(store!, new QueryLimits(), TimeProvider.System);
        QueryEngine own = new(bench.Ingest.Store, new QueryLimits(), TimeProvider.System);
        long end = AgentSide.Start + (bench.Fed * 1000L);
        foreach (string expression in expressions)
        {
            QueryPlan plan = QueryParser.ParseExpression(expression);
            Assert.Equal(Text(own.Instant(plan, end, "me", CancellationToken.None)), Text(remote.Instant(plan, end, "me", CancellationToken.None)));
            using RangeExecution expected = own.Range(plan, end - 60_000, end, 7_000, "me", CancellationToken.None);
            using RangeExecution found = remote.Range(plan, end - 60_000, end, 7_000, "me", CancellationToken.None);
            Assert.Equal(expected.Select(Text).ToArray(), found.Select(Text).ToArray());
        }

        await Task.CompletedTask;
    }

    private static string Text(InstantResult result) => string.Join('\n', result.Results.Select(value => FormattableString.Invariant($"{value.Metric}{{{string.Join(',', value.Labels)}}} {value.Value:R} {value.SampleUnixMs}")));

    private static string Text(RangeSeries series) => FormattableString.Invariant($"{series.Metric}{{{string.Join(',', series.Labels)}}} ") + string.Join(' ', series.Values.Select(value => value.ToString("R", System.Globalization.CultureInfo.InvariantCulture)));
}
