using System.Runtime.InteropServices;
using NodeAgent.Contracts.Metrics;
using NodeAgent.Contracts.Series;
using NodeAgent.Sampling.Scheduling;

namespace NodeAgent.Sampling.Windows;

/// <summary>
/// Traffic and errors of network interfaces: GetIfTable2. The loopback is left out, and so are filters, which repeat the counters
/// of the adapter they sit on. Of the Linux metrics only those with an equal here are filled.
/// </summary>
internal sealed unsafe class WindowsNetworkSampler(IWin32 win32) : ISampler
{
    private const int MaxInterfaces = 2048; // as on Linux: bounds columns

    // Where NetworkMetrics.InKernelOrder has what GetIfTable2 counts, in the order Set has it.
    private static readonly MetricDefinition[] Metrics =
    [
        .. NetworkMetrics.InKernelOrder[..4], // receive bytes, packets, errs, drop
        .. NetworkMetrics.InKernelOrder[8..12], // transmit, the same
    ];

    private readonly List<(ulong Luid, string Alias)> _known = [];

    public string Name => "network";

    public SeriesTable Series { get; } = new();

    public SampleStatus Sample(in SampleTime now)
    {
        if (win32.GetIfTable2(out nint table) != 0)
        {
            return SampleStatus.Failed;
        }

        try
        {
            ReadOnlySpan<InterfaceRow> rows = new((byte*)table + InterfaceRow.FirstRowOffset, (int)Math.Min(*(uint*)table, int.MaxValue));
            if (!TryFill(rows))
            {
                Rebuild(rows);
                TryFill(rows);
            }
        }
        finally
        {
            win32.FreeMibTable(table);
        }

        return _known.Count == MaxInterfaces ? SampleStatus.Truncated : _known.Count == 0 ? SampleStatus.NoData : SampleStatus.Ok;
    }

    private bool TryFill(ReadOnlySpan<InterfaceRow> rows)
    {
        int count = 0;
        foreach (ref readonly InterfaceRow row in rows)
        {
            if (IsExcluded(row) || count == MaxInterfaces)
            {
                continue;
            }

            if (count == _known.Count || row.Luid != _known[count].Luid || !AliasOf(row).SequenceEqual(_known[count].Alias))
            {
                return false;
            }

            Set(count++ * Metrics.Length, row);
        }

        return count == _known.Count;
    }

    private void Set(int column, in InterfaceRow row)
    {
        Series.Set(column, row.InOctets);
        Series.Set(column + 1, row.InUnicastPackets + row.InOtherPackets);
        Series.Set(column + 2, row.InErrors);
        Series.Set(column + 3, row.InDiscards);
        Series.Set(column + 4, row.OutOctets);
        Series.Set(column + 5, row.OutUnicastPackets + row.OutOtherPackets);
        Series.Set(column + 6, row.OutErrors);
        Series.Set(column + 7, row.OutDiscards);
    }

    private void Rebuild(ReadOnlySpan<InterfaceRow> rows)
    {
        Series.Rebuild();
        _known.Clear();
        HashSet<string> names = new(StringComparer.Ordinal);
        foreach (ref readonly InterfaceRow row in rows)
        {
            if (IsExcluded(row) || _known.Count == MaxInterfaces)
            {
                continue;
            }

            string alias = AliasOf(row).ToString();
            _known.Add((row.Luid, alias));
            string device = alias.Length > 0 && names.Add(alias) ? alias : $"{alias}#{row.Luid:x}"; // nothing promises that aliases differ
            foreach (MetricDefinition metric in Metrics)
            {
                Series.Add(metric, new Label("device", device));
            }
        }
    }

    private static bool IsExcluded(in InterfaceRow row) => row.Type == InterfaceRow.TypeLoopback || (row.Flags & InterfaceRow.FlagFilter) != 0;

    private static ReadOnlySpan<char> AliasOf(in InterfaceRow row)
    {
        fixed (char* alias = row.Alias) // native memory, or a test's: not moved while the rows are read
        {
            ReadOnlySpan<char> text = MemoryMarshal.CreateReadOnlySpan(ref *alias, InterfaceRow.AliasLength);
            int end = text.IndexOf('\0');
            return end < 0 ? text : text[..end];
        }
    }
}
