using NodeAgent.Tsdb.Query;

namespace NodeAgent.Tsdb.Tests.Query;

/// <summary>Every message that a person can get for a mistyped query, word for word.</summary>
public sealed class ParserErrorTests
{
    private const string Known = "topk, bottomk, sum, avg, min, max, count, stddev, quantile, rate, increase, delta, avg_over_time, min_over_time, "
        + "max_over_time, sum_over_time, count_over_time, quantile_over_time, last_over_time";

    [Theory]
    [InlineData("", "The text ends where a selector was expected (position 1)")]
    [InlineData("  ", "The text ends where a selector was expected (position 3)")]
    [InlineData("x{", "The text ends where a label name or \"}\" was expected (position 3)")]
    [InlineData("x{a", "The text ends where one of = != =~ !~ after the label a was expected (position 4)")]
    [InlineData("x{a=", "The text ends where a value in quotes for the label a was expected (position 5)")]
    [InlineData("x{a=b}", "Found \"b\" where a value in quotes for the label a was expected (position 5)")]
    [InlineData("x{a==\"b\"}", "Found \"==\" where one of = != =~ !~ after the label a was expected (position 4)")]
    [InlineData("x{a=\"b\"", "The text ends where \"}\" or a comma at the end of a matcher was expected (position 8)")]
    [InlineData("x{a=\"b\" c=\"d\"}", "Found \"c\" where \"}\" or a comma at the end of a matcher was expected (position 9)")]
    [InlineData("x{0=\"b\"}", "Found \"0\" where a label name or \"}\" was expected (position 3)")]
    [InlineData("x{a=\"b}", "The text that begins here has no closing quote (position 5)")]
    [InlineData("x{a='b}", "The text that begins here has no closing ' (position 5)")]
    [InlineData("x{a=\"\\d\"}", "This is not an escape; a backslash is written \\\\, in a pattern often \\\\ (position 6)")]
    [InlineData("x{a=\"\\uD800\"}", "This is not an escape; a backslash is written \\\\, in a pattern often \\\\ (position 6)")]
    [InlineData("x{a=~\"(b\"}", "The pattern \"(b\" is not valid: not enough )'s, at its character 2 (position 6)")]
    [InlineData("x{a=~\"b)(c\"}", "The pattern \"b)(c\" is not valid: too many )'s, at its character 2 (position 6)")]
    [InlineData(
        "x{a=~\"(?=b)c\"}",
        "The pattern \"(?=b)c\" uses a look-around, a back-reference or too large a repetition, which cannot be matched in linear time (position 6)")]
    [InlineData("{}", "This would match every series; name a metric or a label that must have a value (position 1)")]
    [InlineData("{a!=\"b\"}", "This would match every series; name a metric or a label that must have a value (position 1)")]
    [InlineData("x{__name__=\"y\"}", "The metric is named already: x (position 3)")]
    [InlineData("x}", "Found \"}\" where the end was expected (position 2)")]
    [InlineData("x y", "Found \"y\" where the end was expected (position 3)")]
    [InlineData("x[5m]", "A window needs a function around it, such as avg_over_time(x[5m]) (position 2)")]
    [InlineData("rate(x[5])", "Found \"5\" where a duration such as 30s, 5m or 2h30m was expected (position 8)")]
    [InlineData("rate(x[5m10h])", "Found \"5m10h\" where a duration such as 30s, 5m or 2h30m was expected (position 8)")]
    [InlineData("rate(x[])", "Found \"]\" where a duration such as 30s, 5m or 2h30m was expected (position 8)")]
    [InlineData("rate(x[0s])", "A window must be longer than zero (position 8)")]
    [InlineData("rate(x[5m:1m])", "Sub-queries ([range:step]) are not supported (position 10)")]
    [InlineData("rate(x[5m", "The text ends where \"]\" at the end of the window was expected (position 10)")]
    [InlineData("rate(x[5m]", "The text ends where \")\" at the end of rate was expected (position 11)")]
    [InlineData("rate()", "Found \")\" where a selector was expected (position 6)")]
    [InlineData("rate(rate(x[1m])[5m])", "rate applies to a selector and cannot stand inside another function (position 6)")]
    [InlineData("rate(sum(x))", "An aggregation such as sum goes around at most one function of a selector; it cannot stand here (position 6)")]
    [InlineData("sum(avg(x))", "An aggregation such as avg goes around at most one function of a selector; it cannot stand here (position 5)")]
    [InlineData("sum(topk(3, x))", "topk must stand outermost (position 5)")]
    [InlineData("sum by node (x)", "Found \"by\" where the end was expected (position 5)")]
    [InlineData("sum by (node (x)", "Found \"(\" where \")\" at the end of by was expected (position 14)")]
    [InlineData("sum by (\"a\") (x)", "Found the text \"a\" where a label name or \")\" was expected (position 9)")]
    [InlineData("sum by (a) (x) by (b)", "sum has a by already (position 16)")]
    [InlineData("sum without () (x)", "without needs at least one label (position 5)")]
    [InlineData("topk by (a) (3, x)", "topk ranks all results and takes no by (position 6)")]
    [InlineData("topk(x)", "Found \"x\" where the number of results that topk keeps (1 to 1000) was expected (position 6)")]
    [InlineData("topk(0, x)", "Found \"0\" where the number of results that topk keeps (1 to 1000) was expected (position 6)")]
    [InlineData("topk(2.5, x)", "Found \"2.5\" where the number of results that topk keeps (1 to 1000) was expected (position 6)")]
    [InlineData("topk(3 x)", "Found \"x\" where \",\" between the number and the query of topk was expected (position 8)")]
    [InlineData("quantile(2, x)", "Found \"2\" where the quantile of quantile (0 to 1) was expected (position 10)")]
    [InlineData("quantile_over_time(x[5m])", "Found \"x\" where the quantile of quantile_over_time (0 to 1) was expected (position 20)")]
    [InlineData("reta(x[5m])", "There is no function \"reta\"; did you mean rate? (position 1)")]
    [InlineData("avg_overtime(x[5m])", "There is no function \"avg_overtime\"; did you mean avg_over_time? (position 1)")]
    [InlineData("histogram_quantile(0.9, x)", "There is no function \"histogram_quantile\"; known are " + Known + " (position 1)")]
    [InlineData("x + y", "Arithmetic is not supported; query the parts and compute with the results, instead of \"+\" (position 3)")]
    [InlineData("sum(x) / 8", "Arithmetic is not supported; query the parts and compute with the results, instead of \"/\" (position 8)")]
    [InlineData("-x", "Arithmetic is not supported; query the parts and compute with the results, instead of \"-\" (position 1)")]
    [InlineData("rate(x[5m] * 8)", "Arithmetic is not supported; query the parts and compute with the results, instead of \"*\" (position 12)")]
    [InlineData("8 * x", "Numbers cannot be computed with; a query starts with a metric, a function or an aggregation, not with \"8\" (position 1)")]
    [InlineData("x > 5", "Comparing values (>) is not supported; topk and bottomk find the extremes (position 3)")]
    [InlineData("x or y", "Combining queries (or) is not supported; a pattern such as {label=~\"a|b\"} selects several series (position 3)")]
    [InlineData("x offset 5m", "offset is not supported; ask for that time instead (position 3)")]
    [InlineData("x @ 5", "@ is not supported; ask for that time instead (position 3)")]
    [InlineData("\"x\"", "Found the text \"x\" where a selector was expected (position 1)")]
    [InlineData("x{a=\"b\"} \ud83d\ude00", "Found \"\ud83d\ude00\" where the end was expected (position 10)")]
    public void ParseExpression_Mistake_SaysWhereWhatAndWhatWasExpected(string text, string message)
    {
        QuerySyntaxException error = Assert.Throws<QuerySyntaxException>(() => QueryParser.ParseExpression(text));
        Assert.Equal(message, error.Message);
        Assert.Equal(QueryErrorKind.Syntax, error.Kind);
    }

    [Theory]
    [InlineData("rate(x)", "rate applies to a selector and cannot stand inside another function (position 1)")]
    [InlineData("sum(x)", "An aggregation such as sum goes around at most one function of a selector; it cannot stand here (position 1)")]
    [InlineData("x[5m]", "Found \"[\" where the end was expected (position 2)")]
    public void ParseSelector_ExpressionInstead_IsRefused(string text, string message) =>
        Assert.Equal(message, Assert.Throws<QuerySyntaxException>(() => Selector.Parse(text)).Message);

    [Fact]
    public void Caret_Mistake_PointsAtIt()
    {
        QuerySyntaxException error = Assert.Throws<QuerySyntaxException>(() => QueryParser.ParseExpression("sum by (node)\n(reta(x))"));
        Assert.Equal("sum by (node) (reta(x))\n               ^", error.Caret());
    }

    [Fact]
    public void ParseExpression_HugeText_IsRefusedByItsLength() =>
        Assert.Equal(
            "The text is longer than 16384 characters (position 16385)",
            Assert.Throws<QuerySyntaxException>(() => QueryParser.ParseExpression(new string('x', 16_385))).Message);

    [Theory]
    [MemberData(nameof(Seeds.Many), MemberType = typeof(Seeds))]
    public void ParseExpression_AnyGarbage_ThrowsNothingButSyntaxErrors(int seed)
    {
        Random random = new(seed);
        string[] pieces = ["sum", "rate", "x", "(", ")", "{", "}", "[", "]", "5m", "0.5", ",", "=", "=~", "\"a\"", "\"(\"", "by", " ", "\\", "'", "\0", "é"];
        for (int i = 0; i < 500; i++)
        {
            string text = string.Concat(Enumerable.Range(0, random.Next(1, 12)).Select(_ => pieces[random.Next(pieces.Length)]));
            try
            {
                QueryParser.ParseExpression(text);
            }
            catch (QuerySyntaxException e)
            {
                Assert.InRange(e.Position, 0, text.Length);
            }
        }
    }
}
