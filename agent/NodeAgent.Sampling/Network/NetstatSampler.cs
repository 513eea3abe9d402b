using System.Collections.Frozen;
using System.Text;
using NodeAgent.Contracts.Metrics;
using NodeAgent.Sampling.Linux;
using NodeAgent.Sampling.Scheduling;

namespace NodeAgent.Sampling.Network;

/// <summary>
/// Protocol counters. The heading lines of a running kernel do not change, so a heading is compared whole with the one it had
/// last time, and its values are then taken by position. In two parts, because the kernel folds and prints all of a file's counters
/// for the few that are wanted: 14 us for snmp, and four times as much for netstat and snmp6, the dearest read of a tick.
/// </summary>
internal sealed class NetstatSampler : ISampler
{
    private const int MaxRows = 1024; // headings and lines together; kernels have about 120

    private static readonly FrozenDictionary<string, MetricDefinition> Wanted =
        NetstatMetrics.Family.Metrics.ToFrozenDictionary(metric => metric.Name[NetstatMetrics.Prefix.Length..]);

    private readonly KernelFile? _pairs;
    private readonly KernelFile? _lineFile;
    private readonly RowIndex _headings = new(MaxRows);
    private readonly RowIndex _lines = new(MaxRows);
    private readonly List<int[]> _plans = []; // by heading: the column of each value, or NotSampled

    private const int NotSampled = -1;

    /// <summary>IPv4's basic counters: what a fault of the network shows in first.</summary>
    public static NetstatSampler Basic(HostRoots roots) => new("netstat", roots, "net/snmp", lines: null);

    /// <summary>The extended counters of TCP and IP, and all of IPv6.</summary>
    public static NetstatSampler Extended(HostRoots roots) => new("netstat_extended", roots, "net/netstat", "net/snmp6");

    private NetstatSampler(string name, HostRoots roots, string pairs, string? lines)
    {
        Name = name;
        _pairs = Open(pairs);
        _lineFile = lines is null ? null : Open(lines);

        // Each is one record (proc_create_net_single): a second read to see its end would make the kernel fold all its counters again.
        KernelFile? Open(string path) => KernelFile.TryOpen(Path.Combine(roots.Proc, path), initialBytes: 16 * 1024, wholeInOneRead: true);
    }

    public string Name { get; }

    public SeriesTable Series { get; } = new();

    public SampleStatus Sample(in SampleTime now)
    {
        if (!TryFill(out SampleStatus status))
        {
            Rebuild();
            TryFill(out status);
        }

        return status == SampleStatus.Ok && Series.Count == 0 ? SampleStatus.NoData : status;
    }

    private bool TryFill(out SampleStatus status)
    {
        status = SampleStatus.Ok;
        bool known = true;
        _headings.BeginPass();
        known &= _pairs is null || TryFillPairs(_pairs.Read(), ref status);
        _lines.BeginPass();
        known &= _lineFile is null || TryFillLines(_lineFile.Read(), ref status);
        return known && _headings.SawAll && _lines.SawAll;
    }

    private bool TryFillPairs(ReadOnlySpan<byte> text, ref SampleStatus status)
    {
        bool known = true;
        Utf8Cursor cursor = new(text);
        while (SnmpParser.TryReadPair(ref cursor, out ReadOnlySpan<byte> names, out ReadOnlySpan<byte> values, out bool isPair))
        {
            if (!isPair)
            {
                status = SampleStatus.Malformed;
            }
            else if (!_headings.TryFind(names, out int heading))
            {
                known = false;
            }
            else if (heading >= 0 && !TrySetValues(_plans[heading], values))
            {
                status = SampleStatus.Malformed;
            }
        }

        return known;
    }

    private bool TrySetValues(int[] plan, ReadOnlySpan<byte> values)
    {
        Utf8Cursor cursor = new(values);
        foreach (int column in plan)
        {
            if (column == NotSampled)
            {
                if (!cursor.TryReadField(out _))
                {
                    return false;
                }
            }
            else if (cursor.TryReadUInt64(out ulong value))
            {
                Series.Set(column, value);
            }
            else
            {
                return false;
            }
        }

        return true;
    }

    private bool TryFillLines(ReadOnlySpan<byte> text, ref SampleStatus status)
    {
        bool known = true;
        Utf8Cursor cursor = new(text);
        while (cursor.TryReadLine(out ReadOnlySpan<byte> line))
        {
            if (!SnmpParser.TryParseLine(line, out ReadOnlySpan<byte> name, out ulong value))
            {
                status = SampleStatus.Malformed;
            }
            else if (!_lines.TryFind(name, out int column))
            {
                known = false;
            }
            else if (column != NotSampled)
            {
                Series.Set(column, value);
            }
        }

        return known;
    }

    private void Rebuild()
    {
        Series.Rebuild();
        _headings.Clear();
        _lines.Clear();
        _plans.Clear();
        Utf8Cursor pairs = new(_pairs is null ? default : _pairs.Read());
        while (SnmpParser.TryReadPair(ref pairs, out ReadOnlySpan<byte> names, out _, out bool isPair))
        {
            if (isPair && !_headings.TryFind(names, out _) && _headings.TryAdd(names, _plans.Count))
            {
                _plans.Add(Plan(names));
            }
        }

        Utf8Cursor lines = new(_lineFile is null ? default : _lineFile.Read());
        while (lines.TryReadLine(out ReadOnlySpan<byte> line))
        {
            if (SnmpParser.TryParseLine(line, out ReadOnlySpan<byte> name, out _) && !_lines.TryFind(name, out _))
            {
                _lines.TryAdd(name, ColumnOfSnmp6(Encoding.UTF8.GetString(name)));
            }
        }
    }

    /// <summary>The columns of a heading's values up to the last one that is wanted.</summary>
    private int[] Plan(ReadOnlySpan<byte> names)
    {
        string[] fields = Encoding.UTF8.GetString(names).Split(' ', StringSplitOptions.RemoveEmptyEntries);
        int[] plan = new int[fields.Length - 1];
        int used = 0;
        for (int i = 1; i < fields.Length; i++)
        {
            plan[i - 1] = Column($"{fields[0].TrimEnd(':')}_{fields[i]}");
            used = plan[i - 1] == NotSampled ? used : i;
        }

        return plan[..used];
    }

    private int ColumnOfSnmp6(string name)
    {
        int six = name.IndexOf('6', StringComparison.Ordinal);
        return six < 0 ? NotSampled : Column($"{name[..(six + 1)]}_{name[(six + 1)..]}");
    }

    private int Column(string field) => Wanted.TryGetValue(field, out MetricDefinition? metric) ? Series.Add(metric) : NotSampled;
}
