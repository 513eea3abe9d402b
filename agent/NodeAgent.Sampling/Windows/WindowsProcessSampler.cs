using NodeAgent.Contracts.Metrics;
using NodeAgent.Sampling.Scheduling;

namespace NodeAgent.Sampling.Windows;

/// <summary>How many processes, threads and handles there are: GetPerformanceInfo.</summary>
internal sealed class WindowsProcessSampler : ISampler
{
    private readonly IWin32 _win32;

    public WindowsProcessSampler(IWin32 win32)
    {
        _win32 = win32;
        Series.Add(ProcessMetrics.Pids);
        Series.Add(ProcessMetrics.Threads);
        Series.Add(ProcessMetrics.Handles);
    }

    public string Name => "processes";

    public SeriesTable Series { get; } = new();

    public SampleStatus Sample(in SampleTime now)
    {
        if (!_win32.GetPerformanceInfo(out PerformanceInformation information))
        {
            return SampleStatus.Failed;
        }

        Series.Set(0, information.Processes);
        Series.Set(1, information.Threads);
        Series.Set(2, information.Handles);
        return SampleStatus.Ok;
    }
}
