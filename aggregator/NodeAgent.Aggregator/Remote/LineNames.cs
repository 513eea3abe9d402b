using NodeAgent.Aggregator.Sinks;
using NodeAgent.Tsdb;
using NodeAgent.Tsdb.Query;

namespace NodeAgent.Aggregator.Remote;

/// <summary>
/// Metrics as the sink wrote them: a metric of one word is <c>word_value</c> in VictoriaMetrics, all others keep their name.
/// </summary>
internal static class LineNames
{
    private const string OnlyEnd = "_" + LineLayout.OnlyField;

    internal static string MetricOf(string name) =>
        name.EndsWith(OnlyEnd, StringComparison.Ordinal) && !name[..^OnlyEnd.Length].Contains('_', StringComparison.Ordinal) ? name[..^OnlyEnd.Length] : name;

    /// <summary>A selector that finds the engine's names. Patterns on the name are not rewritten: they find metrics of several words.</summary>
    internal static Selector ToEngine(Selector selector) =>
        selector.Metric is { } metric && !metric.Contains('_', StringComparison.Ordinal)
            ? new Selector([.. selector.Matchers.Select(matcher => matcher.Name == SeriesInfo.NameLabel && matcher.Operator == MatchOperator.Equal
                ? new LabelMatcher(SeriesInfo.NameLabel, MatchOperator.Equal, metric + OnlyEnd)
                : matcher)])
            : selector;
}
