using NodeAgent.Contracts.Series;
using NodeAgent.Tsdb.Query;
using NodeAgent.Tsdb.Tests.Storage;
using static NodeAgent.Tsdb.Tests.Make;

namespace NodeAgent.Tsdb.Tests.Query;

/// <summary>Every function, aggregation and ranking against the naive reference, over random data.</summary>
public sealed class QueryPropertyTests
{
    private static readonly string[] Selectors =
    [
        "temperature", "bytes_total", "bytes_total{gpu=\"1\"}", "temperature{gpu!=\"0\"}", "{__name__=~\"temp.*|bytes_total\"}", "temperature{site=\"\"}",
        "temperature{site!~\"hall0\"}", "{node=~\"node[12]\",site!=\"\"}", "bytes_total{node=~\"node1|node3\",gpu=~\"[0-1]\"}", "nothing",
    ];

    private static readonly string[][] Labels = [[], ["node"], ["gpu"], ["node", "gpu"], ["__name__", "site"], ["missing"]];

    [Theory]
    [MemberData(nameof(Seeds.Many), MemberType = typeof(Seeds))]
    public void RangeAndInstant_AnyPlanOverAnyData_AnswerAsTheNaiveReference(int seed)
    {
        using RandomFleet fleet = new(seed);
        AskAnything(fleet, seed);
    }

    [Theory]
    [MemberData(nameof(Seeds.Many), MemberType = typeof(Seeds))]
    public void RangeAndInstant_OverFilesHeadsAndRestarts_AnswerAsTheNaiveReference(int seed)
    {
        using LoggedStore durable = new(seed);
        using RandomFleet fleet = new(seed, durable);
        AskAnything(fleet, seed);
    }

    private static void AskAnything(RandomFleet fleet, int seed)
    {
        Random random = new(seed);
        QueryEngine engine = new(fleet.Store, new QueryLimits(), TimeProvider.System);
        for (int i = 0; i < 25; i++)
        {
            QueryPlan plan = RandomPlan(random);
            long start = Start + random.Next(-10_000, 200_000);
            long step = new[] { 1, 333, 1_000, 7_000, 60_000 }[random.Next(5)];
            if (random.Next(2) == 0)
            {
                // Windows of whole minutes and hours, which tiers may answer.
                step = new[] { 60_000, 120_000, 3_600_000 }[random.Next(3)];
                start = Start + (step * random.Next(-1, 4));
                plan = plan with { WindowMs = new[] { 0, 60_000, 180_000, 3_600_000 }[random.Next(4)] };
            }

            int steps = random.Next(1, 40);
            AssertRange(fleet, engine, plan, start, step, steps);
            AssertInstant(fleet, engine, plan, start + (random.Next(2) == 0 ? 0 : random.Next(100_000)));
        }
    }

    private static QueryPlan RandomPlan(Random random)
    {
        Aggregation aggregation = (Aggregation)random.Next(8);
        bool without = random.Next(2) == 0;
        string[] labels = aggregation == Aggregation.None ? [] : Labels[random.Next(Labels.Length)];
        return new QueryPlan(Selector.Parse(Selectors[random.Next(Selectors.Length)]))
        {
            Function = (WindowFunction)random.Next(10),
            WindowMs = new long[] { 0, 500, 3_000, 30_000, 61_001 }[random.Next(5)],
            WindowQuantile = random.Next(11) / 10.0,
            Aggregation = aggregation,
            By = without ? [] : labels,
            Without = without ? labels : [],
            Quantile = random.Next(11) / 10.0,
            Ranking = (Ranking)random.Next(3),
            K = random.Next(1, 6),
        };
    }

    private static void AssertRange(RandomFleet fleet, QueryEngine engine, QueryPlan plan, long start, long step, int steps)
    {
        using RangeExecution execution = engine.Range(plan, start, start + ((steps - 1) * step), step, "test", TestContext.Current.CancellationToken);
        List<RangeSeries> results = [.. execution];
        Dictionary<string, double[]> actual = results.ToDictionary(result => SeriesDefinition.Format(result.Metric, result.Labels), result => result.Values);
        AssertEqual(plan, fleet.Naive.Evaluate(plan, start, step, steps, step), actual);
        Assert.Equal(actual.Keys.Order(StringComparer.Ordinal), results.Select(result => SeriesDefinition.Format(result.Metric, result.Labels)).Order(StringComparer.Ordinal));
        Assert.All(results, result => Assert.Equal((start, step, steps), (result.StartUnixMs, result.StepMs, result.Values.Length)));
    }

    private static void AssertInstant(RandomFleet fleet, QueryEngine engine, QueryPlan plan, long at)
    {
        InstantResult instant = engine.Instant(plan, at, "test", TestContext.Current.CancellationToken);
        Dictionary<string, double[]> actual = instant.Results.ToDictionary(result => SeriesDefinition.Format(result.Metric, result.Labels), result => new[] { result.Value });
        AssertEqual(plan, fleet.Naive.Evaluate(plan, at, 1, 1, QueryPlan.DefaultInstantWindowMs), actual);
        if (plan.Ranking != Ranking.All)
        {
            IEnumerable<double> values = instant.Results.Select(result => result.Value);
            Assert.Equal(plan.Ranking == Ranking.Top ? values.OrderDescending() : values.Order(), values);
        }

        Assert.All(instant.Results, result => Assert.InRange(result.SampleUnixMs, at - Math.Max(120_000, plan.WindowMs), at));
    }

    private static void AssertEqual(QueryPlan plan, Dictionary<string, double[]> expected, Dictionary<string, double[]> actual)
    {
        if (plan.Ranking != Ranking.All)
        {
            // Which of two equal values is kept is a matter of rounding in the last bit; the values themselves are not.
            AssertSameValuesPerStep(expected, actual);
            return;
        }

        Assert.Equal(expected.Keys.Order(StringComparer.Ordinal), actual.Keys.Order(StringComparer.Ordinal));
        foreach ((string key, double[] values) in expected)
        {
            for (int i = 0; i < values.Length; i++)
            {
                AssertClose(values[i], actual[key][i], $"{plan} {key} step {i}");
            }
        }
    }

    private static void AssertSameValuesPerStep(Dictionary<string, double[]> expected, Dictionary<string, double[]> actual)
    {
        int steps = expected.Values.Concat(actual.Values).Select(values => values.Length).FirstOrDefault();
        for (int i = 0; i < steps; i++)
        {
            double[] wanted = [.. expected.Values.Select(values => values[i]).Where(value => !double.IsNaN(value)).Order()];
            double[] got = [.. actual.Values.Select(values => values[i]).Where(value => !double.IsNaN(value)).Order()];
            Assert.Equal(wanted.Length, got.Length);
            for (int k = 0; k < wanted.Length; k++)
            {
                AssertClose(wanted[k], got[k], $"rank {k} step {i}");
            }
        }
    }

    private static void AssertClose(double expected, double actual, string where)
    {
        bool same = double.IsNaN(expected) ? double.IsNaN(actual) : Math.Abs(expected - actual) <= 1e-9 * Math.Max(1, Math.Abs(expected));
        Assert.True(same, $"{where}: expected {expected}, got {actual}");
    }
}
