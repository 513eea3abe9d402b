namespace NodeAgent.Ctl.Output;

/// <summary>
/// Prints items as they come. Columns cannot know their rows in advance: they start with <see cref="Column{T}.StreamWidth"/>
/// and only ever grow, so that lines stay aligned from one to the next.
/// </summary>
internal sealed class StreamPrinter<T>(Printer printer, TextWriter output, Listing<T> listing)
{
    // Room for a word or two.
    private const int LeastLastWidth = 10;

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
        for (int index = 0; index < cells.Length - 1; index++) Grow(index, TextCells.Width(cells[index].Text));
        _widths[^1] = Math.Min(TextCells.Width(cells[^1].Text), Rest());
        lines.AddLine(Place(index => cells[index]));
        printer.Lines(lines);
    }

    // As far as the last column keeps its minimum; beyond that the text is cut, because a wrapped line is worse.
    private void Grow(int index, int wanted)
    {
        int room = Rest() - LeastLastWidth;
        if (wanted > _widths![index] && room > 0) _widths[index] = Math.Min(wanted, printer.Width == int.MaxValue ? wanted : _widths[index] + room);
    }

    // What the columns before it leave to the last one.
    private int Rest()
    {
        if (printer.Width == int.MaxValue) return int.MaxValue;
        int before = 0;
        for (int index = 0; index < _widths!.Length - 1; index++) before += _widths[index] + TableLayout.Gap;
        return Math.Max(LeastLastWidth, printer.Width - before);
    }

    private List<Spectre.Console.Rendering.Segment> Place(Func<int, Cell> cellAt) =>
        TableView.Line(_columns, [.. _widths!.Select((width, index) => new TableLayout.Placed(index, width))], cellAt);

    private static List<Column<T>> Visible(Printer printer, Listing<T> listing)
    {
        bool wide = printer.Format == OutputFormat.Wide;
        List<Column<T>> columns = [.. listing.Columns.Where(column => wide ? !column.TableOnly : !column.WideOnly)];
        if (wide) return [.. columns.Select(column => column with { Human = item => column.Raw(item) is { Length: > 0 } raw ? raw : Cell.None })];

        int[] starts = [.. columns.Select(column => Math.Max(column.StreamWidth, TextCells.Width(column.Header)))];
        starts[^1] = LeastLastWidth;
        return [.. TableLayout.Fit([.. columns.Select(column => column with { ShrinkTo = 0 })], starts, printer.Width).Select(placed => columns[placed.Index])];
    }
}
