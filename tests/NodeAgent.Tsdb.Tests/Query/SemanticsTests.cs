using NodeAgent.Contracts.Metrics;
using NodeAgent.Contracts.Series;
using NodeAgent.Tsdb.Query;
using static NodeAgent.Tsdb.Tests.Make;

namespace NodeAgent.Tsdb.Tests.Query;

/// <summary>The examples of docs/query.md: what each rule means in numbers.</summary>
public sealed class SemanticsTests
{
    private readonly MemoryStore _store = Store(headRows: 8);

    [Theory]
    [InlineData(0, "1")]
    [InlineData(4_999, "1")]
    [InlineData(5_000, "")]
    [InlineData(-1, "")]
    public void Last_OlderThanFiveIntervals_IsAbsent(long after, string expected)
    {
        SchemaHandle schema = _store.Schema("n", "s", Gauge("a"));
        _store.Row(schema, Start, 1);
        Assert.Equal(expected, Ask("a", Start + after));
    }

    [Fact]
    public void Last_UnknownInterval_IsAbsentAfterFiveMinutes()
    {
        SchemaHandle schema = _store.Register("n", "s", 0, [Gauge("a")]).Handle!;
        _store.Row(schema, Start, 1);
        Assert.Equal("1", Ask("a", Start + 299_999));
        Assert.Equal("", Ask("a", Start + 300_000));
    }

    [Fact]
    public void NaNSample_IsAbsentNowAndSkippedInWindows()
    {
        SchemaHandle schema = _store.Schema("n", "s", Gauge("a"));
        _store.Row(schema, Start, 1);
        _store.Row(schema, Start + 1_000, 3);
        _store.Row(schema, Start + 2_000, double.NaN);
        Assert.Equal("", Ask("a", Start + 2_000));
        Assert.Equal("", Ask("sum(a)", Start + 2_000));
        Assert.Equal("2", Ask("avg_over_time(a[10s])", Start + 2_000));
        Assert.Equal("2", Ask("count_over_time(a[10s])", Start + 2_000));
    }

    [Fact]
    public void Window_LeftEdgeIsOutRightEdgeIsIn()
    {
        SchemaHandle schema = _store.Schema("n", "s", Gauge("a"));
        for (int i = 0; i <= 10; i++)
        {
            _store.Row(schema, Start + (i * 1_000), i);
        }

        Assert.Equal("5", Ask("count_over_time(a[5s])", Start + 10_000));
        Assert.Equal("6", Ask("min_over_time(a[5s])", Start + 10_000));
        Assert.Equal("10", Ask("max_over_time(a[5s])", Start + 10_000));
        Assert.Equal("40", Ask("sum_over_time(a[5s])", Start + 10_000));
        Assert.Equal("8", Ask("avg_over_time(a[5s])", Start + 10_000));
        Assert.Equal("7", Ask("quantile_over_time(0.25, a[5s])", Start + 10_000));
        Assert.Equal("4", Ask("delta(a[5s])", Start + 10_000));
    }

    [Theory]
    // 0 10 20 30 over (0 s, 4 s] at 1, 2, 3, 4 s: 30 between the samples, extended by the second before the first, which reaches no
    // further back than zero: the counter starts at 0, so nothing is added there.
    [InlineData("0 10 20 30", "increase(c[4s])", "30")]
    // 10 20 30 40: 30, plus the first second (10): as if it had been 0 at the edge.
    [InlineData("10 20 30 40", "increase(c[4s])", "40")]
    [InlineData("10 20 30 40", "rate(c[4s])", "10")]
    // A reset: 100 -> 5 counts 5, and the 100 before it is added: 105 - 90 = 15 between the samples, 20 with the first second.
    [InlineData("90 100 5 5", "increase(c[4s])", "20")]
    // Two resets.
    [InlineData("10 2 7 1", "increase(c[4s])", "10.6666666667")]
    // One sample: no rate.
    [InlineData("10", "rate(c[4s])", "")]
    // The last sample is 2 s before the edge, further than 1.1 distances: extended by half a distance only.
    [InlineData("1000 1010", "increase(c[4s])", "25")]
    public void RateAndIncrease_AsPrometheusComputesThem(string counts, string query, string expected)
    {
        SchemaHandle schema = _store.Schema("n", "s", Counter("c"));
        int second = 0;
        foreach (string count in counts.Split(' '))
        {
            _store.Row(schema, Start + (++second * 1_000), double.Parse(count));
        }

        Assert.Equal(expected, Ask(query, Start + 4_000));
    }

    [Fact]
    public void Increase_ResetBetweenBlocksAndSchemas_IsCompensated()
    {
        SchemaHandle schema = _store.Schema("n", "s", Counter("c"));
        for (int i = 1; i <= 100; i++)
        {
            _store.Row(schema, Start + (i * 1_000), i * 10);
        }

        // The agent restarts with another column: a new schema, the counter from zero.
        SchemaHandle next = _store.Schema("n", "s", Counter("other"), Counter("c"));
        for (int i = 1; i <= 100; i++)
        {
            _store.Row(next, Start + ((100 + i) * 1_000), 0, i * 10);
        }

        // 990 to the reset, 10 after it, 990 on; the first second adds 10 more.
        Assert.Equal("2000", Ask("increase(c[200s])", Start + 200_000));
    }

    [Fact]
    public void Aggregations_SkipAbsentSeriesAndGroupByWhatIsThere()
    {
        SchemaHandle schema = _store.Schema("n", "s", Gauge("a", ("x", "1"), ("y", "1")), Gauge("a", ("x", "1"), ("y", "2")), Gauge("a", ("y", "3")), Gauge("a", ("x", "9")));
        _store.Row(schema, Start, 1, 4, 10, null);
        Assert.Equal("15", Ask("sum(a)"));
        Assert.Equal("3", Ask("count(a)"));
        Assert.Equal("5", Ask("avg(a)"));
        Assert.Equal("10 {x=\"1\"}5", Ask("sum by (x) (a)"));
        Assert.Equal("a10 a{x=\"1\"}5", Ask("sum by (__name__, x) (a)"));
        Assert.Equal("{node=\"n\"}10 {node=\"n\",x=\"1\"}5", Ask("sum without (y) (a)"));
        Assert.Equal("4", Ask("quantile(0.5, a)"));
        Assert.Equal("2.5", Ask("quantile(0.25, a)"));
        Assert.Equal("1.5", Ask("stddev(a{x=\"1\"})"));
        Assert.Equal("{node=\"n\",y=\"3\"}10 {node=\"n\",x=\"1\",y=\"2\"}4", Ask("topk(2, max_over_time(a))"));
        Assert.Equal("{x=\"1\"}5", Ask("bottomk(1, sum by (x) (a))"));
    }

    [Fact]
    public void Names_AreDroppedByFunctionsUnlessTheyTellResultsApart()
    {
        SchemaHandle schema = _store.Schema("n", "s", Gauge("a"), Gauge("b"));
        _store.Row(schema, Start, 1, 2);
        Assert.Equal("a{node=\"n\"}1", Ask("last_over_time(a[1m])", Start, always: true));
        Assert.Equal("{node=\"n\"}1", Ask("avg_over_time(a[1m])", Start, always: true));
        Assert.Equal("a{node=\"n\"}1 b{node=\"n\"}2", Ask("avg_over_time({node=\"n\"}[1m])", Start, always: true));
    }

    [Theory]
    [InlineData("m", Unit.Bytes, Unit.Bytes)]
    [InlineData("rate(m)", Unit.Bytes, Unit.BytesPerSecond)]
    [InlineData("rate(m)", Unit.Seconds, Unit.Ratio)]
    [InlineData("rate(m)", Unit.Joules, Unit.Watts)]
    [InlineData("rate(m)", Unit.None, "per_second")]
    [InlineData("rate(m)", Unit.Celsius, "celsius_per_second")]
    [InlineData("sum(rate(m))", Unit.Bytes, Unit.BytesPerSecond)]
    [InlineData("increase(m)", Unit.Joules, Unit.Joules)]
    [InlineData("count(m)", Unit.Bytes, Unit.None)]
    [InlineData("count_over_time(m)", Unit.Bytes, Unit.None)]
    public void Units_FollowTheFunction(string query, string unit, string expected)
    {
        SchemaHandle schema = _store.Schema("n", "s", new SeriesDefinition("m", MetricKind.Counter, unit, 0, []));
        _store.Row(schema, Start, 1);
        _store.Row(schema, Start + 1_000, 2);
        Assert.Equal(expected, Assert.Single(Engine().Instant(QueryParser.ParseExpression(query), Start + 1_000, "t", TestContext.Current.CancellationToken).Results).Unit);
    }

    [Fact]
    public void Units_OfDifferentInputs_AreNone()
    {
        SchemaHandle schema = _store.Schema("n", "s", Counter("a"), Gauge("b"));
        _store.Row(schema, Start, 1, 2);
        Assert.Equal("", Assert.Single(Engine().Instant(QueryParser.ParseExpression("sum({node=\"n\"})"), Start, "t", TestContext.Current.CancellationToken).Results).Unit);
    }

    [Fact]
    public void Range_TopK_ChoosesAtEveryStep()
    {
        SchemaHandle schema = _store.Schema("n", "s", Gauge("a"), Gauge("b"));
        _store.Row(schema, Start, 1, 2);
        _store.Row(schema, Start + 1_000, 4, 3);
        QueryPlan plan = QueryParser.ParseExpression("topk(1, {node=\"n\"})");
        using RangeExecution range = Engine().Range(plan, Start, Start + 1_000, 1_000, "t", TestContext.Current.CancellationToken);
        Assert.Equal(["a: NaN 4", "b: 2 NaN"], range.Select(series => $"{series.Metric}: {string.Join(' ', series.Values)}"));
        Assert.Equal((2, 4), (range.Cost.Series, range.Cost.Samples));
    }

    [Fact]
    public void Mean_WhoseSumOverflows_IsStillTheMean()
    {
        SchemaHandle schema = _store.Schema("n", "s", Gauge("a"));
        _store.Row(schema, Start, double.MaxValue);
        _store.Row(schema, Start + 1, double.MaxValue);
        Assert.Equal("1.79769313486E+308", Ask("avg_over_time(a[1m])", Start + 1));
    }

    private QueryEngine Engine() => new(_store, new QueryLimits(), TimeProvider.System);

    /// <summary>Results as "labels value"; labels are left out for a single result unless asked for.</summary>
    private string Ask(string query, long at = Start, bool always = false)
    {
        IReadOnlyList<QueryValue> results = Engine().Instant(QueryParser.ParseExpression(query), at, "t", TestContext.Current.CancellationToken).Results;
        bool bare = !always && results.Count == 1 && (results[0].Labels.Count == 0 || results[0].Labels.Any(label => label.Name == "node"));
        return string.Join(' ', results.Select(result => (bare ? "" : SeriesDefinition.Format(result.Metric, result.Labels)) + result.Value.ToString("G12")));
    }
}
