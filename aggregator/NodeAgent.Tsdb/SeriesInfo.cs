using NodeAgent.Contracts.Metrics;
using NodeAgent.Contracts.Series;

namespace NodeAgent.Tsdb;

/// <summary>A stored series: its identity, and what its latest schema says about it. Compare by reference.</summary>
public class SeriesInfo
{
    /// <summary>Name under which a selector or a <c>by</c> list addresses the metric's name.</summary>
    public const string NameLabel = "__name__";

    /// <summary>The label that the store adds.</summary>
    public const string NodeLabel = "node";

    /// <summary>A series is stale after this many intervals.</summary>
    public const int StaleIntervals = 5;

    /// <summary>Staleness of a series whose interval is unknown: Prometheus' lookback.</summary>
    public const long UnknownIntervalStaleMs = 5 * 60_000;

    private readonly Label[] _labels;
    private volatile int _intervalMs;

    private protected SeriesInfo(int id, string metric, Label[] labels, MetricKind kind, string unit, uint scale)
    {
        Id = id;
        Metric = metric;
        _labels = labels;
        Kind = kind;
        Unit = unit;
        Scale = scale;
    }

    /// <summary>By metric, then by labels, all ordinal: the order of lists.</summary>
    public static IComparer<SeriesInfo> Order { get; } = Comparer<SeriesInfo>.Create(Compare);

    /// <summary>Dense, never reused within the life of a store.</summary>
    public int Id { get; }

    public string Metric { get; }

    /// <summary>Sorted by name, <c>node</c> among them.</summary>
    public IReadOnlyList<Label> Labels => _labels;

    public MetricKind Kind { get; private set; }

    public string Unit { get; private set; }

    public uint Scale { get; private set; }

    /// <summary>Expected distance of two samples by the latest schema; 0: unknown.</summary>
    public int IntervalMs => _intervalMs;

    /// <summary>A sample of at least this age counts as absent.</summary>
    public long StaleMs => IntervalMs > 0 ? (long)StaleIntervals * IntervalMs : UnknownIntervalStaleMs;

    /// <summary>As <see cref="Labels"/>, for loops that must not allocate.</summary>
    public ReadOnlySpan<Label> LabelSpan => _labels;

    /// <summary>The value of a label, the metric for <c>__name__</c>, or "" where the series does not carry the label.</summary>
    public string LabelValue(string name)
    {
        foreach (ref readonly Label label in LabelSpan)
        {
            if (label.Name == name)
            {
                return label.Value;
            }
        }

        return name == NameLabel ? Metric : "";
    }

    /// <summary>Takes over what a newer schema says.</summary>
    internal void Describe(MetricKind kind, string unit, uint scale, int intervalMs)
    {
        Kind = kind;
        Unit = unit;
        Scale = scale;
        _intervalMs = intervalMs;
    }

    /// <summary>Canonical text, as <see cref="SeriesDefinition.ToString"/>.</summary>
    public override string ToString() => SeriesDefinition.Format(Metric, _labels);

    private static int Compare(SeriesInfo left, SeriesInfo right)
    {
        int order = string.CompareOrdinal(left.Metric, right.Metric);
        return order != 0 ? order : LabelOrder.Compare(left.LabelSpan, right.LabelSpan);
    }
}
