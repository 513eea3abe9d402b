using System.Diagnostics;
using NodeAgent.Aggregator.Alerts;
using NodeAgent.Contracts.Metrics;
using NodeAgent.Contracts.Series;
using GetStatusResponse = NodeAgent.V1.GetStatusResponse;

namespace NodeAgent.Aggregator.Prometheus;

/// <summary>The aggregator's own health as metrics: what its status says, and what its process costs.</summary>
internal static class OwnMetrics
{
    private const string Prefix = "nodeagent_aggregator_";

    internal static void Write(ExpositionText text, GetStatusResponse status, AlertService alerts)
    {
        Gauge(text, "build_info", 1, "Always 1; the version as a label.", new Label("version", status.Version));
        Gauge(text, "start_timestamp_seconds", status.StartedUnixMs / 1000.0, "When the aggregator started.");
        Gauge(text, "nodes", status.Nodes, "Nodes that have ever connected.");
        Gauge(text, "nodes_live", status.LiveNodes, "Nodes that are connected and send in time.");
        Gauge(text, "series", status.Series, "Series in the store.");
        Gauge(text, "oldest_sample_timestamp_seconds", status.OldestUnixMs / 1000.0, "Time of the oldest sample that is held.");
        Gauge(text, "store_bytes", status.StoreBytes, "What the store's files take.");
        Gauge(text, "store_limit_bytes", status.StoreLimitBytes, "Limit of the store's files; 0: the disk's alone.");
        Counter(text, "samples_total", status.SamplesTotal, "Samples taken since the start.");
        Counter(text, "frames_total", status.FramesTotal, "Frames taken since the start.");
        Counter(text, "rejected_records_total", status.RejectedRecordsTotal, "Records that were not stored, or not all of it.");
        Counter(text, "duplicate_records_total", status.DuplicateRecordsTotal, "Records that came again and were dropped.");
        Counter(text, "evicted_samples_total", status.EvictedSamplesTotal, "Samples dropped for want of room.");
        Ingest(text, status.Ingest);
        Log(text, status.Log);
        Connections(text, status.Admission);
        if (status.Storage is { } storage)
        {
            Storage(text, storage);
        }

        if (status.Sink is { } sink)
        {
            Sink(text, sink);
        }

        Alerts(text, alerts);
        OwnProcess(text, status.AllocatedBytesTotal);
    }

    private static void Ingest(ExpositionText text, GetStatusResponse.Types.IngestStatus ingest)
    {
        Counter(text, "unreadable_blocks_total", ingest.UnreadableBlocksTotal, "Blocks that could not be decoded or lean on records that never came.");
        Counter(text, "refused_values_total", ingest.RefusedValuesTotal, "Values that no measurement can have.");
        Counter(text, "refused_schemas_total", ingest.RefusedSchemasTotal, "Schemas refused: over the series quota, or against a rule.");
        Counter(text, "broken_streams_total", ingest.BrokenStreamsTotal, "Streams ended because the agent broke the contract.");
        Counter(text, "quarantined_records_total", ingest.QuarantinedRecordsTotal, "Records set aside.");
        Gauge(text, "quarantine_bytes", ingest.QuarantineBytes, "What was set aside takes.");
        Counter(text, "too_old_records_total", ingest.TooOldRecordsTotal, "Records refused because of their age.");
        Counter(text, "impossible_times_total", ingest.ImpossibleTimesTotal, "Records refused because nothing told their time.");
        Counter(text, "rebased_frames_total", ingest.RebasedFramesTotal, "Frames whose host's clock was off, stored under the right time.");
        Counter(text, "throttles_total", ingest.ThrottlesTotal, "Times that an agent was asked to wait.");
        Counter(text, "late_rows_total", ingest.LateRowsTotal, "Rows that came after newer ones of their schema.");
    }

    private static void Log(ExpositionText text, GetStatusResponse.Types.LogStatus log)
    {
        Gauge(text, "wal_healthy", log.Healthy ? 1 : 0, "1: what comes in can be made durable. 0: nothing is acknowledged.");
        Gauge(text, "wal_bytes", log.Bytes, "What the write-ahead log takes.");
        Gauge(text, "wal_limit_bytes", log.LimitBytes, "Limit of the write-ahead log.");
        Counter(text, "wal_syncs_total", log.SyncsTotal, "Times the write-ahead log was synced.");
        Counter(text, "wal_errors_total", log.SyncErrorsTotal + log.WriteErrorsTotal, "Writes and syncs of the write-ahead log that failed.");
        Counter(text, "wal_forced_releases_total", log.ForcedReleasesTotal, "Times the log let go of records that no file had yet.");
        Gauge(text, "wal_lost_records", log.LostRecords, "Records that damage had taken at the last start.");
    }

    private static void Connections(ExpositionText text, GetStatusResponse.Types.AdmissionStatus admission)
    {
        Gauge(text, "connections", admission.OpenConnections, "Open connections.");
        Counter(text, "connections_accepted_total", admission.AcceptedTotal, "Connections whose address might open them.");
        Counter(text, "connections_refused_total", admission.RefusedRateTotal + admission.RefusedFullTotal, "Connections closed because there were too many.");
        Counter(text, "handshakes_total", admission.HandshakesTotal, "TLS handshakes that succeeded.");
        Counter(text, "handshakes_failed_total", admission.FailedHandshakesTotal + admission.TimedOutHandshakesTotal, "TLS handshakes that did not.");
    }

    private static void Storage(ExpositionText text, GetStatusResponse.Types.StorageStatus storage)
    {
        Gauge(text, "store_healthy", storage.Healthy ? 1 : 0, "1: the disk takes files. 0: samples stay in memory and in the log.");
        Gauge(text, "store_memory_bytes", storage.MemoryBytes, "What the store holds in memory.");
        Counter(text, "store_flushes_total", storage.FlushesTotal, "Times memory was written into files.");
        Counter(text, "store_errors_total", storage.FailedFlushesTotal + storage.FailedMergesTotal, "Flushes and merges that failed.");
        Counter(text, "store_damaged_reads_total", storage.DamagedReadsTotal + storage.UnreadableReadsTotal, "Stretches of files left out of answers.");
        Counter(text, "store_dropped_samples_total", storage.DroppedSamplesTotal, "Samples dropped for want of room on the disk.");
        Counter(text, "store_forgotten_series_total", storage.ForgottenSeriesTotal, "Silent series forgotten because there were too many.");
        Gauge(text, "store_inactive_series", storage.InactiveSeries, "Series that nobody feeds any more.");
    }

    private static void Sink(ExpositionText text, GetStatusResponse.Types.SinkStatus sink)
    {
        Gauge(text, "sink_healthy", sink.Healthy ? 1 : 0, "1: the engine took the last request.");
        Gauge(text, "sink_lag_seconds", sink.LagMs / 1000.0, "Age of the newest record that was sent, while others wait.");
        Gauge(text, "sink_waiting_records", sink.WaitingRecords, "Records that wait for the engine.");
        Counter(text, "sink_samples_total", sink.SamplesTotal, "Samples that the engine took.");
        Counter(text, "sink_retries_total", sink.RetriesTotal, "Requests that were sent again.");
        Counter(text, "sink_dead_letters_total", sink.DeadLettersTotal + sink.DeadLettersLostTotal, "Lines that the engine refused as bad.");
        Counter(text, "sink_skipped_records_total", sink.SkippedRecordsTotal, "Records that were gone before they could be sent.");
    }

    private static void Alerts(ExpositionText text, AlertService alerts)
    {
        Gauge(text, "alerts_firing", alerts.Board.Firing, "Things that are wrong now.");
        Counter(text, "alerts_left_out_total", (ulong)alerts.Board.LeftOut, "Times that an alert found no room.");
        PerReceiver("alert_notices_total", MetricKind.Counter, "Notices that a receiver took.", outbox => outbox.Sent);
        PerReceiver("alert_failures_total", MetricKind.Counter, "Requests that a receiver did not take.", outbox => outbox.Failures);
        PerReceiver("alert_dropped_total", MetricKind.Counter, "Notices that found no room in the queue of a receiver.", outbox => outbox.Dropped);
        PerReceiver("alert_pending", MetricKind.Gauge, "Notices that a receiver has not taken yet.", outbox => outbox.Pending);

        void PerReceiver(string name, MetricKind kind, string help, Func<AlertOutbox, long> value)
        {
            if (alerts.Outboxes.Count > 0)
            {
                text.Family(Prefix + name, kind, help);
            }

            foreach (AlertOutbox outbox in alerts.Outboxes)
            {
                text.Sample(Prefix + name, [new Label("receiver", outbox.Receiver.Name)], value(outbox));
            }
        }
    }

    // The names that every client library of Prometheus has for a process, so that dashboards for processes fit.
    private static void OwnProcess(ExpositionText text, ulong allocatedBytes)
    {
        using Process own = Process.GetCurrentProcess();
        text.Single("process_cpu_seconds_total", MetricKind.Counter, own.TotalProcessorTime.TotalSeconds, "Processor time of this process.");
        text.Single("process_resident_memory_bytes", MetricKind.Gauge, own.WorkingSet64, "Resident memory of this process.");
        text.Single("process_threads", MetricKind.Gauge, own.Threads.Count, "Threads of this process.");
        if (OperatingSystem.IsLinux())
        {
            text.Single("process_open_fds", MetricKind.Gauge, Directory.EnumerateFileSystemEntries("/proc/self/fd").Count(), "Open descriptors of this process.");
        }

        Counter(text, "allocated_bytes_total", allocatedBytes, "Memory allocated since the start; its rate is the collector's load.");
        Gauge(text, "heap_bytes", GC.GetTotalMemory(forceFullCollection: false), "Managed memory in use.");
    }

    private static void Gauge(ExpositionText text, string name, double value, string help, params ReadOnlySpan<Label> labels) =>
        text.Family(Prefix + name, MetricKind.Gauge, help).Sample(Prefix + name, labels, value);

    private static void Counter(ExpositionText text, string name, ulong value, string help) => text.Single(Prefix + name, MetricKind.Counter, value, help);
}
