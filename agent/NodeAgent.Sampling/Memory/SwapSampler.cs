using NodeAgent.Contracts.Metrics;
using NodeAgent.Contracts.Series;
using NodeAgent.Sampling.Linux;
using NodeAgent.Sampling.Scheduling;

namespace NodeAgent.Sampling.Memory;

/// <summary>Size and use of each swap device. Columns are built again when devices come, go or change places.</summary>
internal sealed class SwapSampler(HostRoots roots) : ISampler, IDisposable
{
    private readonly KernelFile? _file = KernelFile.TryOpen(Path.Combine(roots.Proc, "swaps"));
    private readonly List<byte[]> _devices = [];

    public string Name => "swaps";

    public SeriesTable Series { get; } = new();

    public SampleStatus Sample(in SampleTime now)
    {
        if (_file is null)
        {
            return SampleStatus.NoData;
        }

        ReadOnlySpan<byte> text = _file.Read();
        if (!HasSameDevices(text))
        {
            RebuildColumns(text);
        }

        Utf8Cursor cursor = new(text);
        cursor.SkipLine(); // headings
        int column = 0;
        while (column < Series.Count && SwapParser.TryReadLine(ref cursor, out _, out ulong size, out ulong used))
        {
            Series.Set(column++, size);
            Series.Set(column++, used);
        }

        return !cursor.IsAtEnd ? SampleStatus.Malformed : column == 0 ? SampleStatus.NoData : SampleStatus.Ok;
    }

    public void Dispose() => _file?.Dispose();

    private bool HasSameDevices(ReadOnlySpan<byte> text)
    {
        Utf8Cursor cursor = new(text);
        cursor.SkipLine();
        int count = 0;
        while (count < SwapParser.MaxSwaps && SwapParser.TryReadLine(ref cursor, out ReadOnlySpan<byte> device, out _, out _))
        {
            if (count >= _devices.Count || !device.SequenceEqual(_devices[count]))
            {
                return false;
            }

            count++;
        }

        return count == _devices.Count;
    }

    private void RebuildColumns(ReadOnlySpan<byte> text)
    {
        Series.Rebuild();
        _devices.Clear();
        Utf8Cursor cursor = new(text);
        cursor.SkipLine();
        while (_devices.Count < SwapParser.MaxSwaps && SwapParser.TryReadLine(ref cursor, out ReadOnlySpan<byte> device, out _, out _))
        {
            _devices.Add(device.ToArray());
            Label label = new("device", SwapParser.Unescape(device));
            Series.Add(MemoryMetrics.SwapSizeBytes, label);
            Series.Add(MemoryMetrics.SwapUsedBytes, label);
        }
    }
}
