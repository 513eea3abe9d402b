namespace NodeAgent.Ctl.Output;

/// <summary>
/// Prints items as they come. Columns cannot know their rows in advance: they start with <see cref="Column{T}.StreamWidth"/>
/// and only ever grow, so that lines stay aligned from one to the next.
/// </summary>
internal sealed class StreamPrinter<T>(Printer printer, TextWriter output, Listing<T> listing)
{
    private readonly List<Column<T>> _columns = Visible(printer, listing);
    private int[]? _widths;

    public void Item(T item)
    {
        switch (printer.Format)
        {
            case OutputFormat.Json or OutputFormat.Jsonl:
                output.Write(JsonText.Line(item, listing.Json));
                break;
            case OutputFormat.Csv:
                if (_widths is null) output.Write(CsvText.Header(listing.Columns));
                _widths ??= [];
                output.Write(CsvText.Row(listing.Columns, item));
                break;
            default:
                Row(item);
                break;
        }

        output.Flush();
    }

    private void Row(T item)
    {
        StyledLines lines = new();
        if (_widths is null)
        {
            _widths = [.. _columns.Select(column => Math.Max(column.StreamWidth, TextCells.Width(column.Header)))];
            lines.AddLine(Place(index => new Cell(_columns[index].Header, Tone.Header)));
        }

        Cell[] cells = [.. _columns.Select(column => TableView.Clean(column.Human(item)))];
        for (int index = 0; index < cells.Length - 1; index++) _widths[index] = Math.Max(_widths[index], TextCells.Width(cells[index].Text));
        _widths[^1] = LastWidth(cells[^1]);
        lines.AddLine(Place(index => cells[index]));
        printer.Lines(lines);
    }

    // The last column takes the rest of the line; it is cut only where a terminal would wrap it.
    private int LastWidth(Cell cell)
    {
        int natural = TextCells.Width(cell.Text);
        if (printer.Width == int.MaxValue) return natural;
        int before = _widths!.AsSpan(0, _widths!.Length - 1).ToArray().Sum() + (TableLayout.Gap * (_widths!.Length - 1));
        return Math.Min(natural, Math.Max(8, printer.Width - before));
    }

    private List<Spectre.Console.Rendering.Segment> Place(Func<int, Cell> cellAt) =>
        TableView.Line(_columns, [.. _widths!.Select((width, index) => new TableLayout.Placed(index, width))], cellAt);

    private static List<Column<T>> Visible(Printer printer, Listing<T> listing)
    {
        bool wide = printer.Format == OutputFormat.Wide;
        IEnumerable<Column<T>> columns = listing.Columns.Where(column => wide ? !column.TableOnly : !column.WideOnly);
        return [.. wide ? columns.Select(column => column with { Human = item => column.Raw(item) is { Length: > 0 } raw ? raw : Cell.None }) : columns];
    }
}
