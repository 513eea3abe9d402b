using NodeAgent.Ctl.Output;
using NodeAgent.Ctl.Plot;
using NodeAgent.Ctl.Text;

namespace NodeAgent.Ctl.Top;

/// <summary>Draws the live view into a rectangle. Pure: the same model gives the same lines.</summary>
internal static class TopScreen
{
    // Title, totals, blank line, header above; keys below.
    private const int FrameRows = 5;

    /// <summary>Rows of nodes that fit.</summary>
    public static int Page(int height) => Math.Max(1, height - FrameRows);

    public static StyledLines Render(TopModel model, int width, int height)
    {
        StyledLines lines = new();
        IReadOnlyList<TopItem> items = model.Snapshot?.Items ?? [];
        lines.Add(Title(model, items, width));
        lines.Add(Totals(items, width));
        lines.Add();

        int page = Page(height);
        if (model.Snapshot is null) lines.Add(new Cell(model.Problem is null ? "waiting for the first answer" : "", Tone.Dim));
        else if (items.Count == 0) lines.Add(new Cell("no nodes", Tone.Dim));
        else
        {
            IReadOnlyList<TopItem> ordered = TopOrder.By(items, model.Sort, model.Reversed);
            int first = Math.Min(model.Scroll, Math.Max(0, ordered.Count - page));
            // All rows are laid out, so that columns keep their width while one scrolls; only the visible ones are kept.
            StyledLines table = TableView.Render(TopListing.For(model.Sort, model.History).Columns, ordered, wide: false, width);
            lines.Append(table.Slice(0, 1));
            lines.Append(table.Slice(1 + first, page));
        }

        lines.Cut(height - 1);
        while (lines.Count < height - 1) lines.Add();
        lines.Add(Keys(model, items.Count, page, width));
        return lines;
    }

    private static Cell[] Title(TopModel model, IReadOnlyList<TopItem> items, int width)
    {
        string states = items.Count == 0 ? "" : $"  {items.Count} {(items.Count == 1 ? "node" : "nodes")}: " + string.Join(", ", items.CountBy(item => item.State).OrderBy(state => state.Key == "live" ? 0 : 1).Select(state => $"{state.Value} {state.Key}"));
        string moment = model.Snapshot is { } snapshot ? $"  {MomentText.Clock(snapshot.AtUnixMs)} UTC" : "";
        string left = $"nodectl top  {model.Server}";
        string rest = $"{states}{moment}  every {DurationText.Exact(model.Interval)}";
        Cell mode = model.Problem is { } problem ? new Cell($"  NOT REFRESHED: {problem}", Tone.Bad) : model.Paused ? new Cell("  PAUSED", Tone.Warn) : new Cell("");
        if (model.Problem is not null) rest = moment;
        string cut = TextCells.Cut(rest, Math.Max(0, width - left.Length));
        return [new Cell(TextCells.Cut(left, width), Tone.Strong), cut, mode with { Text = TextCells.Cut(Printable.Of(mode.Text), Math.Max(0, width - left.Length - cut.Length)) }];
    }

    private static Cell[] Totals(IReadOnlyList<TopItem> items, int width)
    {
        List<double> shares = [.. items.Select(item => item.CpuRatio).OfType<double>()];
        if (shares.Count == 0) return [""];
        double cpu = shares.Average();
        double used = items.Sum(item => item.MemoryUsedBytes ?? 0);
        double total = items.Sum(item => item.MemoryTotalBytes ?? 0);
        double memory = total > 0 ? used / total : 0;
        string network = $"  net {Human.Bytes(items.Sum(item => item.ReceiveBytesPerSecond ?? 0))}/s in, {Human.Bytes(items.Sum(item => item.TransmitBytesPerSecond ?? 0))}/s out";
        string left = $"cpu {Human.Percent(cpu)} ";
        string middle = $"  memory {Human.Percent(memory)} of {Human.Bytes(total)} ";
        int spare = width - left.Length - middle.Length - network.Length;
        if (spare < 12) network = "";
        int bar = Math.Clamp((width - left.Length - middle.Length - network.Length) / 2, 0, 20);
        return [left, new Cell(Bar.Render(cpu, bar), Tone.Accent), middle, new Cell(Bar.Render(memory, bar), Tone.Accent), network];
    }

    private static Cell Keys(TopModel model, int rows, int page, int width)
    {
        string more = rows > page ? $"   rows {model.Scroll + 1}-{Math.Min(rows, model.Scroll + page)} of {rows}" : "";
        string order = $"sort {model.Sort.ToString().ToLowerInvariant()}{(model.Reversed ? " reversed" : "")}";
        return new Cell(TextCells.Cut($"q quit   ←→ {order}   r reverse   space {(model.Paused ? "go on" : "pause")}   ↑↓ scroll{more}", width), Tone.Dim);
    }
}
