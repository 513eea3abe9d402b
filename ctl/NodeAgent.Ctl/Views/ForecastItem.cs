using System.Globalization;
using NodeAgent.Ctl.Output;
using NodeAgent.Ctl.Plot;
using NodeAgent.Ctl.Text;
using NodeAgent.V1;

namespace NodeAgent.Ctl.Views;

/// <summary>One series' future. Times are milliseconds from now; null: not within sight, or not known.</summary>
internal sealed record ForecastItem(
    string? Resource, string? Metric, IReadOnlyDictionary<string, string> Labels, string Unit, double? Last, double? Limit, double? PerDay, double? CrossesInMs, double? FromMs, double? ToMs,
    long PastStartUnixMs, ulong StepMs, IReadOnlyList<double?> Past, IReadOnlyList<double?> Low, IReadOnlyList<double?> Middle, IReadOnlyList<double?> High, ulong AheadStepMs, string? Problem)
{
    public static ForecastItem From(SeriesForecast forecast, double? limit, string? resource = null) => new(
        resource, forecast.Metric.Length > 0 ? forecast.Metric : null, LabelText.Map(forecast.Labels), forecast.Unit, Raw.Finite(forecast.Last), limit, Raw.Finite(forecast.PerDay),
        forecast.HasCrossesInMs ? Raw.Finite(forecast.CrossesInMs) : null, forecast.HasFromMs ? Raw.Finite(forecast.FromMs) : null, forecast.HasToMs ? Raw.Finite(forecast.ToMs) : null,
        forecast.PastStartUnixMs, forecast.StepMs, Finite(forecast.Past), Finite(forecast.Low), Finite(forecast.Middle), Finite(forecast.High), forecast.AheadStepMs, forecast.Problem.Length > 0 ? forecast.Problem : null);

    public string Name => Resource ?? LabelText.Series(Metric, Labels);

    private static double?[] Finite(IEnumerable<double> values) => [.. values.Select(Raw.Finite)];
}

internal static class ForecastListing
{
    private const int PlotRows = 10;
    private const int MostAhead = 10_000; // a year of hours fits

    public static readonly Listing<ForecastItem> List = new(
        "ForecastList",
        [
            new("SERIES", "series", item => item.Name, item => item.Name) { ShrinkTo = 20 },
            new("NOW", "last", item => Human.Value(item.Last ?? double.NaN, item.Unit), item => Raw.Number(item.Last)) { RightAligned = true },
            new("LIMIT", "limit", item => item.Limit is { } limit ? Human.Value(limit, item.Unit) : Cell.None, item => Raw.Number(item.Limit)) { RightAligned = true },
            new("A DAY", "perDay", item => Human.Value(item.PerDay ?? double.NaN, item.Unit), item => Raw.Number(item.PerDay)) { RightAligned = true },
            new("CROSSES IN", "crossesInMs", Crosses, item => Raw.Number(item.CrossesInMs)) { RightAligned = true },
            new("FROM..TO", "fromMs", Range, item => Raw.Number(item.FromMs)),
            new("TO", "toMs", _ => "", item => Raw.Number(item.ToMs)) { WideOnly = true },
            new("NOTE", "problem", item => item.Problem ?? "", item => item.Problem ?? "") { ShrinkTo = 12, DropOrder = 1 },
        ],
        CtlJson.Default.ForecastItem,
        "no series match");

    public static StyledLines Plot(ForecastItem item, long nowUnixMs, int width)
    {
        // The forecast's steps are wider than the past's: both are drawn on the past's grid.
        double[] past = [.. item.Past.Select(value => value ?? double.NaN)];
        long step = Math.Max((long)item.StepMs, 1);
        double known = item.Middle.Count * (double)item.AheadStepMs;
        int ahead = (int)Math.Min((item.CrossesInMs is { } crossing ? Math.Min(crossing * 1.3, known) : known / 2) / step, MostAhead);
        double[] low = [.. past.Select(_ => double.NaN), .. Enumerable.Range(1, ahead).Select(at => At(item.Low, at * step, item.AheadStepMs))];
        double[] high = [.. past.Select(_ => double.NaN), .. Enumerable.Range(1, ahead).Select(at => At(item.High, at * step, item.AheadStepMs))];
        string title = $"{item.Name}: {(item.CrossesInMs is null ? "no crossing in sight" : $"crosses in {Crosses(item).Text} ({Range(item).Text})")}";
        return BandPlot.Render(new BandPicture(title, item.Unit, item.PastStartUnixMs, step, past, low, high, nowUnixMs, "now", item.Limit), width == int.MaxValue ? 100 : width, PlotRows);
    }

    private static double At(IReadOnlyList<double?> values, long aheadMs, ulong stepMs) => values[(int)Math.Clamp((aheadMs / (double)stepMs) - 0.5, 0, values.Count - 1)] ?? double.NaN;

    private static Cell Crosses(ForecastItem item) => item.CrossesInMs is { } time ? new Cell(Short(time), time < 86_400_000 ? Tone.Bad : Tone.Warn) : Cell.None;

    private static Cell Range(ForecastItem item) => item.FromMs is { } from ? $"{Short(from)}..{(item.ToMs is { } to ? Short(to) : "never")}" : Cell.None;

    private static string Short(double milliseconds) => milliseconds > 3_153_600_000_000 ? "years" : DurationText.Short(TimeSpan.FromMilliseconds(milliseconds));
}
