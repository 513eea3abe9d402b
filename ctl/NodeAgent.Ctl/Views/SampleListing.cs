using NodeAgent.Ctl.Output;
using NodeAgent.Ctl.Text;

namespace NodeAgent.Ctl.Views;

/// <summary>One live sample of <c>nodectl watch</c>.</summary>
internal sealed record SampleItem(string? Time, long UnixMs, string Metric, IReadOnlyDictionary<string, string> Labels, double? Value, string Unit);

/// <summary>Columns of <c>nodectl watch</c>; the series comes last because it is the one without a bound.</summary>
internal static class SampleListing
{
    public static readonly Listing<SampleItem> Samples = new(
        "SampleList",
        [
            new("TIME (UTC)", "time", sample => MomentText.Clock(sample.UnixMs, milliseconds: true), sample => sample.Time ?? "") { StreamWidth = 12 },
            new("UNIX MS", "unixMs", sample => "", sample => Raw.Whole(sample.UnixMs)) { WideOnly = true, StreamWidth = 13 },
            new("VALUE", "value", Value, sample => Raw.Number(sample.Value)) { RightAligned = true, StreamWidth = 10 },
            new("UNIT", "unit", sample => sample.Unit, sample => sample.Unit) { WideOnly = true },
            new("SERIES", "metric", sample => LabelText.Series(sample.Metric, sample.Labels), sample => sample.Metric),
            new("LABELS", "labels", sample => "", sample => LabelText.Braces(sample.Labels)) { WideOnly = true },
        ],
        CtlJson.Default.SampleItem,
        "no samples");

    private static Cell Value(SampleItem sample) =>
        sample.Value is { } value ? new Cell(Human.Value(value, sample.Unit, sample.Metric), Tone.Strong) : Cell.None;
}
