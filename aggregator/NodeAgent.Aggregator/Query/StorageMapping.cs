using NodeAgent.Tsdb;
using NodeAgent.V1;

namespace NodeAgent.Aggregator.Query;

/// <summary>What the store's files are and what happened to them, as the status shows it.</summary>
internal static class StorageMapping
{
    internal static GetStatusResponse.Types.StorageStatus ToWire(Tsdb.StorageStatus storage, StoreStats stats) => new()
    {
        Healthy = storage.Error is null,
        Error = storage.Error?.ToString() ?? "",
        RawSegments = (uint)storage.RawSegments,
        MinuteSegments = (uint)storage.MinuteSegments,
        HourSegments = (uint)storage.HourSegments,
        DiskBytes = (ulong)storage.DiskBytes,
        MemoryBytes = (ulong)stats.Bytes,
        FlushesTotal = (ulong)storage.Flushes,
        FailedFlushesTotal = (ulong)storage.FailedFlushes,
        MergesTotal = (ulong)storage.Merges,
        FailedMergesTotal = (ulong)storage.FailedMerges,
        QuarantinedSegments = (ulong)storage.Quarantined.Count,
        DamagedReadsTotal = (ulong)storage.DamagedReads,
        UnreadableReadsTotal = (ulong)storage.UnreadableReads,
        ExpiredSamplesTotal = (ulong)storage.SamplesExpired,
        DroppedSamplesTotal = (ulong)storage.SamplesDroppedForRoom,
        InactiveSeries = (ulong)storage.InactiveSeries,
        ForgottenSeriesTotal = (ulong)storage.SeriesForgotten,
    };
}
