using NodeAgent.Tsdb.Query;
using static NodeAgent.Tsdb.Tests.Make;

namespace NodeAgent.Tsdb.Tests.Query;

/// <summary>Every limit ends a query with the error of its name, and none of them is spent by a query that ended.</summary>
public sealed class LimitTests
{
    private readonly MemoryStore _store = Filled();

    [Theory]
    [InlineData("m", QueryErrorKind.TooManySeries, "The selector matches 10 series, more than the limit of 9 (query.max_series); name a metric, a node or another label")]
    [InlineData("m{gpu=~\"[0-4]\"}", QueryErrorKind.TooManySamples, "The query reads more samples than the limit of 300 (query.max_samples_millions); narrow it, take a shorter range, or a step of whole minutes, which roll-ups can answer")]
    [InlineData(
        "quantile(0.5, m{gpu=~\"[0-2]\"})", QueryErrorKind.TooMuchMemory,
        "The query would hold more memory at once than the limit of 5000 bytes (query.max_memory); take fewer groups, a longer step or a shorter range")]
    [InlineData(
        "topk(1, m{gpu=~\"[0-2]\"})", QueryErrorKind.TooMuchMemory,
        "The query would hold more memory at once than the limit of 5000 bytes (query.max_memory); take fewer groups, a longer step or a shorter range")]
    public void Range_BeyondALimit_SaysWhich(string query, QueryErrorKind kind, string message)
    {
        QueryEngine engine = new(_store, new QueryLimits { MaxSeries = 9, MaxSamples = 300, MaxMemoryBytes = 5_000 }, TimeProvider.System);
        using RangeExecution range = engine.Range(QueryParser.ParseExpression(query), Start, Start + 99_000, 1_000, "t", CancellationToken.None);
        QueryException error = Assert.Throws<QueryException>(() => range.Count());
        Assert.Equal((kind, message, false), (error.Kind, error.Message, error.IsCallersMistake));
    }

    [Fact]
    public void Range_TooManySteps_SaysSoAtOnce()
    {
        QueryException error = Assert.Throws<QueryException>(
            () => new QueryEngine(_store, new QueryLimits { MaxSteps = 10 }, TimeProvider.System).Range(Plan("m"), Start, Start + 10_000, 1_000, "t", CancellationToken.None));
        Assert.Equal("The range has 11 steps of 1000 ms, more than the limit of 10; take a longer step or a shorter range", error.Message);
        Assert.Equal(QueryErrorKind.TooManySteps, error.Kind);
    }

    [Fact]
    public void Range_TooManyAtOnce_CountsPerCallerAndInAll()
    {
        QueryEngine engine = new(_store, new QueryLimits { MaxConcurrentPerCaller = 2, MaxConcurrent = 3 }, TimeProvider.System);
        RangeExecution Open(string caller) => engine.Range(Plan("m"), Start, Start, 1, caller, CancellationToken.None);
        RangeExecution first = Open("ann");
        RangeExecution second = Open("ann");
        Assert.Equal("ann runs 2 queries, the limit per caller (query.max_concurrent_per_caller); wait for one to end", Assert.Throws<QueryException>(() => Open("ann")).Message);
        RangeExecution third = Open("bob");
        Assert.Equal("3 queries are running, the limit (query.max_concurrent); try again in a moment", Assert.Throws<QueryException>(() => Open("bob")).Message);
        first.Dispose();
        first.Dispose();
        using RangeExecution fourth = Open("bob");
        Assert.Throws<QueryException>(() => Open("cat"));
        second.Dispose();
        third.Dispose();
        Assert.Equal(10, engine.Instant(Plan("m"), Start, "ann", CancellationToken.None).Results.Count);
    }

    [Fact]
    public void Instant_ThatFails_GivesItsPlaceBack()
    {
        QueryEngine engine = new(_store, new QueryLimits { MaxSeries = 9, MaxConcurrentPerCaller = 1 }, TimeProvider.System);
        for (int i = 0; i < 3; i++)
        {
            Assert.Equal(QueryErrorKind.TooManySeries, Assert.Throws<QueryException>(() => engine.Instant(Plan("m"), Start, "t", CancellationToken.None)).Kind);
        }
    }

    [Fact]
    public void Range_BeyondTheTime_Ends_ButTheReadersOwnTimeIsNotCounted()
    {
        HandClock clock = new();
        QueryEngine engine = new(_store, new QueryLimits { MaxTime = TimeSpan.FromSeconds(1) }, clock);
        using (RangeExecution patient = engine.Range(Plan("m"), Start, Start + 99_000, 1_000, "t", CancellationToken.None))
        {
            int results = 0;
            foreach (RangeSeries _ in patient)
            {
                clock.Advance(TimeSpan.FromSeconds(10)); // a slow network, not a slow query
                results++;
            }

            Assert.Equal((10, TimeSpan.Zero), (results, patient.Cost.Elapsed));
        }

        clock.PerRead = TimeSpan.FromMilliseconds(300);
        using RangeExecution slow = engine.Range(Plan("m"), Start, Start + 99_000, 1_000, "t", CancellationToken.None);
        QueryException error = Assert.Throws<QueryException>(() => slow.Count());
        Assert.Equal("The query took longer than the limit of 1 s (query.max_time); narrow it, or take a longer step or a shorter range", error.Message);
        Assert.Equal(QueryErrorKind.TimeLimit, error.Kind);
    }

    [Fact]
    public void Range_Cancelled_Ends()
    {
        using CancellationTokenSource source = new();
        QueryEngine engine = new(_store, new QueryLimits(), TimeProvider.System);
        using RangeExecution range = engine.Range(Plan("m"), Start, Start + 99_000, 1_000, "t", source.Token);
        using IEnumerator<RangeSeries> results = range.GetEnumerator();
        Assert.True(results.MoveNext());
        source.Cancel();
        Assert.Throws<OperationCanceledException>(() => results.MoveNext());
    }

    [Fact]
    public void Plan_ThatMeansNothing_IsRefused()
    {
        QueryPlan good = Plan("m");
        AssertRefused("There is no window function 77", good with { Function = (WindowFunction)77 });
        AssertRefused("There is no aggregation 77", good with { Aggregation = (Aggregation)77 });
        AssertRefused("A window of -1 ms is not between 0 and 100 years", good with { WindowMs = -1 });
        AssertRefused("A query groups by labels or without labels, not both", good with { Aggregation = Aggregation.Sum, By = ["a"], Without = ["b"] });
        AssertRefused("Grouping needs an aggregation such as sum or avg", good with { By = ["a"] });
        AssertRefused("The quantile NaN is not between 0 and 1", good with { Aggregation = Aggregation.Quantile, Quantile = double.NaN });
        AssertRefused("The quantile 2 of the window is not between 0 and 1", good with { Function = WindowFunction.Quantile, WindowQuantile = 2 });
        AssertRefused("A ranking keeps 1 to 1000 results, not 0", good with { Ranking = Ranking.Top });
        AssertRefused("The range ends (5) before it starts (6)", good, 6, 5);
        AssertRefused("The step is 0 ms; it must be at least 1 ms", good, 5, 6, 0);
        AssertRefused("The time 9223372036854775807 ms is not between the years -6000 and 9999", good, 5, long.MaxValue);
    }

    private void AssertRefused(string message, QueryPlan plan, long start = Start, long end = Start, long step = 1)
    {
        QueryEngine engine = new(_store, new QueryLimits(), TimeProvider.System);
        QueryException error = Assert.Throws<QueryException>(() => engine.Range(plan, start, end, step, "t", CancellationToken.None));
        Assert.Equal((message, QueryErrorKind.InvalidArgument, true), (error.Message, error.Kind, error.IsCallersMistake));
    }

    private static QueryPlan Plan(string text) => QueryParser.ParseExpression(text);

    private static MemoryStore Filled()
    {
        MemoryStore store = Store();
        SchemaHandle schema = store.Schema("n", "s", [.. Enumerable.Range(0, 10).Select(i => Gauge("m", ("gpu", i.ToString())))]);
        for (int second = 0; second < 100; second++)
        {
            store.Row(schema, Start + (second * 1_000), [.. Enumerable.Range(0, 10).Select(i => (double?)i)]);
        }

        return store;
    }

    /// <summary>A clock that moves when told to, and by a fixed amount each time it is read.</summary>
    private sealed class HandClock : TimeProvider
    {
        private long _ticks;

        public TimeSpan PerRead { get; set; }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public void Advance(TimeSpan time) => _ticks += time.Ticks;

        public override long GetTimestamp() => _ticks += PerRead.Ticks;
    }
}
