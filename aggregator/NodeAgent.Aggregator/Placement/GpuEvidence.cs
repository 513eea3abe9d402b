using NodeAgent.Contracts.Metrics;
using NodeAgent.Placement.Fleet;
using NodeAgent.Tsdb;
using NodeAgent.Tsdb.Query;

namespace NodeAgent.Aggregator.Placement;

/// <summary>What the newest samples say of one GPU.</summary>
internal sealed class GpuFacts(string uuid, string model, long seenUnixMs)
{
    /// <summary>Identity; a GPU that took the number of another has another.</summary>
    internal string Uuid { get; } = uuid;

    internal string Model { get; } = model;

    internal long SeenUnixMs { get; } = seenUnixMs;

    /// <summary>Device memory. 0: not said.</summary>
    internal int MemoryMiB { get; set; }

    internal bool IsPartitioned { get; set; }

    /// <summary>It answered within the staleness of its series.</summary>
    internal bool Answers { get; set; }

    /// <summary>The driver asks for a reset, the clocks are held down by heat or hardware, or its memory can no longer repair itself.</summary>
    internal bool IsSick { get; set; }

    internal double UncorrectedErrorsPerHour { get; set; }

    internal double UncorrectableRows { get; set; }

    internal double ThrottledRatio { get; set; }
}

/// <summary>Reads what placement needs of the GPU series in the store: a lookup per metric over the whole fleet, not one per GPU.</summary>
internal sealed class GpuEvidence
{
    /// <summary>
    /// A GPU that was named within this time is part of its node. Longer than a driver reload or a restart of the reader, shorter than
    /// anybody waits who took a board out.
    /// </summary>
    private const long ShapeWindowMs = 10 * 60_000;

    private const long HourMs = 3_600_000;

    // A tick carries values that were read a moment before it, so the agent's own staleness is not the store's.
    private const long LeastFreshMs = 10_000;

    // Reasons of throttling that cost work. Power caps and application clocks are somebody's decision, sync boost a neighbour's.
    private static readonly string[] HarmfulReasons = ["hw_slowdown", "hw_thermal", "hw_power_brake", "sw_thermal", "thermal"];

    private readonly ISeriesReader _store;
    private readonly ISampleReader _samples;
    private readonly long _now;
    private readonly Dictionary<string, GpuFacts?[]> _nodes = new(StringComparer.Ordinal);

    private GpuEvidence(ISeriesReader store, ISampleReader samples, long nowUnixMs) => (_store, _samples, _now) = (store, samples, nowUnixMs);

    /// <summary>GPUs by node, at their numbers; more than <see cref="GpuLanes.Max"/> are left out.</summary>
    internal static Dictionary<string, GpuFacts?[]> Read(ISeriesReader store, long nowUnixMs)
    {
        using ISampleReader samples = store.OpenReader();
        GpuEvidence evidence = new(store, samples, nowUnixMs);
        evidence.ReadIdentities();
        evidence.ReadHealth();
        evidence.ReadRisk();
        return evidence._nodes;
    }

    private void ReadIdentities()
    {
        foreach (SeriesInfo series in Match(GpuMetrics.Information, ShapeWindowMs))
        {
            if (!int.TryParse(series.LabelValue("gpu"), out int number) || number is < 0 or >= GpuLanes.Max
                || !_samples.TryReadNewest(series, _now, out long seen, out _) || seen < _now - ShapeWindowMs)
            {
                continue;
            }

            string node = series.LabelValue(SeriesInfo.NodeLabel);
            if (!_nodes.TryGetValue(node, out GpuFacts?[]? gpus))
            {
                _nodes.Add(node, gpus = new GpuFacts?[GpuLanes.Max]);
            }

            if (gpus[number] is not { } other || other.SeenUnixMs < seen)
            {
                gpus[number] = new GpuFacts(series.LabelValue("uuid"), series.LabelValue("name"), seen);
            }
        }

        ForNewest(GpuMetrics.MemoryTotalBytes, ShapeWindowMs, (gpu, _, value, _) => gpu.MemoryMiB = (int)Math.Clamp(value / (1 << 20), 0, int.MaxValue));
        ForNewest(GpuMetrics.MigMode, ShapeWindowMs, (gpu, series, value, _) => gpu.IsPartitioned |= value == 1 && series.LabelValue("state") == "current");
    }

    private void ReadHealth()
    {
        ForNewest(GpuMetrics.State, ShapeWindowMs, (gpu, series, value, at) => gpu.Answers = value == 0 && IsFresh(series, at));
        foreach (MetricDefinition metric in new[] { GpuMetrics.RecoveryAction, GpuMetrics.RowRemapFailed, GpuMetrics.SramThresholdExceeded })
        {
            ForNewest(metric, ShapeWindowMs, (gpu, _, value, _) => gpu.IsSick |= value > 0);
        }

        ForNewest(GpuMetrics.ThrottleActive, LeastFreshMs, (gpu, series, value, _) => gpu.IsSick |= value == 1 && HarmfulReasons.Contains(series.LabelValue("reason")));
    }

    private void ReadRisk()
    {
        ForNewest(GpuMetrics.RemappedRows, HourMs, (gpu, series, value, _) => gpu.UncorrectableRows += series.LabelValue("cause") == "uncorrectable" ? value : 0);
        ForNewest(GpuMetrics.EccErrorsTotal, HourMs, (gpu, series, value, at) =>
        {
            if (series.LabelValue("kind") == "uncorrected" && series.LabelValue("since") == "load" && series.LabelValue("location") == "all")
            {
                gpu.UncorrectedErrorsPerHour += PerHour(series, value, at);
            }
        });
        ForNewest(GpuMetrics.ThrottleSecondsTotal, HourMs, (gpu, series, value, at) =>
        {
            if (HarmfulReasons.Contains(series.LabelValue("reason")))
            {
                // Reasons overlap: the worst counts, not their sum.
                gpu.ThrottledRatio = Math.Max(gpu.ThrottledRatio, Math.Min(1, PerHour(series, value, at) / 3600));
            }
        });
    }

    // The increase over the last hour. A series that is younger has not shown an increase; one that was reset shows all it has.
    private double PerHour(SeriesInfo series, double value, long at) =>
        _samples.TryReadNewest(series, at - HourMs, out _, out double before) ? (value >= before ? value - before : value) : 0;

    private bool IsFresh(SeriesInfo series, long at) => _now - at <= Math.Max(series.StaleMs, LeastFreshMs);

    private void ForNewest(MetricDefinition metric, long windowMs, Action<GpuFacts, SeriesInfo, double, long> take)
    {
        foreach (SeriesInfo series in Match(metric, windowMs))
        {
            if (_nodes.TryGetValue(series.LabelValue(SeriesInfo.NodeLabel), out GpuFacts?[]? gpus) && int.TryParse(series.LabelValue("gpu"), out int number)
                && number is >= 0 and < GpuLanes.Max && gpus[number] is { } gpu && gpu.Uuid == series.LabelValue("uuid")
                && _samples.TryReadNewest(series, _now, out long at, out double value) && at >= _now - windowMs && !double.IsNaN(value))
            {
                take(gpu, series, value, at);
            }
        }
    }

    private SeriesInfo[] Match(MetricDefinition metric, long windowMs) =>
        _store.Match(new Selector([new LabelMatcher(SeriesInfo.NameLabel, MatchOperator.Equal, metric.Name)]), _now - windowMs, _now);
}
