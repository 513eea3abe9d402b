using System.Text;
using NodeAgent.Contracts.Metrics;
using NodeAgent.Contracts.Series;
using NodeAgent.Sampling.Scheduling;

namespace NodeAgent.Sampling.Linux;

/// <summary>What a line of a device table is.</summary>
internal enum DeviceLine
{
    /// <summary>A device with its counters.</summary>
    Device,

    /// <summary>A heading.</summary>
    Heading,

    /// <summary>Not of the expected form.</summary>
    Malformed,
}

/// <summary>
/// A procfs table with a line per device and the same counters in each: /proc/diskstats, /proc/net/dev. One pread and one pass
/// a tick; the columns are built again only when a device came or went.
/// </summary>
internal abstract class DeviceTableSampler : ISampler
{
    private const int MaxDevices = 2048; // above the largest hosts known (a Kubernetes node with 1,000 pods); bounds columns, not lines
    private const int NotSampled = -1;

    private readonly KernelFile? _file;
    private readonly MetricDefinition[] _metrics;
    private readonly RowIndex _rows = new(MaxDevices);

    /// <param name="path">The table.</param>
    /// <param name="metrics">Its counters, in the kernel's order.</param>
    protected DeviceTableSampler(string path, MetricDefinition[] metrics)
    {
        _file = KernelFile.TryOpen(path, initialBytes: 16 * 1024);
        _metrics = metrics;
    }

    public abstract string Name { get; }

    public SeriesTable Series { get; } = new();

    public SampleStatus Sample(in SampleTime now)
    {
        ReadOnlySpan<byte> text = _file is null ? default : _file.Read();
        if (text.IsEmpty)
        {
            return SampleStatus.NoData;
        }

        if (_file!.IsTruncated)
        {
            text = text[..(text.LastIndexOf((byte)'\n') + 1)]; // half a line would be a wrong number
        }

        if (!TryFill(text, out SampleStatus status))
        {
            Rebuild(text);
            TryFill(text, out status);
        }

        if (_file.IsTruncated || _rows.IsFull)
        {
            return SampleStatus.Truncated;
        }

        return status == SampleStatus.Ok && Series.Count == 0 ? SampleStatus.NoData : status;
    }

    /// <summary>Splits a line into the device's name and its counters; <paramref name="counters"/> has room for all of them.</summary>
    protected abstract DeviceLine Parse(ReadOnlySpan<byte> line, out ReadOnlySpan<byte> device, Span<ulong> counters, out int count);

    /// <summary>Devices nobody wants as series. Asked once per device, not per tick.</summary>
    protected abstract bool IsExcluded(string device);

    /// <summary>A counter in the metric's unit.</summary>
    protected abstract double Convert(int counter, ulong value);

    private bool TryFill(ReadOnlySpan<byte> text, out SampleStatus status)
    {
        status = SampleStatus.Ok;
        Span<ulong> counters = stackalloc ulong[_metrics.Length];
        Utf8Cursor cursor = new(text);
        _rows.BeginPass();
        bool known = true;
        while (cursor.TryReadLine(out ReadOnlySpan<byte> line))
        {
            switch (Parse(line, out ReadOnlySpan<byte> device, counters, out int count))
            {
                case DeviceLine.Malformed:
                    status = SampleStatus.Malformed;
                    break;
                case DeviceLine.Device when _rows.TryFind(device, out int column):
                    if (column != NotSampled)
                    {
                        Set(column, counters[..count]);
                    }

                    break;
                case DeviceLine.Device:
                    known = false;
                    break;
            }
        }

        return known && _rows.SawAll;
    }

    private void Set(int column, ReadOnlySpan<ulong> counters)
    {
        for (int i = 0; i < counters.Length; i++)
        {
            Series.Set(column + i, Convert(i, counters[i]));
        }
    }

    private void Rebuild(ReadOnlySpan<byte> text)
    {
        Series.Rebuild();
        _rows.Clear();
        Span<ulong> counters = stackalloc ulong[_metrics.Length];
        Utf8Cursor cursor = new(text);
        while (cursor.TryReadLine(out ReadOnlySpan<byte> line))
        {
            if (Parse(line, out ReadOnlySpan<byte> device, counters, out int count) != DeviceLine.Device || _rows.TryFind(device, out _))
            {
                continue;
            }

            string name = Encoding.UTF8.GetString(device);
            if (IsExcluded(name))
            {
                _rows.TryAdd(device, NotSampled);
            }
            else if (_rows.TryAdd(device, Series.Count))
            {
                for (int i = 0; i < _metrics.Length; i++)
                {
                    Series.Add(_metrics[i], new Label("device", name));
                }
            }
        }
    }
}
