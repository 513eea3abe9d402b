namespace NodeAgent.Contracts.Metrics;

/// <summary>One metric: what docs/metrics.md prints and what a schema says about its series.</summary>
/// <param name="Name">Prometheus name, unit last; node_exporter's where it has one.</param>
/// <param name="Kind">Gauge or counter.</param>
/// <param name="Unit">One of <see cref="Metrics.Unit"/>.</param>
/// <param name="Scale">Values are whole multiples of 1/Scale in the unit; 0 keeps every bit of the double.</param>
/// <param name="Labels">Label names its series carry, besides <c>node</c>, which the aggregator adds.</param>
/// <param name="Help">One sentence: what it measures and where it comes from.</param>
public sealed record MetricDefinition(string Name, MetricKind Kind, string Unit, uint Scale, IReadOnlyList<string> Labels, string Help)
{
    /// <summary>A level; see the record's parameters.</summary>
    public static MetricDefinition Gauge(string name, string unit, uint scale, string help, params string[] labels) =>
        new(name, MetricKind.Gauge, unit, scale, labels, help);

    /// <summary>A running total; see the record's parameters.</summary>
    public static MetricDefinition Counter(string name, string unit, uint scale, string help, params string[] labels) =>
        new(name, MetricKind.Counter, unit, scale, labels, help);
}
