using NodeAgent.Contracts.Metrics;
using NodeAgent.Contracts.Series;
using NodeAgent.Sampling.Linux;
using NodeAgent.Sampling.Processes;
using NodeAgent.Sampling.Scheduling;

namespace NodeAgent.Sampling.Self;

/// <summary>
/// The agent about itself: what became of each sampler's last call, how the tick keeps its time, and what the process costs.
/// Runs last, so that it tells of this very tick. The agent may add its own columns before the first tick through
/// <see cref="AddSource"/>.
/// </summary>
public sealed class SelfSampler : ISampler, IDisposable
{
    private const int ColumnsPerRunner = 3;

    private readonly IReadOnlyList<SamplerRunner> _runners;
    private readonly TickStatistics _statistics;
    private readonly KernelFile? _statm;
    private readonly KernelFile? _stat;
    private readonly byte[] _fdPath;
    private readonly byte[] _entries = new byte[8 * 1024];
    private readonly List<(int Column, Func<double> Read)> _sources = [];
    private readonly int _tickColumns;
    private readonly int _processColumns;

    /// <param name="roots">Where /proc is; /proc/self must be the agent's own.</param>
    /// <param name="runners">The other samplers.</param>
    /// <param name="statistics">Those of the loop that runs this sampler.</param>
    public SelfSampler(HostRoots roots, IReadOnlyList<SamplerRunner> runners, TickStatistics statistics)
    {
        _runners = runners;
        _statistics = statistics;
        _statm = KernelFile.TryOpen(Path.Combine(roots.Proc, "self/statm"), 256);
        _stat = KernelFile.TryOpen(Path.Combine(roots.Proc, "self/stat"), 1024);
        _fdPath = KernelDirectory.PathBytes(Path.Combine(roots.Proc, "self/fd"));
        foreach (SamplerRunner runner in runners)
        {
            Label collector = new("collector", runner.Name);
            Series.Add(SelfMetrics.CollectorDurationSeconds, collector);
            Series.Add(SelfMetrics.CollectorSuccess, collector);
            Series.Add(SelfMetrics.SamplerStatus, collector);
        }

        _tickColumns = Series.Add(SelfMetrics.SamplerFailuresTotal);
        Series.Add(SelfMetrics.TicksTotal);
        Series.Add(SelfMetrics.SkippedBeatsTotal);
        Series.Add(SelfMetrics.TickLatenessSeconds);
        Series.Add(SelfMetrics.TickDurationSeconds);
        Series.Add(SelfMetrics.SinkFailuresTotal);
        _processColumns = Series.Add(SelfMetrics.ProcessCpuSecondsTotal);
        Series.Add(SelfMetrics.GcAllocatedBytesTotal);
        Series.Add(SelfMetrics.GcCollectionsTotal);
        Series.Add(SelfMetrics.ProcessResidentBytes);
        Series.Add(SelfMetrics.ProcessThreads);
        Series.Add(SelfMetrics.ProcessOpenFds);
    }

    public string Name => "self";

    public SeriesTable Series { get; } = new();

    /// <summary>
    /// Adds a column that another part of the agent fills, such as the spool's size. The function must not block or allocate.
    /// </summary>
    public void AddSource(MetricDefinition metric, Func<double> read, params ReadOnlySpan<Label> labels) =>
        _sources.Add((Series.Add(metric, labels), read));

    public SampleStatus Sample(in SampleTime now)
    {
        SetRunners();
        SetTick();
        SetProcess();
        foreach ((int column, Func<double> read) in _sources)
        {
            Series.Set(column, read());
        }

        return SampleStatus.Ok;
    }

    public void Dispose()
    {
        _statm?.Dispose();
        _stat?.Dispose();
    }

    private void SetRunners()
    {
        long failures = 0;
        for (int i = 0; i < _runners.Count; i++)
        {
            SamplerRunner runner = _runners[i];
            failures += runner.Failures;
            if (runner.Status is { } status)
            {
                int column = i * ColumnsPerRunner;
                Series.Set(column, Microseconds(runner.LastDuration));
                if (status != SampleStatus.NoData) // nothing there is neither a success nor a failure
                {
                    Series.Set(column + 1, status == SampleStatus.Ok ? 1 : 0);
                }

                Series.Set(column + 2, (int)status);
            }
        }

        Series.Set(_tickColumns, failures);
    }

    private void SetTick()
    {
        Series.Set(_tickColumns + 1, _statistics.Ticks);
        Series.Set(_tickColumns + 2, _statistics.SkippedBeats);
        Series.Set(_tickColumns + 3, Microseconds(_statistics.Lateness));
        Series.Set(_tickColumns + 4, Microseconds(_statistics.LastDuration));
        Series.Set(_tickColumns + 5, _statistics.SinkFailures);
    }

    private void SetProcess()
    {
        Series.Set(_processColumns, Microseconds(Environment.CpuUsage.TotalTime));
        Series.Set(_processColumns + 1, GC.GetTotalAllocatedBytes());
        Series.Set(_processColumns + 2, GC.CollectionCount(0));
        if (_statm is not null && _statm.TryRead(out ReadOnlySpan<byte> statm) && StatmParser.TryParse(statm, out ulong residentPages))
        {
            Series.Set(_processColumns + 3, residentPages * (double)Environment.SystemPageSize);
        }

        if (_stat is not null && _stat.TryRead(out ReadOnlySpan<byte> stat) && ProcessStatParser.TryParse(stat, out ProcessReading reading))
        {
            Series.Set(_processColumns + 4, reading.Threads);
        }

        if (OperatingSystem.IsWindows())
        {
            Series.Set(_processColumns + 3, Environment.WorkingSet); // elsewhere it allocates
        }
        else if (TryCountOpenFds(out int count))
        {
            Series.Set(_processColumns + 5, count);
        }
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

    // Whole microseconds, as the metrics declare.
    private static double Microseconds(TimeSpan time) => time.Ticks / TimeSpan.TicksPerMicrosecond / 1e6;
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
