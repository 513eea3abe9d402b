using NodeAgent.Contracts.Metrics;
using NodeAgent.Contracts.Series;
using NodeAgent.Tsdb.Head;
using NodeAgent.Tsdb.Index;
using NodeAgent.Tsdb.Query;

namespace NodeAgent.Tsdb.Tests.Index;

public sealed class LabelIndexTests
{
    private static readonly string[] Metrics = ["up", "temperature", "bytes_total"];
    private static readonly string[] Names = ["node", "gpu", "mode"];
    private static readonly string[] Values = ["", "0", "1", "2", "idle", "user", "a.b", "a\nb"];
    private static readonly string[] Patterns =
        ["0|1", "", ".*", ".+", "i.*", "idle|", "(0|1|2)", "[0-9]+", "a.b", "a\\.b", "us", "(?i)IDLE", "x|y", "|", "u.*r", "0|0"];

    [Theory]
    [MemberData(nameof(Seeds.Many), MemberType = typeof(Seeds))]
    public void Select_AnyMatchersAfterAnyRemovals_FindsWhatAWalkOverAllSeriesFinds(int seed)
    {
        Random random = new(seed);
        LabelIndex index = new();
        List<MemorySeries> all = [];
        for (int id = 0; id < 300; id++)
        {
            MemorySeries series = RandomSeries(random, id);
            all.Add(series);
            index.Add(series);
            if (random.Next(40) == 0)
            {
                MemorySeries[] dead = [.. all.Where(_ => random.Next(5) == 0)];
                index.Remove(dead);
                all.RemoveAll(dead.Contains);
            }
        }

        for (int i = 0; i < 100; i++)
        {
            Selector selector = RandomSelector(random);
            Assert.Equal(all.Where(selector.Matches).Select(series => series.Id), index.Select(selector).Select(series => series.Id));
        }

        index.Remove(all);
        Assert.Equal((0, 0), (index.Count, index.EstimatedBytes));
        Assert.Empty(index.Select(Selector.All));
    }

    [Theory]
    [MemberData(nameof(Seeds.Many), MemberType = typeof(Seeds))]
    public void Intersect_AnyTwoLists_IsWhatBothHave(int seed)
    {
        Random random = new(seed);
        int[] left = RandomIds(random);
        int[] right = RandomIds(random);
        int[] into = new int[left.Length];
        int count = PostingList.Intersect(left, right, into);
        Assert.Equal(left.Intersect(right), into[..count]);
    }

    [Fact]
    public void Matches_EmptyAndAbsentLabel_AreTheSame()
    {
        MemorySeries series = new(0, "m", [new Label("node", "n")], MetricKind.Gauge, "", 0);
        Assert.True(Selector.Parse("m{gpu=\"\"}").Matches(series));
        Assert.True(Selector.Parse("m{gpu!=\"0\"}").Matches(series));
        Assert.True(Selector.Parse("m{gpu=~\".*\"}").Matches(series));
        Assert.False(Selector.Parse("m{gpu=~\".+\"}").Matches(series));
        Assert.False(Selector.Parse("m{gpu!=\"\"}").Matches(series));
    }

    [Theory]
    [InlineData("idle", "idler", false)]
    [InlineData("dle", "idle", false)]
    [InlineData("a|bc", "abc", false)]
    [InlineData("a|bc", "bc", true)]
    [InlineData("a$", "a\n", false)]
    [InlineData("a.b", "a\nb", true)]
    [InlineData("(a+)+b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false)]
    public void Matches_Pattern_IsAnchoredAtBothEndsAndLinear(string pattern, string value, bool matches) =>
        Assert.Equal(matches, new LabelMatcher("l", MatchOperator.Matches, pattern).Matches(value));

    [Theory]
    [InlineData("(a)\\1")]
    [InlineData("(?<!a)b")]
    [InlineData("((a{1000}){1000}){1000}")]
    public void Pattern_ThatCannotBeLinear_IsRefused(string pattern) =>
        Assert.Equal(QueryErrorKind.InvalidArgument, Assert.Throws<QueryException>(() => new LabelMatcher("l", MatchOperator.Matches, pattern)).Kind);

    [Fact]
    public void Pattern_TooLong_IsRefused() =>
        Assert.Equal(
            "The pattern has 4097 characters, more than 4096",
            Assert.Throws<QueryException>(() => new LabelMatcher("l", MatchOperator.Matches, new string('a', 4_097))).Message);

    private static MemorySeries RandomSeries(Random random, int id)
    {
        IEnumerable<Label> labels = Names.Select(name => new Label(name, Values[random.Next(Values.Length)]));
        SeriesDefinition definition = new(Metrics[random.Next(Metrics.Length)], MetricKind.Gauge, "", 0, labels);
        return new MemorySeries(id, definition.Metric, [.. definition.Labels], MetricKind.Gauge, "", 0);
    }

    private static Selector RandomSelector(Random random)
    {
        List<LabelMatcher> matchers = [];
        for (int i = random.Next(0, 4); i >= 0; i--)
        {
            string name = new[] { "__name__", "node", "gpu", "mode", "missing" }[random.Next(5)];
            MatchOperator op = (MatchOperator)random.Next(4);
            string value = op >= MatchOperator.Matches ? Patterns[random.Next(Patterns.Length)]
                : name == "__name__" ? Metrics[random.Next(Metrics.Length)] : Values[random.Next(Values.Length)];
            matchers.Add(new LabelMatcher(name, op, value));
        }

        return new Selector(matchers);
    }

    private static int[] RandomIds(Random random)
    {
        int range = new[] { 10, 1_000, 100_000 }[random.Next(3)];
        return [.. Enumerable.Range(0, random.Next(0, 500)).Select(_ => random.Next(range)).Distinct().Order()];
    }
}
