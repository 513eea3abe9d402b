namespace NodeAgent.Contracts.Metrics;

/// <summary>The metrics of one sampler, with the sentence that opens their section in docs/metrics.md.</summary>
public sealed record MetricFamily(string Name, string Summary, IReadOnlyList<MetricDefinition> Metrics);
