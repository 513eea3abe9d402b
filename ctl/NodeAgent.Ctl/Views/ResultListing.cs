using NodeAgent.Ctl.Output;
using NodeAgent.Ctl.Text;
using NodeAgent.V1;

namespace NodeAgent.Ctl.Views;

/// <summary>One result of an instant query.</summary>
internal sealed record ResultItem(
    string? Metric,
    IReadOnlyDictionary<string, string> Labels,
    double? Value,
    string Unit,
    string? Sample,
    long? SampleUnixMs)
{
    public static ResultItem From(QueryResult result) => new(
        result.Metric.Length == 0 ? null : result.Metric,
        LabelText.Map(result.Labels),
        Raw.Finite(result.Value),
        result.Unit,
        MomentText.Rfc3339(result.SampleUnixMs),
        NodeItem.OrNull(result.SampleUnixMs));
}

/// <summary>Columns of <c>nodectl query</c> for one moment: a column for every label, as long as they are few.</summary>
internal static class ResultListing
{
    // More than this and the table turns into a sheet: one column with the series' text reads better.
    private const int MaxLabelColumns = 6;

    public static Listing<ResultItem> For(IReadOnlyList<ResultItem> items, long atUnixMs) => new(
        "ResultList",
        [
            .. SeriesColumns(items, item => item.Metric, item => item.Labels),
            new Column<ResultItem>("VALUE", "value", item => item.Value is { } value ? new Cell(Human.Value(value, item.Unit, item.Metric), Tone.Strong) : Cell.None,
                item => Raw.Number(item.Value)) { RightAligned = true },
            new Column<ResultItem>("UNIT", "unit", item => NodeListing.OrNone(item.Unit), item => item.Unit) { WideOnly = true },
            new Column<ResultItem>("AGE", "sample", item => item.SampleUnixMs is { } sample ? Human.Age(atUnixMs - sample) : Cell.None, item => item.Sample ?? "")
                { RightAligned = true, DropOrder = 8 },
            new Column<ResultItem>("SAMPLE MS", "sampleUnixMs", item => "", item => Raw.Moment(item.SampleUnixMs)) { WideOnly = true },
        ],
        CtlJson.Default.ResultItem,
        "no result");

    /// <summary>
    /// The columns that name a series: metric (when there is one) and labels for programs; for people a column for each label
    /// name, <c>node</c> first, or one column with the selector when there are many names.
    /// </summary>
    internal static IEnumerable<Column<T>> SeriesColumns<T>(
        IReadOnlyList<T> items, Func<T, string?> metric, Func<T, IReadOnlyDictionary<string, string>> labels)
    {
        List<string> names = [.. items.SelectMany(item => labels(item).Keys).Distinct(StringComparer.Ordinal)
            .OrderBy(name => name != "node").ThenBy(name => name, StringComparer.Ordinal)];
        bool hasMetric = items.Any(item => metric(item) is not null);
        bool apart = names.Count is > 0 and <= MaxLabelColumns;

        yield return new("METRIC", "metric", item => metric(item) is { } name ? name : Cell.None, item => metric(item) ?? "")
            { ShrinkTo = 16, DropOrder = 7, WideOnly = !hasMetric || !apart };
        yield return new("LABELS", "labels", item => "", item => LabelText.Braces(labels(item))) { WideOnly = true };
        if (!apart)
        {
            yield return new("SERIES", "series", item => LabelText.Series(metric(item), labels(item)), item => "") { ShrinkTo = 24, TableOnly = true };
            yield break;
        }

        foreach (string name in names)
        {
            yield return new(name.ToUpperInvariant(), name, item => labels(item).TryGetValue(name, out string? value) ? NodeListing.OrNone(value) : Cell.None, item => "")
                { ShrinkTo = 8, TableOnly = true };
        }
    }
}
