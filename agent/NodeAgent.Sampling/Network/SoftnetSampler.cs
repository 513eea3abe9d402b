using NodeAgent.Contracts.Metrics;
using NodeAgent.Contracts.Series;
using NodeAgent.Sampling.Cpu;
using NodeAgent.Sampling.Linux;
using NodeAgent.Sampling.Scheduling;

namespace NodeAgent.Sampling.Network;

/// <summary>
/// Packet processing of the processors. On a large host one sum for all: per processor it would be 768 series on a server with
/// 256 of them, for a fault that the sum shows as well.
/// </summary>
internal sealed class SoftnetSampler(HostRoots roots, CpuDetail detail) : ISampler
{
    private const int MaxCpus = 8192; // the kernel's NR_CPUS limit on x86-64

    private readonly KernelFile? _file = KernelFile.TryOpen(Path.Combine(roots.Proc, "net/softnet_stat"), initialBytes: 16 * 1024);
    private readonly List<int> _cpus = []; // per line, the processor its columns are for

    // The kernel's words have 32 bits and start again at zero, each processor for itself; a sum must not lose 2^32 with them.
    private ulong[] _last = [];
    private ulong[] _totals = [];
    private bool _isPerCpu;

    public string Name => "softnet";

    public SeriesTable Series { get; } = new();

    public SampleStatus Sample(in SampleTime now)
    {
        ReadOnlySpan<byte> text = _file is null ? default : _file.Read();
        if (text.IsEmpty)
        {
            return SampleStatus.NoData;
        }

        if (!TryAccumulate(text, out SampleStatus status))
        {
            Rebuild(text);
            TryAccumulate(text, out status);
        }

        SetValues();
        return _file!.IsTruncated ? SampleStatus.Truncated : status;
    }

    private bool TryAccumulate(ReadOnlySpan<byte> text, out SampleStatus status)
    {
        status = SampleStatus.Ok;
        Span<ulong> counters = stackalloc ulong[SoftnetParser.Counters];
        Utf8Cursor cursor = new(text);
        int row = 0;
        while (cursor.TryReadLine(out ReadOnlySpan<byte> line) && row < MaxCpus)
        {
            if (!SoftnetParser.TryParse(line, counters, out int cpu))
            {
                status = SampleStatus.Malformed;
                continue;
            }

            if (row >= _cpus.Count || _cpus[row] != (cpu < 0 ? row : cpu))
            {
                return false;
            }

            for (int i = 0; i < SoftnetParser.Counters; i++)
            {
                int at = (row * SoftnetParser.Counters) + i;
                _totals[at] += unchecked((uint)(counters[i] - _last[at]));
                _last[at] = counters[i];
            }

            row++;
        }

        return row == _cpus.Count;
    }

    private void SetValues()
    {
        Span<ulong> sums = stackalloc ulong[SoftnetParser.Counters];
        for (int at = 0; at < _totals.Length; at++)
        {
            sums[at % SoftnetParser.Counters] += _totals[at];
            if (_isPerCpu)
            {
                Series.Set(at, _totals[at]);
            }
        }

        for (int i = 0; i < SoftnetParser.Counters && !_isPerCpu && _totals.Length > 0; i++)
        {
            Series.Set(i, sums[i]);
        }
    }

    private void Rebuild(ReadOnlySpan<byte> text)
    {
        Series.Rebuild();
        _cpus.Clear();
        Span<ulong> counters = stackalloc ulong[SoftnetParser.Counters];
        Utf8Cursor cursor = new(text);
        while (cursor.TryReadLine(out ReadOnlySpan<byte> line) && _cpus.Count < MaxCpus)
        {
            if (SoftnetParser.TryParse(line, counters, out int cpu))
            {
                _cpus.Add(cpu < 0 ? _cpus.Count : cpu);
            }
        }

        _isPerCpu = detail == CpuDetail.PerCore || (detail == CpuDetail.Automatic && _cpus.Count <= CpuDetails.MostCoresInDetail);
        _last = new ulong[_cpus.Count * SoftnetParser.Counters];
        _totals = new ulong[_last.Length];
        AddColumns();
    }

    private void AddColumns()
    {
        if (!_isPerCpu)
        {
            foreach (MetricDefinition metric in SoftnetMetrics.InKernelOrder)
            {
                Series.Add(metric, new Label("cpu", "all"));
            }

            return;
        }

        foreach (int cpu in _cpus)
        {
            foreach (MetricDefinition metric in SoftnetMetrics.InKernelOrder)
            {
                Series.Add(metric, new Label("cpu", cpu.ToString()));
            }
        }
    }
}
