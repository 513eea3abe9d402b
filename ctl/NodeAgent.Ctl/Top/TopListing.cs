using NodeAgent.Ctl.Output;
using NodeAgent.Ctl.Plot;
using NodeAgent.Ctl.Text;
using NodeAgent.Ctl.Views;

namespace NodeAgent.Ctl.Top;

/// <summary>Columns of <c>nodectl top</c>.</summary>
internal static class TopListing
{
    /// <param name="sort">Whose header is marked.</param>
    /// <param name="history">CPU shares of a node, oldest first; null: no history column.</param>
    public static Listing<TopItem> For(TopSort sort, Func<string, IReadOnlyList<double?>>? history = null)
    {
        List<Column<TopItem>> columns =
        [
            new("NODE", "node", item => new Cell(item.Node, Tone.Strong), item => item.Node) { ShrinkTo = 10, Sorted = sort == TopSort.Name },
            new("STATE", "state", item => new Cell(item.State, Words.ToneOfState(item.State)), item => item.State),
            Gauge("CPU", "cpuRatio", 12, sort == TopSort.Cpu, item => item.CpuRatio),
            Gauge("MEMORY", "memoryRatio", 11, sort == TopSort.Mem, item => item.MemoryRatio),
            Figure("USED", "memoryUsedBytes", 9, false, item => item.MemoryUsedBytes, Human.Bytes),
            Figure("TOTAL", "memoryTotalBytes", 10, false, item => item.MemoryTotalBytes, Human.Bytes),
            Figure("LOAD", "load1", 3, sort == TopSort.Load, item => item.Load1, Load),
            Figure("RX/S", "receiveBytesPerSecond", 1, sort == TopSort.Rx, item => item.ReceiveBytesPerSecond, Human.CompactBytes),
            Figure("TX/S", "transmitBytesPerSecond", 2, sort == TopSort.Tx, item => item.TransmitBytesPerSecond, Human.CompactBytes),
            Figure("READ/S", "readBytesPerSecond", 4, sort == TopSort.Read, item => item.ReadBytesPerSecond, Human.CompactBytes),
            Figure("WRITE/S", "writtenBytesPerSecond", 5, sort == TopSort.Write, item => item.WrittenBytesPerSecond, Human.CompactBytes),
            Share("BUSY", "diskBusyRatio", 8, sort == TopSort.Busy, item => item.DiskBusyRatio),
            new("PRESSURE", "pressure", Pressure, item => "") { RightAligned = true, TableOnly = true, DropOrder = 6, Sorted = sort == TopSort.Pressure },
            Wide("CPU WAIT", "cpuPressureRatio", item => item.CpuPressureRatio),
            Wide("MEMORY WAIT", "memoryPressureRatio", item => item.MemoryPressureRatio),
            Wide("IO WAIT", "ioPressureRatio", item => item.IoPressureRatio),
            new("AGE", "ageMs", Age, item => Raw.Moment(item.AgeMs)) { RightAligned = true, Sorted = sort == TopSort.Age },
        ];
        if (history is not null) columns.Insert(3, History(history));
        return new("TopList", columns, CtlJson.Default.TopItem, "no nodes");
    }

    private static Column<TopItem> History(Func<string, IReadOnlyList<double?>> history) =>
        new("LAST MINUTES", "history", item => "", item => "")
        {
            TableOnly = true,
            DropOrder = 7,
            Fill = (item, width) =>
            {
                IReadOnlyList<double?> values = history(item.Node);
                string line = Sparkline.Render([.. values.Skip(Math.Max(0, values.Count - width))], 0, 1);
                return new Cell(line.PadLeft(width), Tone.Accent);
            },
            FillFrom = 12,
            FillTo = 40,
        };

    // A bar needs eight characters to say anything; where there are fewer, the number alone stands.
    private static Column<TopItem> Gauge(string header, string name, int fillTo, bool sorted, Func<TopItem, double?> read) =>
        new(header, name, item => "", item => Raw.Number(read(item)))
        {
            Fill = (item, width) =>
            {
                if (read(item) is not { } ratio) return Cell.None with { Text = Human.None.PadLeft(width) };
                string number = Human.Percent(ratio).PadLeft(5);
                int bar = width - 6;
                return new Cell(bar >= 4 ? $"{Bar.Render(ratio, bar)} {number}" : number.PadLeft(width), ToneOf(ratio));
            },
            FillFrom = 6,
            FillTo = fillTo + 6,
            RightAligned = true,
            Sorted = sorted,
        };

    private static Column<TopItem> Figure(string header, string name, int dropOrder, bool sorted, Func<TopItem, double?> read, Func<double, string> write) =>
        new(header, name, item => read(item) is { } value ? write(value) : Cell.None, item => Raw.Number(read(item)))
        {
            RightAligned = true,
            DropOrder = dropOrder,
            Sorted = sorted,
            WideOnly = header is "USED" or "TOTAL",
        };

    private static Column<TopItem> Share(string header, string name, int dropOrder, bool sorted, Func<TopItem, double?> read) =>
        new(header, name, item => read(item) is { } value ? new Cell(Human.Percent(value), ToneOf(value)) : Cell.None, item => Raw.Number(read(item)))
        {
            RightAligned = true,
            DropOrder = dropOrder,
            Sorted = sorted,
        };

    private static Column<TopItem> Wide(string header, string name, Func<TopItem, double?> read) =>
        new(header, name, item => "", item => Raw.Number(read(item))) { RightAligned = true, WideOnly = true };

    private static Cell Pressure(TopItem item) => item.Pressure() is { } pressure
        ? new Cell($"{Human.Percent(pressure.Ratio)} {(pressure.Which switch { 'c' => "cpu", 'm' => "mem", _ => "io " })}", pressure.Ratio switch { >= 0.5 => Tone.Bad, >= 0.2 => Tone.Warn, _ => Tone.Normal })
        : Cell.None;

    private static Cell Age(TopItem item) => item.AgeMs is { } age
        ? new Cell(Human.Age(age), item.State == "live" ? Tone.Normal : Words.ToneOfState(item.State))
        : Cell.None;

    private static string Load(double value) => value.ToString("0.00");

    // Nearly full is worth a look, full is trouble; below that colour would only be noise.
    private static Tone ToneOf(double ratio) => ratio switch
    {
        >= 0.95 => Tone.Bad,
        >= 0.8 => Tone.Warn,
        _ => Tone.Good,
    };
}
