using NodeAgent.Contracts.Metrics;
using NodeAgent.Sampling.Scheduling;

namespace NodeAgent.Sampling.Windows;

/// <summary>
/// Memory and what is committed of it: GlobalMemoryStatusEx, GetPerformanceInfo. There is no swap: the commit limit is memory and
/// page files together, and no documented field is the page files alone, so the Linux names for committed memory are used.
/// </summary>
internal sealed class WindowsMemorySampler : ISampler
{
    private readonly IWin32 _win32;

    public WindowsMemorySampler(IWin32 win32)
    {
        _win32 = win32;
        foreach (string key in (ReadOnlySpan<string>)["MemTotal", "MemAvailable", "CommitLimit", "Committed_AS"])
        {
            Series.Add(MemoryMetrics.Meminfo(key, isBytes: true));
        }
    }

    public string Name => "memory";

    public SeriesTable Series { get; } = new();

    public SampleStatus Sample(in SampleTime now)
    {
        bool isMemoryRead = _win32.GetMemoryStatus(out MemoryStatus memory);
        if (isMemoryRead)
        {
            Series.Set(0, memory.TotalPhysical);
            Series.Set(1, memory.AvailablePhysical);
        }

        // That of the whole system; GlobalMemoryStatusEx gives the process's where a job limits it.
        bool isCommitRead = _win32.GetPerformanceInfo(out PerformanceInformation performance);
        if (isCommitRead)
        {
            Series.Set(2, (double)performance.CommitLimit * performance.PageBytes);
            Series.Set(3, (double)performance.CommitTotal * performance.PageBytes);
        }

        return isMemoryRead && isCommitRead ? SampleStatus.Ok : SampleStatus.Failed;
    }
}
