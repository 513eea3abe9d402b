using NodeAgent.Contracts.Metrics;
using NodeAgent.Contracts.Series;
using NodeAgent.Sampling.Scheduling;

namespace NodeAgent.Sampling.Self;

/// <summary>
/// The agent about itself: what became of each sampler's last call, and how the tick keeps its time. Runs last, so that it tells of this very tick. The agent may add its own columns before the first tick through
/// <see cref="AddSource"/>.
/// </summary>
public sealed class SelfSampler : ISampler
{
    private const int ColumnsPerRunner = 3;

    private readonly IReadOnlyList<SamplerRunner> _runners;
    private readonly TickStatistics _statistics;
    private readonly List<(int Column, Func<double> Read)> _sources = [];
    private readonly int _tickColumns;

    /// <param name="runners">The other samplers.</param>
    /// <param name="statistics">Those of the loop that runs this sampler.</param>
    public SelfSampler(IReadOnlyList<SamplerRunner> runners, TickStatistics statistics)
    {
        _runners = runners;
        _statistics = statistics;
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
        Series.Add(SelfMetrics.GcAllocatedBytesTotal);
        Series.Add(SelfMetrics.GcCollectionsTotal);
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
        foreach ((int column, Func<double> read) in _sources)
        {
            Series.Set(column, read());
        }

        return SampleStatus.Ok;
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
        Series.Set(_tickColumns + 6, GC.GetTotalAllocatedBytes());
        Series.Set(_tickColumns + 7, GC.CollectionCount(0));
    }

    // Whole microseconds, as the metrics declare.
    private static double Microseconds(TimeSpan time) => time.Ticks / TimeSpan.TicksPerMicrosecond / 1e6;
}
