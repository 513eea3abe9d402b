using NodeAgent.Ctl.Output;
using NodeAgent.Ctl.Text;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace NodeAgent.Ctl.Plot;

/// <summary>What a <see cref="BandPlot"/> shows of one series.</summary>
/// <param name="Title">Above the plot.</param>
/// <param name="Unit">Of the values.</param>
/// <param name="StartUnixMs">Moment of the first point.</param>
/// <param name="StepMs">Distance of two points.</param>
/// <param name="Seen">The values; NaN where there is none.</param>
/// <param name="Low">Lower edge of what is expected at each point; NaN where nothing is.</param>
/// <param name="High">Upper edge.</param>
/// <param name="MarkUnixMs">A moment to mark; 0: none.</param>
/// <param name="MarkText">What the mark is, for the legend.</param>
/// <param name="Line">A limit to draw across; null: none.</param>
internal sealed record BandPicture(
    string Title, string Unit, long StartUnixMs, long StepMs, IReadOnlyList<double> Seen, IReadOnlyList<double> Low, IReadOnlyList<double> High,
    long MarkUnixMs, string MarkText, double? Line);

/// <summary>A line of what was seen inside the band of what was expected, with a mark: what a person wants to see before believing an incident.</summary>
internal static class BandPlot
{
    private const int SeenOwner = 0, BandOwner = 1, MarkOwner = 2, LineOwner = 3;
    private const int MostPoints = 100_000;

    private static readonly Color[] Palette = [Color.Teal, Color.Grey, Color.Maroon, Color.Olive];

    /// <param name="picture">What.</param>
    /// <param name="width">Terminal columns.</param>
    /// <param name="rows">Lines of the plot itself.</param>
    public static StyledLines Render(BandPicture picture, int width, int rows)
    {
        StyledLines lines = new();
        lines.Add(new Cell(TextCells.Cut(Printable.Of(picture.Title), width), Tone.Strong));
        double[] all = [.. picture.Seen.Concat(picture.Low).Concat(picture.High).Append(picture.Line ?? double.NaN).Where(double.IsFinite)];
        int points = Math.Min(Math.Max(picture.Seen.Count, picture.Low.Count), MostPoints);
        if (all.Length == 0 || points == 0)
        {
            lines.Add(new Cell("no samples are stored of this time", Tone.Dim));
            return lines;
        }

        Axis axis = Axis.Around(all.Min(), all.Max(), Math.Clamp(rows / 3, 2, 6), picture.Unit.StartsWith("bytes", StringComparison.Ordinal));
        List<(int Row, string Text)> marks = [.. axis.Marks().Select(mark => (axis.Row(mark, rows * 4) / 4, Human.Value(mark, picture.Unit)))];
        int gutter = marks.Max(mark => TextCells.Width(mark.Text)) + 1;
        int columns = Math.Max(20, width - gutter - 1);
        BrailleCanvas canvas = Draw(picture, axis, columns, rows, points);
        for (int row = 0; row < rows; row++)
        {
            string mark = marks.LastOrDefault(candidate => candidate.Row == row).Text ?? "";
            List<Segment> segments = [new(new string(' ', gutter - 1 - TextCells.Width(mark)) + mark + " " + (mark.Length > 0 ? "┤" : "│"), Styles.Of(Tone.Dim))];
            for (int column = 0; column < columns; column++)
            {
                char character = canvas.CharacterAt(column, row);
                segments.Add(character == ' ' ? new Segment(" ") : new Segment(character.ToString(), new Style(Palette[canvas.OwnerAt(column, row)])));
            }

            lines.AddLine(segments);
        }

        lines.Add(TimeAxis(picture, points, gutter, columns));
        Legend(lines, picture, gutter);
        return lines;
    }

    private static BrailleCanvas Draw(BandPicture picture, Axis axis, int columns, int rows, int points)
    {
        BrailleCanvas canvas = new(columns, rows);
        int X(double at) => points == 1 ? 0 : (int)Math.Round(at / (points - 1) * (canvas.DotWidth - 1));
        for (int x = 0; x < canvas.DotWidth; x++)
        {
            int at = canvas.DotWidth == 1 ? 0 : (int)Math.Round((double)x / (canvas.DotWidth - 1) * (points - 1));
            if (at < picture.Low.Count && at < picture.High.Count && double.IsFinite(picture.Low[at]) && double.IsFinite(picture.High[at]))
            {
                Band(canvas, x, axis.Row(picture.High[at], canvas.DotHeight), axis.Row(picture.Low[at], canvas.DotHeight));
            }
        }

        if (picture.Line is { } limit)
        {
            for (int x = 0; x < canvas.DotWidth; x += 3) canvas.Dot(x, axis.Row(limit, canvas.DotHeight), LineOwner);
        }

        double markAt = (picture.MarkUnixMs - picture.StartUnixMs) / (double)Math.Max(picture.StepMs, 1);
        if (picture.MarkUnixMs > 0 && markAt >= 0 && markAt <= points - 1)
        {
            for (int y = 0; y < canvas.DotHeight; y += 2) canvas.Dot(X(markAt), y, MarkOwner);
        }

        (int X, int Y)? last = null;
        for (int at = 0; at < Math.Min(picture.Seen.Count, points); at++)
        {
            // A hole stays a hole: a line across it would claim values that nobody measured.
            if (!double.IsFinite(picture.Seen[at])) last = null;
            else
            {
                (int x, int y) = (X(at), axis.Row(picture.Seen[at], canvas.DotHeight));
                (int fromX, int fromY) = last ?? (x, y);
                canvas.Line(fromX, fromY, x, y, SeenOwner);
                last = (x, y);
            }
        }

        return canvas;
    }

    // Every fourth dot: a filled band would hide the line in it.
    private static void Band(BrailleCanvas canvas, int x, int top, int bottom)
    {
        for (int y = top; y <= bottom; y++)
        {
            if (y == top || y == bottom || ((x + y) % 4 == 0 && x % 2 == 0)) canvas.Dot(x, y, BandOwner);
        }
    }

    private static Cell TimeAxis(BandPicture picture, int points, int gutter, int columns)
    {
        long end = picture.StartUnixMs + ((points - 1) * picture.StepMs);
        Func<long, string> write = end - picture.StartUnixMs > 86_400_000 ? MomentText.DateAndClock : static moment => MomentText.Clock(moment);
        string left = write(picture.StartUnixMs);
        string right = write(end) + " UTC";
        return new Cell(new string(' ', gutter) + "└" + left + new string(' ', Math.Max(1, columns - left.Length - right.Length)) + right, Tone.Dim);
    }

    private static void Legend(StyledLines lines, BandPicture picture, int gutter)
    {
        List<Segment> legend = [new(new string(' ', gutter + 1)), new("━━", new Style(Palette[SeenOwner])), new(" seen", Styles.Of(Tone.Dim))];
        if (picture.Low.Any(double.IsFinite)) legend.AddRange([new("  ⣿⣿", new Style(Palette[BandOwner])), new(" expected, nine times of ten", Styles.Of(Tone.Dim))]);
        if (picture.MarkUnixMs > 0) legend.AddRange([new("  ⡇", new Style(Palette[MarkOwner])), new(" " + Printable.Of(picture.MarkText), Styles.Of(Tone.Dim))]);
        if (picture.Line is { } limit) legend.AddRange([new("  ┅", new Style(Palette[LineOwner])), new($" limit {Human.Value(limit, picture.Unit)}", Styles.Of(Tone.Dim))]);
        lines.AddLine(legend);
    }
}
