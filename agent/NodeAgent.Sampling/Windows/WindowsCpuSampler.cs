using NodeAgent.Contracts.Metrics;
using NodeAgent.Contracts.Series;
using NodeAgent.Sampling.Cpu;
using NodeAgent.Sampling.Scheduling;

namespace NodeAgent.Sampling.Windows;

/// <summary>Processor time of all processors together: GetSystemTimes, GetActiveProcessorCount.</summary>
internal sealed class WindowsCpuSampler : ISampler
{
    private const ulong UnitsPerHundredth = 100_000; // of 100 ns; the metric's resolution is 10 ms

    private readonly IWin32 _win32;
    private readonly CounterFloor _floor = new(maxBackStep: 3); // idle and kernel time are summed one after the other: their difference may step back
    private readonly int _processors;

    public WindowsCpuSampler(IWin32 win32)
    {
        _win32 = win32;
        foreach (string mode in (ReadOnlySpan<string>)["user", "system", "idle"])
        {
            Series.Add(CpuMetrics.SecondsTotal, new Label("cpu", "all"), new Label("mode", mode));
        }

        _processors = Series.Add(CpuMetrics.Processors);
    }

    public string Name => "cpu";

    public SeriesTable Series { get; } = new();

    public SampleStatus Sample(in SampleTime now)
    {
        uint processors = _win32.GetProcessorCount();
        if (processors > 0)
        {
            Series.Set(_processors, processors);
        }

        if (!_win32.GetSystemTimes(out ulong idle, out ulong kernel, out ulong user))
        {
            return SampleStatus.Failed;
        }

        Set(0, user);
        Set(1, kernel > idle ? kernel - idle : 0);
        Set(2, idle);
        return SampleStatus.Ok;
    }

    private void Set(int column, ulong time) => Series.Set(column, _floor.Hold(column, time / UnitsPerHundredth / 100.0));
}
