using NodeAgent.Contracts.Metrics;
using NodeAgent.Sampling.Linux;
using NodeAgent.Sampling.Scheduling;

namespace NodeAgent.Sampling.Clock;

/// <summary>The wall clock at the tick, and time since boot.</summary>
internal sealed class TimeSampler : ISampler, IDisposable
{
    private readonly KernelFile? _uptime;

    public TimeSampler(HostRoots roots)
    {
        _uptime = KernelFile.TryOpen(Path.Combine(roots.Proc, "uptime"), 64);
        Series.Add(ClockMetrics.TimeSeconds);
        if (_uptime is not null)
        {
            Series.Add(ClockMetrics.UptimeSeconds);
        }
    }

    public string Name => "time";

    public SeriesTable Series { get; } = new();

    public SampleStatus Sample(in SampleTime now)
    {
        Series.Set(0, now.WallUnixMs / 1000.0);
        if (_uptime is null)
        {
            return SampleStatus.Ok;
        }

        if (!UptimeParser.TryParse(_uptime.Read(), out double seconds))
        {
            return SampleStatus.Malformed;
        }

        Series.Set(1, seconds);
        return SampleStatus.Ok;
    }

    public void Dispose() => _uptime?.Dispose();
}

/// <summary>Parses /proc/uptime: seconds since boot, then idle seconds of all processors.</summary>
internal static class UptimeParser
{
    public static bool TryParse(ReadOnlySpan<byte> text, out double seconds)
    {
        Utf8Cursor cursor = new(text);
        return cursor.TryReadDecimal(out seconds) && cursor.Rest.StartsWith(" "u8);
    }
}
