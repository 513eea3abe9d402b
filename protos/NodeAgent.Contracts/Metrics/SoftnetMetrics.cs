using static NodeAgent.Contracts.Metrics.MetricDefinition;

namespace NodeAgent.Contracts.Metrics;

/// <summary>Packet processing of the processors, from /proc/net/softnet_stat.</summary>
public static class SoftnetMetrics
{
    public static readonly MetricDefinition ProcessedTotal = Counter(
        "node_softnet_processed_total", Unit.None, 1, "Packets processed.", "cpu");

    public static readonly MetricDefinition DroppedTotal = Counter(
        "node_softnet_dropped_total", Unit.None, 1, "Packets dropped because a processor's backlog was full.", "cpu");

    public static readonly MetricDefinition TimesSqueezedTotal = Counter(
        "node_softnet_times_squeezed_total", Unit.None, 1, "Times a processor ran out of its budget with packets left to process.", "cpu");

    /// <summary>In the order of the columns of /proc/net/softnet_stat.</summary>
    public static readonly MetricDefinition[] InKernelOrder = [ProcessedTotal, DroppedTotal, TimesSqueezedTotal];

    public static readonly MetricFamily Family = new(
        "softnet", "Packet processing of the processors; on a large host summed, with cpu=\"all\".", InKernelOrder);
}
