using NodeAgent.Contracts.Metrics;
using NodeAgent.Sampling.Scheduling;

namespace NodeAgent.Sampling.Clock;

/// <summary>
/// The wall clock at the tick, and time since boot: the tick's own monotonic clock is CLOCK_BOOTTIME, which is what /proc/uptime prints, but
/// that file also adds up every processor's idle time.
/// </summary>
internal sealed class TimeSampler : ISampler
{
    private const long NanosecondsPerHundredth = 10_000_000; // the file's resolution, and the metric's

    public TimeSampler()
    {
        Series.Add(ClockMetrics.TimeSeconds);
        Series.Add(ClockMetrics.UptimeSeconds);
    }

    public string Name => "time";

    public SeriesTable Series { get; } = new();

    public SampleStatus Sample(in SampleTime now)
    {
        Series.Set(0, now.WallUnixMs / 1000.0);
        Series.Set(1, now.MonotonicNs / NanosecondsPerHundredth / 100.0);
        return SampleStatus.Ok;
    }
}
