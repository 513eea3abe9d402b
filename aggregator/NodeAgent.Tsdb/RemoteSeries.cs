using NodeAgent.Contracts.Metrics;
using NodeAgent.Contracts.Series;

namespace NodeAgent.Tsdb;

/// <summary>A series of another engine, as a query found it. Lives as long as the query.</summary>
/// <param name="id">Different for each.</param>
/// <param name="metric">Its name.</param>
/// <param name="labels">Sorted by name.</param>
/// <param name="known">What the catalogue says of the metric; null: it does not have it.</param>
/// <param name="selection">The question that it answers: its neighbours there are read with it.</param>
public sealed class RemoteSeries(int id, string metric, Label[] labels, MetricDefinition? known, object selection)
    : SeriesInfo(id, metric, labels, known?.Kind ?? MetricKind.Gauge, known?.Unit ?? "", known?.Scale ?? 0)
{
    /// <summary>The question that found it.</summary>
    public object Selection => selection;
}
