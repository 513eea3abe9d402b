namespace NodeAgent.Ctl.Top;

/// <summary>Columns that order <c>nodectl top</c>; lower-case names are the values of <c>--sort</c>.</summary>
internal enum TopSort
{
    Cpu,
    Mem,
    Load,
    Rx,
    Tx,
    Read,
    Write,
    Busy,
    Pressure,
    Age,
    Name,
}

internal static class TopOrder
{
    /// <summary>Largest first (names from A), nodes without a value last, ties by name.</summary>
    public static IReadOnlyList<TopItem> By(IReadOnlyList<TopItem> items, TopSort sort, bool reversed)
    {
        if (sort == TopSort.Name)
        {
            List<TopItem> named = [.. items.OrderBy(item => item.Node, StringComparer.Ordinal)];
            if (reversed) named.Reverse();
            return named;
        }

        Func<TopItem, double?> key = Key(sort);
        return [.. items
            .OrderBy(item => key(item) is null)
            .ThenBy(item => reversed ? key(item) : -key(item))
            .ThenBy(item => item.Node, StringComparer.Ordinal)];
    }

    private static Func<TopItem, double?> Key(TopSort sort) => sort switch
    {
        TopSort.Cpu => item => item.CpuRatio,
        TopSort.Mem => item => item.MemoryRatio,
        TopSort.Load => item => item.Load1,
        TopSort.Rx => item => item.ReceiveBytesPerSecond,
        TopSort.Tx => item => item.TransmitBytesPerSecond,
        TopSort.Read => item => item.ReadBytesPerSecond,
        TopSort.Write => item => item.WrittenBytesPerSecond,
        TopSort.Busy => item => item.DiskBusyRatio,
        TopSort.Pressure => item => item.Pressure()?.Ratio,
        _ => item => item.AgeMs,
    };
}
