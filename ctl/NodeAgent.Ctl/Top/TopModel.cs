namespace NodeAgent.Ctl.Top;

/// <summary>What the live view shows and what keys change. Only <see cref="TopSession"/>'s loop touches it.</summary>
internal sealed class TopModel(string server, TimeSpan interval, TopSort sort, bool reversed)
{
    // 40 columns of history at most; more would never be seen.
    private const int HistoryLength = 64;

    private readonly Dictionary<string, List<double?>> _history = new(StringComparer.Ordinal);

    public string Server { get; } = server;

    public TimeSpan Interval { get; } = interval;

    public TopSort Sort { get; private set; } = sort;

    public bool Reversed { get; private set; } = reversed;

    public bool Paused { get; private set; }

    /// <summary>First row shown.</summary>
    public int Scroll { get; private set; }

    /// <summary>Null: nothing has arrived yet.</summary>
    public TopSnapshot? Snapshot { get; private set; }

    /// <summary>Why the last refresh failed; null: it did not.</summary>
    public string? Problem { get; private set; }

    public bool Finished { get; private set; }

    public IReadOnlyList<double?> History(string node) => _history.TryGetValue(node, out List<double?>? values) ? values : [];

    public void Arrived(TopSnapshot snapshot)
    {
        Snapshot = snapshot;
        Problem = null;
        HashSet<string> present = new(StringComparer.Ordinal);
        foreach (TopItem item in snapshot.Items)
        {
            present.Add(item.Node);
            if (!_history.TryGetValue(item.Node, out List<double?>? values)) _history[item.Node] = values = [];
            values.Add(item.CpuRatio);
            if (values.Count > HistoryLength) values.RemoveAt(0);
        }

        foreach (string gone in _history.Keys.Where(node => !present.Contains(node)).ToList()) _history.Remove(gone);
    }

    /// <summary>Keeps the last snapshot on the screen and says that it is old.</summary>
    public void Failed(string why) => Problem = why;

    /// <param name="page">Rows of a screen.</param>
    public void Press(ConsoleKeyInfo key, int page)
    {
        int rows = Snapshot?.Items.Count ?? 0;
        switch (key.Key)
        {
            case ConsoleKey.Q or ConsoleKey.Escape: Finished = true; break;
            case ConsoleKey.C when key.Modifiers.HasFlag(ConsoleModifiers.Control): Finished = true; break;
            case ConsoleKey.Spacebar or ConsoleKey.P: Paused = !Paused; break;
            case ConsoleKey.R: Reversed = !Reversed; break;
            case ConsoleKey.RightArrow or ConsoleKey.S: Turn(1); break;
            case ConsoleKey.LeftArrow: Turn(-1); break;
            case ConsoleKey.DownArrow: ScrollTo(Scroll + 1, rows, page); break;
            case ConsoleKey.UpArrow: ScrollTo(Scroll - 1, rows, page); break;
            case ConsoleKey.PageDown: ScrollTo(Scroll + page, rows, page); break;
            case ConsoleKey.PageUp: ScrollTo(Scroll - page, rows, page); break;
            case ConsoleKey.Home: ScrollTo(0, rows, page); break;
            case ConsoleKey.End: ScrollTo(rows, rows, page); break;
            default: Pick(key.KeyChar); break;
        }
    }

    private void Pick(char key)
    {
        TopSort? picked = key switch
        {
            'c' => TopSort.Cpu,
            'm' => TopSort.Mem,
            'l' => TopSort.Load,
            'n' => TopSort.Name,
            'a' => TopSort.Age,
            _ => null,
        };
        if (picked is not { } sort) return;
        Sort = sort;
        Scroll = 0;
    }

    private void Turn(int by)
    {
        int count = Enum.GetValues<TopSort>().Length;
        Sort = (TopSort)(((int)Sort + by + count) % count);
        Scroll = 0;
    }

    private void ScrollTo(int row, int rows, int page) => Scroll = Math.Clamp(row, 0, Math.Max(0, rows - page));
}
