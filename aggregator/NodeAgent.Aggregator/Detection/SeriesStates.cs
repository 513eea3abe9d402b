using NodeAgent.Contracts.Metrics;
using NodeAgent.Detection;
using NodeAgent.Detection.Watch;
using NodeAgent.Tsdb;

namespace NodeAgent.Aggregator.Detection;

/// <summary>
/// The states of series, by the store's identity: schemas that share a series share its state, and the state goes when the last schema that
/// feeds it is gone. Bounded; when it is full the schemas that have been silent longest give way, and what still has no room is counted.
/// </summary>
internal sealed class SeriesStates(SeriesPages pages)
{
    private readonly Dictionary<SeriesInfo, Held> _held = new(ReferenceEqualityComparer.Instance);

    internal int Count => pages.Count;

    internal long Bytes => pages.Bytes;

    /// <summary>Series of present schemas that have no state.</summary>
    internal int Unwatched { get; private set; }

    internal static WatchedRow Nothing { get; } = new(-1, -1);

    internal WatchedRow Hold(SeriesInfo series, Subject subject, int intervalMs)
    {
        if (_held.TryGetValue(series, out Held held))
        {
            _held[series] = held with { Users = held.Users + 1 };
            return held.Row;
        }

        if (series.Metric.EndsWith("_info", StringComparison.Ordinal))
        {
            return Nothing; // always 1: what varies is in its labels
        }

        if (!pages.TryAdd(subject, TraitsOf(series), TimeSpan.FromMilliseconds(intervalMs > 0 ? intervalMs : 1000), out WatchedRow row))
        {
            Unwatched++;
            return Nothing;
        }

        _held.Add(series, new Held(row, 1));
        return row;
    }

    /// <summary>A schema that fed it is gone.</summary>
    internal void Release(SeriesInfo series, WatchedRow row, long unixMs, List<Finding> findings)
    {
        if (row.Page < 0)
        {
            Unwatched -= series.Metric.EndsWith("_info", StringComparison.Ordinal) ? 0 : 1;
            return;
        }

        Held held = _held[series];
        if (held.Users > 1)
        {
            _held[series] = held with { Users = held.Users - 1 };
            return;
        }

        _held.Remove(series);
        pages.Remove(row, unixMs, findings);
    }

    internal void Expect(WatchedRow row, long unixMs) => pages.Expect(row, unixMs);

    internal void Sample(WatchedRow row, double value, long unixMs, List<Finding> findings) => pages.Sample(row, value, unixMs, findings);

    // Sensors move a little all the time, memory comes back. Decided by unit and kind, so that a new metric needs no list here.
    internal static SeriesTraits TraitsOf(SeriesInfo series) =>
        series.Kind == MetricKind.Counter ? SeriesTraits.None
        : series.Metric is "gpu_power_watts" or "gpu_power_average_watts" ? SeriesTraits.Moves
        : series.Metric is "node_memory_Committed_AS_bytes" or "node_memory_AnonPages_bytes" or "node_memory_SUnreclaim_bytes" or "nodeagent_resident_bytes" ? SeriesTraits.Returns
        : SeriesTraits.None;

    private readonly record struct Held(WatchedRow Row, int Users);
}
