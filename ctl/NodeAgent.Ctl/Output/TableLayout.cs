namespace NodeAgent.Ctl.Output;

/// <summary>Decides which columns a table keeps and how wide each one is, so that no row ever wraps.</summary>
internal static class TableLayout
{
    /// <summary>Blanks between columns.</summary>
    public const int Gap = 2;

    /// <param name="Index">Position in the list of columns that was asked for.</param>
    internal readonly record struct Placed(int Index, int Width);

    /// <summary>
    /// First cuts the text columns that allow it, then drops columns by <see cref="Column{T}.DropOrder"/>, then gives what is
    /// left to the columns that draw into any width. A table that still does not fit keeps its natural width.
    /// </summary>
    /// <param name="columns">All candidates.</param>
    /// <param name="natural">Width of the widest text in each, header included.</param>
    /// <param name="width">Cells available; <see cref="int.MaxValue"/> for a pipe.</param>
    public static IReadOnlyList<Placed> Fit<T>(IReadOnlyList<Column<T>> columns, IReadOnlyList<int> natural, int width)
    {
        List<int> kept = [.. Enumerable.Range(0, columns.Count)];
        while (true)
        {
            int[] widths = [.. kept.Select(index => columns[index].Fill is null ? natural[index] : Math.Max(columns[index].FillFrom, columns[index].Header.Length))];
            int excess = widths.Sum() + (Gap * (kept.Count - 1)) - width;
            if (excess > 0) excess -= Shrink(columns, kept, widths, excess);
            int victim = excess > 0 ? Victim(columns, kept) : -1;
            if (victim < 0)
            {
                Grow(columns, kept, widths, width);
                return [.. kept.Select((index, place) => new Placed(index, widths[place]))];
            }

            kept.RemoveAt(victim);
        }
    }

    // Takes from the widest column first, so that one long name does not cost the others their text. Returns what was saved.
    private static int Shrink<T>(IReadOnlyList<Column<T>> columns, List<int> kept, int[] widths, int excess)
    {
        int saved = 0;
        while (saved < excess)
        {
            int widest = -1;
            for (int place = 0; place < widths.Length; place++)
            {
                Column<T> column = columns[kept[place]];
                if (column.ShrinkTo == 0 || widths[place] <= Math.Max(column.ShrinkTo, column.Header.Length)) continue;
                if (widest < 0 || widths[place] > widths[widest]) widest = place;
            }

            if (widest < 0) return saved;
            widths[widest]--;
            saved++;
        }

        return saved;
    }

    private static int Victim<T>(IReadOnlyList<Column<T>> columns, List<int> kept)
    {
        int victim = -1;
        for (int place = 0; place < kept.Count; place++)
        {
            int order = columns[kept[place]].DropOrder;
            if (order > 0 && (victim < 0 || order >= columns[kept[victim]].DropOrder)) victim = place;
        }

        return victim;
    }

    private static void Grow<T>(IReadOnlyList<Column<T>> columns, List<int> kept, int[] widths, int width)
    {
        int spare = width == int.MaxValue ? int.MaxValue : width - widths.Sum() - (Gap * (kept.Count - 1));
        bool grew = true;
        while (spare > 0 && grew)
        {
            grew = false;
            for (int place = 0; place < widths.Length && spare > 0; place++)
            {
                Column<T> column = columns[kept[place]];
                if (column.Fill is null || widths[place] >= column.FillTo) continue;
                widths[place]++;
                spare--;
                grew = true;
            }
        }
    }
}
