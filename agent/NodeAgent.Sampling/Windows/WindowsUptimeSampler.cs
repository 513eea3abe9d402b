using NodeAgent.Contracts.Metrics;
using NodeAgent.Sampling.Scheduling;

namespace NodeAgent.Sampling.Windows;

/// <summary>The wall clock at the tick, and the time since the system started: GetTickCount64.</summary>
internal sealed class WindowsUptimeSampler : ISampler
{
    private readonly IWin32 _win32;
    private readonly BootTime _boot = new();

    public WindowsUptimeSampler(IWin32 win32)
    {
        _win32 = win32;
        Series.Add(ClockMetrics.TimeSeconds);
        Series.Add(ClockMetrics.UptimeSeconds);
        Series.Add(CpuMetrics.BootTimeSeconds);
    }

    public string Name => "time";

    public SeriesTable Series { get; } = new();

    public SampleStatus Sample(in SampleTime now)
    {
        ulong uptimeMs = _win32.GetTickCount();
        Series.Set(0, now.WallUnixMs / 1000.0);
        Series.Set(1, uptimeMs / 10 / 100.0); // hundredths of a second, as the metric declares
        Series.Set(2, _boot.Find(now.WallUnixMs, uptimeMs) / 1000);
        return SampleStatus.Ok;
    }
}
