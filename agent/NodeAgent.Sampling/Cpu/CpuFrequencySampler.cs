using NodeAgent.Contracts.Metrics;
using NodeAgent.Contracts.Series;
using NodeAgent.Sampling.Linux;
using NodeAgent.Sampling.Scheduling;

namespace NodeAgent.Sampling.Cpu;

/// <summary>
/// Frequency of each processor, or the mean on hosts with many: from cpufreq, else from /proc/cpuinfo. A read per processor, so
/// it belongs to a slow tier. Which processors exist is found at start-up.
/// </summary>
internal sealed class CpuFrequencySampler : ISampler, IDisposable
{
    private readonly KernelBuffer _buffer = new(64);
    private readonly List<KernelFile> _scaling = [];
    private readonly KernelFile? _cpuinfo;
    private readonly List<CpuinfoReading> _readings = [];
    private readonly bool _isPerCore;

    public CpuFrequencySampler(HostRoots roots, CpuDetail detail)
    {
        string root = Path.Combine(roots.Sys, "devices/system/cpu");
        List<int> ids = [];
        foreach (int id in Subdirectories.FindNumbered(root, "cpu"))
        {
            if (KernelFile.TryOpen(Path.Combine(root, $"cpu{id}/cpufreq/scaling_cur_freq"), _buffer, wholeInOneRead: true) is { } file)
            {
                _scaling.Add(file);
                ids.Add(id);
            }
        }

        MetricDefinition metric = CpuMetrics.ScalingFrequencyHertz;
        if (ids.Count == 0)
        {
            metric = CpuMetrics.FrequencyHertz;
            _cpuinfo = KernelFile.TryOpen(Path.Combine(roots.Proc, "cpuinfo"), initialBytes: 16 * 1024);
            if (_cpuinfo is not null && CpuinfoParser.TryParse(_cpuinfo.Read(), _readings))
            {
                ids.AddRange(_readings.Select(reading => reading.Processor));
            }
        }

        _isPerCore = detail == CpuDetail.PerCore || (detail == CpuDetail.Automatic && ids.Count <= CpuDetails.MostCoresInDetail);
        foreach (string cpu in _isPerCore ? ids.Select(id => id.ToString()) : ids.Count > 0 ? ["all"] : [])
        {
            Series.Add(metric, new Label("cpu", cpu));
        }
    }

    public string Name => "cpufreq";

    public SeriesTable Series { get; } = new();

    public SampleStatus Sample(in SampleTime now) =>
        Series.Count == 0 ? SampleStatus.NoData : _cpuinfo is null ? SampleScaling() : SampleCpuinfo(_cpuinfo.Read());

    public void Dispose()
    {
        _scaling.ForEach(file => file.Dispose());
        _cpuinfo?.Dispose();
    }

    private SampleStatus SampleScaling()
    {
        double sum = 0;
        int count = 0;
        for (int i = 0; i < _scaling.Count; i++)
        {
            // A processor that went offline refuses; it has no frequency then.
            if (_scaling[i].TryRead(out ReadOnlySpan<byte> text) && NumberParser.TryParse(text, out ulong kilohertz))
            {
                Add(i, kilohertz * 1e3, ref sum, ref count);
            }
        }

        return Finish(sum, count);
    }

    private SampleStatus SampleCpuinfo(ReadOnlySpan<byte> text)
    {
        bool isWellFormed = CpuinfoParser.TryParse(text, _readings);
        double sum = 0;
        int count = 0;
        for (int i = 0; i < _readings.Count; i++)
        {
            Add(i, Math.Round(_readings[i].Megahertz * 1e6), ref sum, ref count);
        }

        SampleStatus status = Finish(sum, count);
        return isWellFormed ? status : SampleStatus.Malformed;
    }

    private void Add(int column, double hertz, ref double sum, ref int count)
    {
        sum += hertz;
        count++;
        if (_isPerCore && column < Series.Count)
        {
            Series.Set(column, hertz);
        }
    }

    private SampleStatus Finish(double sum, int count)
    {
        if (!_isPerCore && count > 0)
        {
            Series.Set(0, Math.Round(sum / count));
        }

        return count > 0 ? SampleStatus.Ok : SampleStatus.NoData;
    }
}

/// <summary>Frequency of one processor as /proc/cpuinfo prints it.</summary>
internal readonly record struct CpuinfoReading(int Processor, double Megahertz);

/// <summary>Parses "processor" and "cpu MHz" lines of x86's /proc/cpuinfo; other architectures print no frequency.</summary>
internal static class CpuinfoParser
{
    public static bool TryParse(ReadOnlySpan<byte> text, List<CpuinfoReading> readings)
    {
        readings.Clear();
        bool isWellFormed = WholeLines.TryKeep(ref text);
        ulong? processor = null;
        Utf8Cursor cursor = new(text);
        while (cursor.TryReadLine(out ReadOnlySpan<byte> line))
        {
            int colon = line.IndexOf((byte)':');
            if (colon < 0)
            {
                continue;
            }

            Utf8Cursor value = new(line[(colon + 1)..]);
            if (line.StartsWith("processor\t"u8))
            {
                processor = value.TryReadUInt64(out ulong number) && number < StatReading.MaxProcessors ? number : null;
            }
            else if (line.StartsWith("cpu MHz\t"u8) && processor is { } known &&
                     readings.Count < StatReading.MaxProcessors && value.TryReadDecimal(out double megahertz))
            {
                readings.Add(new CpuinfoReading((int)known, megahertz));
            }
        }

        return isWellFormed && readings.Count > 0;
    }
}
