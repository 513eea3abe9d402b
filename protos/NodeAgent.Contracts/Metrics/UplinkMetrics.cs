using static NodeAgent.Contracts.Metrics.MetricDefinition;

namespace NodeAgent.Contracts.Metrics;

/// <summary>The way from the agent to its aggregator; sent with the agent's own metrics.</summary>
public static class UplinkMetrics
{
    public static readonly MetricDefinition Connected = Gauge(
        "nodeagent_uplink_connected", Unit.None, 1, "1: the aggregator has welcomed the present stream; 0: there is none.");

    public static readonly MetricDefinition ConnectionsTotal = Counter(
        "nodeagent_uplink_connections_total", Unit.None, 1, "Streams that were welcomed.");

    public static readonly MetricDefinition SentRecordsTotal = Counter(
        "nodeagent_uplink_sent_records_total", Unit.None, 1, "Records sent, those sent again after a reconnect included.");

    public static readonly MetricDefinition SentBytesTotal = Counter(
        "nodeagent_uplink_sent_bytes_total", Unit.Bytes, 1, "Bytes of records sent, before framing and TLS.");

    public static readonly MetricDefinition RejectedRecordsTotal = Counter(
        "nodeagent_uplink_rejected_records_total", Unit.None, 1, "Records that the aggregator set aside.");

    public static readonly MetricDefinition SpoolBytes = Gauge(
        "nodeagent_spool_bytes", Unit.Bytes, 1, "Bytes of records held for the aggregator.");

    public static readonly MetricDefinition SpoolUnacknowledgedRecords = Gauge(
        "nodeagent_spool_unacknowledged_records", Unit.None, 1, "Records that the aggregator has not acknowledged.");

    public static readonly MetricDefinition SpoolDroppedRecordsTotal = Counter(
        "nodeagent_spool_dropped_records_total", Unit.None, 1, "Records dropped unacknowledged because the spool was full.");

    public static readonly MetricDefinition SpoolDroppedSamplesTotal = Counter(
        "nodeagent_spool_dropped_samples_total", Unit.None, 1, "Samples in records dropped unacknowledged because the spool was full.");

    public static readonly MetricDefinition SpoolLostRecordsTotal = Counter(
        "nodeagent_spool_lost_records_total", Unit.None, 1, "Of the dropped records those that damage of the spool's files took.");

    public static readonly MetricDefinition SpoolThinnedRecordsTotal = Counter(
        "nodeagent_spool_thinned_records_total", Unit.None, 1, "Records merged into coarser ones because the spool was short of room.");

    public static readonly MetricDefinition SpoolThinnedSamplesTotal = Counter(
        "nodeagent_spool_thinned_samples_total", Unit.None, 1, "Samples that went in such merging: all of a window but the last of each series.");

    public static readonly MetricDefinition SpoolMemoryOnly = Gauge(
        "nodeagent_spool_memory_only", Unit.None, 1, "1 while the spool's disk takes nothing and records are kept in memory only.");

    public static readonly MetricDefinition StorageFsyncErrorsTotal = Counter(
        "nodeagent_storage_fsync_errors_total", Unit.None, 1, "Failed syncs of the spool's files since the agent started.");

    public static readonly MetricFamily Family = new(
        "uplink",
        "The way from the agent to its aggregator; sent by the sampler `self`.",
        [
            Connected, ConnectionsTotal, SentRecordsTotal, SentBytesTotal, RejectedRecordsTotal, SpoolBytes,
            SpoolUnacknowledgedRecords, SpoolDroppedRecordsTotal, SpoolDroppedSamplesTotal, SpoolLostRecordsTotal, SpoolThinnedRecordsTotal,
            SpoolThinnedSamplesTotal, SpoolMemoryOnly, StorageFsyncErrorsTotal,
        ]);
}
