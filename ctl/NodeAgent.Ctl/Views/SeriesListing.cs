using NodeAgent.Ctl.Output;
using NodeAgent.Ctl.Text;
using NodeAgent.V1;

namespace NodeAgent.Ctl.Views;

/// <summary>One series of <c>nodectl series</c>.</summary>
internal sealed record SeriesItem(
    string Metric,
    IReadOnlyDictionary<string, string> Labels,
    string Kind,
    string Unit,
    uint Scale,
    double? LastValue,
    string? Last,
    long? LastUnixMs)
{
    public static SeriesItem From(SeriesEntry entry) => new(
        entry.Metric,
        LabelText.Map(entry.Labels),
        Words.Of(entry.Kind),
        entry.Unit,
        entry.Scale,
        entry.HasLastValue ? Raw.Finite(entry.LastValue) : null,
        MomentText.Rfc3339(entry.LastUnixMs),
        NodeItem.OrNull(entry.LastUnixMs));
}

/// <summary>Columns of <c>nodectl series</c>.</summary>
internal static class SeriesListing
{
    public static Listing<SeriesItem> For(long nowUnixMs) => new(
        "SeriesList",
        [
            new("SERIES", "metric", item => LabelText.Series(item.Metric, item.Labels), item => item.Metric) { ShrinkTo = 30 },
            new("LABELS", "labels", item => "", item => LabelText.Braces(item.Labels)) { WideOnly = true },
            new("KIND", "kind", item => item.Kind, item => item.Kind) { DropOrder = 3 },
            new("UNIT", "unit", item => NodeListing.OrNone(item.Unit), item => item.Unit) { WideOnly = true },
            new("SCALE", "scale", item => "", item => Raw.Whole(item.Scale)) { WideOnly = true },
            new("LAST", "lastValue", item => item.LastValue is { } value ? Human.Value(value, item.Unit, item.Metric) : Cell.None, item => Raw.Number(item.LastValue))
                { RightAligned = true },
            new("AGE", "last", item => item.LastUnixMs is { } last ? Human.Age(nowUnixMs - last) : Cell.None, item => item.Last ?? "")
                { RightAligned = true, DropOrder = 2 },
            new("LAST MS", "lastUnixMs", item => "", item => Raw.Moment(item.LastUnixMs)) { WideOnly = true },
        ],
        CtlJson.Default.SeriesItem,
        "no series match");
}
