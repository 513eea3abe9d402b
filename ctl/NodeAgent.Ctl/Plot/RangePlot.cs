using NodeAgent.Ctl.Output;
using NodeAgent.Ctl.Text;
using NodeAgent.Ctl.Views;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace NodeAgent.Ctl.Plot;

/// <summary>Lines of a range query in braille dots, with axes and a legend that also gives the last value of each.</summary>
internal static class RangePlot
{
    // More lines than this cannot be told apart by the terminal's colours; the rest is counted in the legend.
    private const int MaxLines = 6;
    private const int MinPlotRows = 5;
    private const int MinPlotColumns = 20;

    private static readonly Color[] Palette = [Color.Teal, Color.Olive, Color.Purple, Color.Green, Color.Maroon, Color.Blue];

    // Without colour the legend needs something else to tell the lines apart: nothing does, so it says so by its order only.
    private const string Marker = "━━";

    /// <param name="height">Terminal lines; the plot leaves one for the prompt.</param>
    public static StyledLines Render(string title, IReadOnlyList<RangeItem> items, int width, int height, bool colour)
    {
        List<RangeItem> drawn = [.. items.Where(item => item.Present().Any()).OrderByDescending(item => item.Present().Last()).Take(MaxLines)];
        StyledLines lines = new();
        lines.Add(new Cell(TextCells.Cut(Printable.Of(title), width), Tone.Strong));
        if (drawn.Count == 0)
        {
            lines.Add(new Cell("no values in this range", Tone.Dim));
            return lines;
        }

        int legendRows = drawn.Count + (items.Count > drawn.Count ? 1 : 0);
        int rows = Math.Clamp(height - legendRows - 4, MinPlotRows, 40);
        double low = drawn.Min(item => item.Present().Min());
        double high = drawn.Max(item => item.Present().Max());
        string unit = drawn[0].Unit;
        Axis axis = Axis.Around(low, high, Math.Clamp(rows / 4, 2, 8), unit.StartsWith("bytes", StringComparison.Ordinal));
        List<(int Row, string Text)> marks = [.. axis.Marks().Select(mark => (axis.Row(mark, rows * 4) / 4, Human.Value(mark, unit)))];
        int gutter = marks.Max(mark => TextCells.Width(mark.Text)) + 1;
        int columns = Math.Max(MinPlotColumns, width - gutter - 1);

        Draw(lines, drawn, axis, marks, gutter, columns, rows);
        lines.Add(TimeAxis(drawn, gutter, columns));
        // The title names the metric already; the labels are what tells the lines apart.
        bool labelsOnly = drawn.All(item => item.Labels.Count > 0 && item.Metric is not null && title.Contains(item.Metric, StringComparison.Ordinal));
        Legend(lines, drawn, items.Count - drawn.Count, width, colour, item => labelsOnly ? LabelText.Braces(item.Labels) : LabelText.Series(item.Metric, item.Labels));
        return lines;
    }

    private static void Draw(StyledLines lines, List<RangeItem> drawn, Axis axis, List<(int Row, string Text)> marks, int gutter, int columns, int rows)
    {
        BrailleCanvas canvas = new(columns, rows);
        (long start, long end) = Extent(drawn);
        // The largest comes first in the legend and is drawn last, so that it lies on top.
        for (int line = drawn.Count - 1; line >= 0; line--) Trace(canvas, drawn[line], line, axis, start, end);

        for (int row = 0; row < rows; row++)
        {
            string mark = marks.LastOrDefault(candidate => candidate.Row == row).Text ?? "";
            string padding = new(' ', gutter - 1 - TextCells.Width(mark));
            List<Segment> segments = [new(padding + mark + " " + (mark.Length > 0 ? "┤" : "│"), Styles.Of(Tone.Dim))];
            for (int column = 0; column < columns; column++)
            {
                char character = canvas.CharacterAt(column, row);
                segments.Add(character == ' ' ? new Segment(" ") : new Segment(character.ToString(), new Style(Palette[canvas.OwnerAt(column, row)])));
            }

            lines.AddLine(segments);
        }
    }

    private static void Trace(BrailleCanvas canvas, RangeItem item, int owner, Axis axis, long start, long end)
    {
        (int X, int Y)? last = null;
        for (int i = 0; i < item.Values.Count; i++)
        {
            if (item.Values[i] is not { } value)
            {
                // A hole stays a hole: a line across it would claim values that nobody measured.
                last = null;
                continue;
            }

            long moment = item.StartUnixMs + (i * (long)item.StepMs);
            int x = end == start ? 0 : (int)Math.Round((moment - start) / (double)(end - start) * (canvas.DotWidth - 1));
            int y = axis.Row(value, canvas.DotHeight);
            (int fromX, int fromY) = last ?? (x, y);
            canvas.Line(fromX, fromY, x, y, owner);
            last = (x, y);
        }
    }

    private static (long Start, long End) Extent(List<RangeItem> items) => (
        items.Min(item => item.StartUnixMs),
        items.Max(item => item.StartUnixMs + ((item.Values.Count - 1) * (long)item.StepMs)));

    private static Cell TimeAxis(List<RangeItem> drawn, int gutter, int columns)
    {
        (long start, long end) = Extent(drawn);
        // Over a day the time of day alone would be ambiguous.
        Func<long, string> write = end - start > 86_400_000 ? MomentText.DateAndClock : static moment => MomentText.Clock(moment);
        string left = write(start);
        string middle = write(start + ((end - start) / 2));
        string right = write(end) + " UTC";
        char[] line = new string(' ', columns).ToCharArray();
        Put(line, 0, left);
        int center = (columns - middle.Length) / 2;
        if (center > left.Length + 1 && center + middle.Length < columns - right.Length - 1) Put(line, center, middle);
        Put(line, Math.Max(left.Length + 1, columns - right.Length), right);
        return new Cell(new string(' ', gutter) + "└" + new string(line).TrimEnd(), Tone.Dim);
    }

    private static void Put(char[] line, int at, string text)
    {
        for (int i = 0; i < text.Length && at + i < line.Length; i++) line[at + i] = text[i];
    }

    private static void Legend(StyledLines lines, List<RangeItem> drawn, int left, int width, bool colour, Func<RangeItem, string> nameOf)
    {
        for (int i = 0; i < drawn.Count; i++)
        {
            RangeItem item = drawn[i];
            string figures = $"  last {Human.Value(item.Present().Last(), item.Unit)}  min {Human.Value(item.Present().Min(), item.Unit)}  max {Human.Value(item.Present().Max(), item.Unit)}";
            string name = TextCells.Cut(Printable.Of(nameOf(item)), Math.Max(8, width - 3 - figures.Length));
            lines.AddLine([
                new Segment(colour ? Marker : $"{i + 1}.", new Style(Palette[i])),
                new Segment(" " + name),
                new Segment(figures, Styles.Of(Tone.Dim)),
            ]);
        }

        if (left > 0) lines.Add(new Cell($"   and {left} more that are not drawn; narrow the selector", Tone.Dim));
    }
}
