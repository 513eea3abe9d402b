using NodeAgent.Aggregator.Ingest;
using NodeAgent.Journal;
using NodeAgent.Tsdb;
using NodeAgent.V1;

namespace NodeAgent.Aggregator.Query;

/// <summary>What ingest counts, as the status shows it.</summary>
internal static class IngestStatus
{
    internal static GetStatusResponse.Types.IngestStatus OfIngest(IngestCore ingest, in StoreStats stats)
    {
        IngestCounters counters = ingest.Counters;
        (long records, long bytes) = ingest.Quarantine.Held();
        return new GetStatusResponse.Types.IngestStatus
        {
            UnreadableBlocksTotal = (ulong)counters.UnreadableBlocks,
            RefusedBlocksTotal = (ulong)counters.RefusedBlocks,
            RefusedValuesTotal = (ulong)counters.RefusedValues,
            RefusedSchemasTotal = (ulong)stats.SchemasRefused,
            BrokenStreamsTotal = (ulong)counters.BrokenStreams,
            DeadLettersTotal = (ulong)counters.DeadLetters,
            QuarantinedRecordsTotal = (ulong)counters.QuarantinedRecords,
            QuarantineRecords = (ulong)records,
            QuarantineBytes = (ulong)bytes,
            QuarantineLostTotal = (ulong)ingest.Quarantine.Lost,
            TooOldRecordsTotal = (ulong)counters.TooOldRecords,
            ImpossibleTimesTotal = (ulong)counters.ImpossibleTimes,
            RebasedFramesTotal = (ulong)counters.RebasedFrames,
            ThrottlesTotal = (ulong)counters.Throttles,
            OverQuotaStreamsTotal = (ulong)counters.OverQuota,
            LateRowsTotal = (ulong)(stats.RowsLate + stats.RowsOutOfOrder),
            EventsLostByFollowersTotal = (ulong)ingest.Events.LostByFollowers,
        };
    }

    internal static GetStatusResponse.Types.LogStatus OfLog(IngestCore ingest)
    {
        JournalStatus status = ingest.Wal.Status();
        return new GetStatusResponse.Types.LogStatus
        {
            Healthy = !ingest.Wal.IsFailing,
            Error = status.Error?.ToString() ?? "",
            Bytes = (ulong)status.DiskBytes,
            LimitBytes = (ulong)ingest.Options.WalMaxBytes,
            PendingBytes = (ulong)status.PendingBytes,
            AppendedRecordsTotal = (ulong)status.Counters.AppendedRecords,
            SyncsTotal = (ulong)status.Counters.Syncs,
            SyncErrorsTotal = (ulong)status.Counters.SyncErrors,
            WriteErrorsTotal = (ulong)status.Counters.WriteErrors,
            ForcedReleasesTotal = (ulong)ingest.Wal.ForcedReleases,
            ReplayedRecords = (ulong)ingest.Counters.ReplayedRecords,
            ReplaySkippedRecords = (ulong)ingest.Counters.ReplaySkipped,
            LostRecords = (ulong)ingest.Counters.ReplayLosses,
        };
    }
}
