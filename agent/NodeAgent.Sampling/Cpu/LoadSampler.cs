using NodeAgent.Contracts.Metrics;
using NodeAgent.Sampling.Linux;
using NodeAgent.Sampling.Scheduling;

namespace NodeAgent.Sampling.Cpu;

/// <summary>Load averages.</summary>
internal sealed class LoadSampler : ISampler, IDisposable
{
    private readonly KernelFile? _file;

    public LoadSampler(HostRoots roots)
    {
        _file = KernelFile.TryOpen(Path.Combine(roots.Proc, "loadavg"), initialBytes: 128);
        if (_file is not null)
        {
            Series.Add(CpuMetrics.Load1);
            Series.Add(CpuMetrics.Load5);
            Series.Add(CpuMetrics.Load15);
        }
    }

    public string Name => "loadavg";

    public SeriesTable Series { get; } = new();

    public SampleStatus Sample(in SampleTime now)
    {
        if (_file is null)
        {
            return SampleStatus.NoData;
        }

        if (!LoadParser.TryParse(_file.Read(), out LoadReading reading))
        {
            return SampleStatus.Malformed;
        }

        Series.Set(0, reading.Load1);
        Series.Set(1, reading.Load5);
        Series.Set(2, reading.Load15);
        return SampleStatus.Ok;
    }

    public void Dispose() => _file?.Dispose();
}

/// <summary>The three averages of /proc/loadavg.</summary>
internal readonly record struct LoadReading(double Load1, double Load5, double Load15);

/// <summary>Parses /proc/loadavg (proc(5)).</summary>
internal static class LoadParser
{
    public static bool TryParse(ReadOnlySpan<byte> text, out LoadReading reading)
    {
        Utf8Cursor cursor = new(text);
        bool isComplete = cursor.TryReadDecimal(out double load1) & cursor.TryReadDecimal(out double load5) &
            cursor.TryReadDecimal(out double load15);
        reading = new LoadReading(load1, load5, load15);

        // The blank after the third number proves that it was not cut.
        return isComplete && cursor.Rest.StartsWith(" "u8);
    }
}
