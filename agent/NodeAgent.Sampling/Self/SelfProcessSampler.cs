using NodeAgent.Contracts.Metrics;
using NodeAgent.Sampling.Linux;
using NodeAgent.Sampling.Processes;
using NodeAgent.Sampling.Scheduling;

namespace NodeAgent.Sampling.Self;

/// <summary>What the agent costs its host. A sampler apart from <see cref="SelfSampler"/>, because its files cost as much as /proc/stat and change slowly.</summary>
internal sealed class SelfProcessSampler : ISampler, IDisposable
{
    private const int CpuColumn = 0;
    private const int ResidentColumn = 1;
    private const int ThreadsColumn = 2;
    private const int FdsColumn = 3;

    private readonly KernelFile? _statm;
    private readonly KernelFile? _stat;
    private readonly byte[] _fdPath;
    private readonly byte[] _entries = new byte[8 * 1024];

    /// <param name="roots">Where /proc is; /proc/self must be the agent's own.</param>
    public SelfProcessSampler(HostRoots roots)
    {
        _statm = KernelFile.TryOpen(Path.Combine(roots.Proc, "self/statm"), 256);
        _stat = KernelFile.TryOpen(Path.Combine(roots.Proc, "self/stat"), 1024);
        _fdPath = KernelDirectory.PathBytes(Path.Combine(roots.Proc, "self/fd"));
        Series.Add(SelfMetrics.ProcessCpuSecondsTotal);
        Series.Add(SelfMetrics.ProcessResidentBytes);
        Series.Add(SelfMetrics.ProcessThreads);
        Series.Add(SelfMetrics.ProcessOpenFds);
    }

    public string Name => "self_process";

    public SeriesTable Series { get; } = new();

    public SampleStatus Sample(in SampleTime now)
    {
        Series.Set(CpuColumn, Environment.CpuUsage.TotalTime.Ticks / TimeSpan.TicksPerMicrosecond / 1e6); // whole microseconds, as the metric declares
        if (_statm is not null && _statm.TryRead(out ReadOnlySpan<byte> statm) && StatmParser.TryParse(statm, out ulong residentPages))
        {
            Series.Set(ResidentColumn, residentPages * (double)Environment.SystemPageSize);
        }

        if (_stat is not null && _stat.TryRead(out ReadOnlySpan<byte> stat) && ProcessStatParser.TryParse(stat, out ProcessReading reading))
        {
            Series.Set(ThreadsColumn, reading.Threads);
        }

        if (OperatingSystem.IsWindows())
        {
            Series.Set(ResidentColumn, Environment.WorkingSet); // elsewhere it allocates
        }
        else if (TryCountOpenFds(out int count))
        {
            Series.Set(FdsColumn, count);
        }

        return SampleStatus.Ok;
    }

    public void Dispose()
    {
        _statm?.Dispose();
        _stat?.Dispose();
    }

    private bool TryCountOpenFds(out int count)
    {
        if (FileSize.TryRead(_fdPath, out long size) && size > 0)
        {
            count = (int)size; // since Linux 6.2 the directory's size is the number of its entries: one system call instead of four
            return true;
        }

        count = -1; // the directory's own
        KernelDirectory directory = KernelDirectory.Open(_fdPath, _entries);
        try
        {
            while (directory.TryReadEntry(out _, out _))
            {
                count++;
            }

            return directory.IsOpen && count >= 0;
        }
        finally
        {
            directory.Dispose();
        }
    }
}

/// <summary>Parses /proc/PID/statm: pages in all, pages in RAM, and more.</summary>
internal static class StatmParser
{
    public static bool TryParse(ReadOnlySpan<byte> text, out ulong residentPages)
    {
        residentPages = 0;
        Utf8Cursor cursor = new(text);
        return cursor.TryReadUInt64(out _) && cursor.TryReadUInt64(out residentPages) && cursor.Rest.StartsWith(" "u8);
    }
}
