using NodeAgent.Ctl.Text;
using Spectre.Console.Rendering;

namespace NodeAgent.Ctl.Output;

/// <summary>A table without lines: one header, one row an item, columns two blanks apart, no row ever wrapped.</summary>
internal static class TableView
{
    /// <param name="wide">Raw values in all columns instead of human ones in the main columns.</param>
    /// <param name="width">Cells available; <see cref="int.MaxValue"/>: as wide as it gets.</param>
    public static StyledLines Render<T>(IReadOnlyList<Column<T>> all, IReadOnlyList<T> items, bool wide, int width)
    {
        List<Column<T>> columns = [.. all.Where(column => wide ? !column.TableOnly : !column.WideOnly)];
        if (wide) columns = [.. columns.Select(column => column with { Human = item => column.Raw(item) is { Length: > 0 } raw ? raw : Cell.None, Fill = null })];

        Cell[][] rows = [.. items.Select(item => columns.Select(column => column.Fill is null ? Clean(column.Human(item)) : default).ToArray())];
        int[] natural = [.. columns.Select((column, index) =>
            rows.Aggregate(TextCells.Width(column.Header), (widest, row) => Math.Max(widest, TextCells.Width(row[index].Text ?? ""))))];
        IReadOnlyList<TableLayout.Placed> layout = TableLayout.Fit(columns, natural, wide ? int.MaxValue : width);

        StyledLines lines = new();
        lines.AddLine(Line(columns, layout, index => new Cell(columns[index].Header, columns[index].Sorted ? Tone.Sorted : Tone.Header)));
        for (int row = 0; row < rows.Length; row++)
        {
            T item = items[row];
            Cell[] cells = rows[row];
            lines.AddLine(Line(columns, layout, index => cells[index], (index, cellWidth) => Clean(columns[index].Fill!(item, cellWidth))));
        }

        return lines;
    }

    internal static Cell Clean(Cell cell) => cell with { Text = Printable.Of(cell.Text) };

    internal static List<Segment> Line<T>(
        IReadOnlyList<Column<T>> columns, IReadOnlyList<TableLayout.Placed> layout, Func<int, Cell> cellAt, Func<int, int, Cell>? fillAt = null)
    {
        List<Segment> line = new(layout.Count * 3);
        for (int place = 0; place < layout.Count; place++)
        {
            (int index, int width) = layout[place];
            Column<T> column = columns[index];
            Cell cell = column.Fill is not null && fillAt is not null ? fillAt(index, width) : cellAt(index);
            string text = TextCells.Cut(cell.Text, width);
            string padding = new(' ', Math.Max(0, width - TextCells.Width(text)));
            bool last = place == layout.Count - 1;

            if (column.RightAligned && padding.Length > 0) line.Add(new Segment(padding));
            line.Add(new Segment(text, Styles.Of(cell.Tone)));
            string after = (column.RightAligned ? "" : padding) + (last ? "" : new string(' ', TableLayout.Gap));
            if (!last && after.Length > 0) line.Add(new Segment(after));
        }

        return line;
    }
}
