using NodeAgent.Tsdb.Query;

namespace NodeAgent.Tsdb.Tests.Query;

public sealed class ParserTests
{
    [Theory]
    [InlineData("x", "x | Last 0 | None by() without() | All 0")]
    [InlineData("a:b_c{}", "a:b_c | Last 0 | None by() without() | All 0")]
    [InlineData(" x { a = \"1\" , b != '2' , c =~ `3` , d !~ \"4.\" , } ", "x{a=\"1\",b!=\"2\",c=~\"3\",d!~\"4.\"} | Last 0 | None by() without() | All 0")]
    [InlineData("{__name__=~\"a|b\"}", "{__name__=~\"a|b\"} | Last 0 | None by() without() | All 0")]
    [InlineData("{__name__=\"a\",b=\"\"}", "a{b=\"\"} | Last 0 | None by() without() | All 0")]
    [InlineData("sum", "sum | Last 0 | None by() without() | All 0")]
    [InlineData("by", "by | Last 0 | None by() without() | All 0")]
    [InlineData("rate(x[5m])", "x | Rate 300000 | None by() without() | All 0")]
    [InlineData("rate(x)", "x | Rate 0 | None by() without() | All 0")]
    [InlineData("increase(x[2h30m])", "x | Increase 9000000 | None by() without() | All 0")]
    [InlineData("delta(x[1d])", "x | Delta 86400000 | None by() without() | All 0")]
    [InlineData("last_over_time(x[500ms])", "x | Last 500 | None by() without() | All 0")]
    [InlineData("quantile_over_time(.95, x[1w])", "x | Quantile 604800000 q0.95 | None by() without() | All 0")]
    [InlineData("sum(x)", "x | Last 0 | Sum by() without() | All 0")]
    [InlineData("sum by (a, b) (x)", "x | Last 0 | Sum by(a,b) without() | All 0")]
    [InlineData("sum(x) by (a,)", "x | Last 0 | Sum by(a) without() | All 0")]
    [InlineData("avg without(a) (min_over_time(x[1m]))", "x | Min 60000 | Avg by() without(a) | All 0")]
    [InlineData("stddev(x) without (a)", "x | Last 0 | StdDev by() without(a) | All 0")]
    [InlineData("quantile by (a) (1e-1, x)", "x | Last 0 | Quantile q0.1 by(a) without() | All 0")]
    [InlineData("topk(5, x)", "x | Last 0 | None by() without() | Top 5")]
    [InlineData("bottomk(1000, sum by (node) (rate(x[1m]))) # comment", "x | Rate 60000 | Sum by(node) without() | Bottom 1000")]
    [InlineData("x{a=\"\\\"\\n\\u00e9\\x41\"}", "x{a=\"\\\"\\né" + "A\"} | Last 0 | None by() without() | All 0")]
    public void ParseExpression_EveryForm_GivesItsPlan(string text, string expected)
    {
        QueryPlan plan = QueryParser.ParseExpression(text);
        string windowQuantile = plan.Function == WindowFunction.Quantile ? $" q{plan.WindowQuantile}" : "";
        string quantile = plan.Aggregation == Aggregation.Quantile ? $" q{plan.Quantile}" : "";
        Assert.Equal(
            expected,
            $"{plan.Selector} | {plan.Function} {plan.WindowMs}{windowQuantile} | {plan.Aggregation}{quantile} by({string.Join(',', plan.By)}) "
            + $"without({string.Join(',', plan.Without)}) | {plan.Ranking} {plan.K}");
    }

    [Theory]
    [InlineData("5s", 5_000)]
    [InlineData("1m", 60_000)]
    [InlineData("2h30m", 9_000_000)]
    [InlineData("1d", 86_400_000)]
    [InlineData("500ms", 500)]
    [InlineData("1m500ms", 60_500)]
    [InlineData("100y", 100L * 365 * 86_400_000)]
    public void QueryDuration_TryParse_Known(string text, long ms)
    {
        Assert.True(QueryDuration.TryParse(text, out long parsed));
        Assert.Equal(ms, parsed);
        Assert.True(QueryDuration.TryParse(QueryDuration.Format(ms), out long again));
        Assert.Equal(ms, again);
    }

    [Theory]
    [InlineData("")]
    [InlineData("5")]
    [InlineData("m")]
    [InlineData("5x")]
    [InlineData("5s1m")]
    [InlineData("5s5s")]
    [InlineData("-5s")]
    [InlineData("1.5h")]
    [InlineData("101y")]
    [InlineData("100y1s")]
    [InlineData("99999999999999999999s")]
    public void QueryDuration_TryParse_RefusesTheRest(string text) => Assert.False(QueryDuration.TryParse(text, out _));
}
