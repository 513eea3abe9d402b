using NodeAgent.Ctl.Output;
using NodeAgent.Ctl.Plot;
using NodeAgent.Ctl.Text;
using NodeAgent.V1;

namespace NodeAgent.Ctl.Views;

/// <summary>One series of a range query: values at <c>startUnixMs + i * stepMs</c>; null where there is none.</summary>
internal sealed record RangeItem(
    string? Metric,
    IReadOnlyDictionary<string, string> Labels,
    string Unit,
    string? Start,
    long StartUnixMs,
    ulong StepMs,
    IReadOnlyList<double?> Values)
{
    public static RangeItem From(RangeResponse range) => new(
        range.Metric.Length == 0 ? null : range.Metric,
        LabelText.Map(range.Labels),
        range.Unit,
        MomentText.Rfc3339(range.StartUnixMs),
        range.StartUnixMs,
        range.StepMs,
        [.. range.Values.Select(Raw.Finite)]);

    /// <summary>The present values; empty: none at any step.</summary>
    public IEnumerable<double> Present() => Values.Where(value => value is not null).Select(value => value!.Value);
}

/// <summary>One value of a range for CSV and wide, where a row is a point.</summary>
internal sealed record PointItem(string? Metric, IReadOnlyDictionary<string, string> Labels, string Unit, long UnixMs, double? Value)
{
    public static IEnumerable<PointItem> From(RangeItem range) =>
        range.Values.Select((value, index) => new PointItem(range.Metric, range.Labels, range.Unit, range.StartUnixMs + (index * (long)range.StepMs), value));
}

/// <summary>Columns of <c>nodectl query --range</c>: a sparkline and its minimum, average, maximum and last value.</summary>
internal static class RangeListing
{
    private const int SparklineMin = 16;
    private const int SparklineMax = 120;

    public static Listing<RangeItem> For(IReadOnlyList<RangeItem> items)
    {
        int points = items.Count == 0 ? 0 : items.Max(item => item.Values.Count);
        return new(
            "RangeList",
            [
                .. ResultListing.SeriesColumns(items, item => item.Metric, item => item.Labels),
                new Column<RangeItem>(Extent(items), "values", item => "", item => "")
                {
                    TableOnly = true,
                    Fill = (item, width) => new Cell(Sparkline.Render(item.Values, width), Tone.Accent),
                    FillFrom = Math.Clamp(points, 8, SparklineMin),
                    FillTo = Math.Clamp(points, SparklineMin, SparklineMax),
                },
                Figure("MIN", "min", 3, item => item.Present().Min()),
                Figure("AVG", "avg", 2, item => item.Present().Average()),
                Figure("MAX", "max", 4, item => item.Present().Max()),
                Figure("LAST", "last", 0, item => item.Present().Last()),
            ],
            CtlJson.Default.RangeItem,
            "no result");
    }

    public static readonly Listing<PointItem> Points = new(
        "RangeList",
        [
            new("METRIC", "metric", point => point.Metric ?? "", point => point.Metric ?? ""),
            new("LABELS", "labels", point => "", point => LabelText.Braces(point.Labels)),
            new("TIME", "time", point => "", point => MomentText.Rfc3339(point.UnixMs) ?? ""),
            new("UNIX MS", "unixMs", point => "", point => Raw.Whole(point.UnixMs)) { RightAligned = true },
            new("VALUE", "value", point => "", point => Raw.Number(point.Value)) { RightAligned = true },
            new("UNIT", "unit", point => "", point => point.Unit),
        ],
        CtlJson.Default.PointItem,
        "no result");

    /// <summary>"09:10:00 to 09:20:00" for the sparkline's header; without the end when it would not fit anyway.</summary>
    private static string Extent(IReadOnlyList<RangeItem> items)
    {
        if (items.Count == 0) return "VALUES";
        long start = items.Min(item => item.StartUnixMs);
        long end = items.Max(item => item.StartUnixMs + (Math.Max(0, item.Values.Count - 1) * (long)item.StepMs));
        return $"{MomentText.Clock(start)}-{MomentText.Clock(end)}";
    }

    private static Column<RangeItem> Figure(string header, string name, int dropOrder, Func<RangeItem, double> read) =>
        new(header, name, item => item.Present().Any() ? Human.Value(read(item), item.Unit, item.Metric) : Cell.None, item => "")
        {
            RightAligned = true,
            DropOrder = dropOrder,
            TableOnly = true,
        };
}
