using System.Text;

namespace NodeAgent.Tsdb.Query;

/// <summary>Which series: all conditions hold. Immutable.</summary>
public sealed class Selector
{
    /// <summary>Every series; there is no text for it, so that nobody asks for a whole fleet by accident.</summary>
    public static Selector All { get; } = new([]);

    public Selector(IReadOnlyList<LabelMatcher> matchers) => Matchers = [.. matchers];

    /// <summary>The conditions; one on <c>__name__</c> is a condition on the metric.</summary>
    public IReadOnlyList<LabelMatcher> Matchers { get; }

    /// <summary>The metric that every match has, where the selector fixes one; else null.</summary>
    public string? Metric => Matchers.FirstOrDefault(matcher => matcher.Name == SeriesInfo.NameLabel && matcher.Operator == MatchOperator.Equal)?.Value;

    /// <summary>Parses <c>name{label="x",other!="y",re=~"a|b",not!~"c.*"}</c>.</summary>
    /// <exception cref="QuerySyntaxException">The text is not a selector; the message says where and why.</exception>
    public static Selector Parse(string text) => QueryParser.ParseSelector(text);

    public bool Matches(SeriesInfo series)
    {
        foreach (LabelMatcher matcher in Matchers)
        {
            if (!matcher.Matches(series.LabelValue(matcher.Name)))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Canonical text; parses back to the same selector, except for <see cref="All"/>, which is <c>{}</c>.</summary>
    public override string ToString()
    {
        string? metric = Metric;
        StringBuilder text = new(QueryText.IsMetricName(metric) ? metric : "");
        bool named = text.Length > 0;
        bool open = false;
        foreach (LabelMatcher matcher in Matchers)
        {
            if (named && matcher.Name == SeriesInfo.NameLabel && matcher.Operator == MatchOperator.Equal && matcher.Value == metric)
            {
                continue;
            }

            text.Append(open ? ',' : '{').Append(matcher);
            open = true;
        }

        return (open ? text.Append('}') : named ? text : text.Append("{}")).ToString();
    }
}
