using Microsoft.Extensions.Logging;
using NodeAgent.Tsdb;

namespace NodeAgent.Aggregator.Storage;

/// <summary>
/// Tells people what the store's own threads met: they work unseen, and nothing else would say that files have not been written for an
/// hour. Looks at the store's status about once a second and speaks where it changed. One thread.
/// </summary>
internal sealed class StoreWatch(DurableStore store, ILogger log)
{
    private StorageStatus _seen = new();
    private bool _isFailing;

    /// <summary>What opening found; once, at the start.</summary>
    internal void Opened(string directory, TimeSpan took)
    {
        _seen = store.Storage();
        log.Opened(directory, store.Stats().Series, _seen.RawSegments, _seen.MinuteSegments, _seen.HourSegments, _seen.DiskBytes, took);
        foreach (string segment in _seen.Quarantined)
        {
            log.SegmentSetAside(segment);
        }

        if (_seen.UnknownSchemas > 0)
        {
            log.SchemasNotServed(_seen.UnknownSchemas);
        }
    }

    internal void Look()
    {
        StorageStatus now = store.Storage();
        LookAtDisk(now);
        if (now.SamplesDroppedForRoom > _seen.SamplesDroppedForRoom)
        {
            log.DroppedForRoom(now.SamplesDroppedForRoom - _seen.SamplesDroppedForRoom, now.DiskBytes);
        }

        if (now.SeriesForgotten > _seen.SeriesForgotten)
        {
            log.SeriesForgotten(now.SeriesForgotten - _seen.SeriesForgotten);
        }

        if (now.MergeFault is { } fault && now.MergeFault != _seen.MergeFault)
        {
            log.MergeFault(fault);
        }

        long bad = now.DamagedReads + now.UnreadableReads;
        if (bad > 0 && _seen.DamagedReads + _seen.UnreadableReads == 0)
        {
            log.ReadsFail(now.DamagedReads, now.UnreadableReads);
        }

        _seen = now;
    }

    private void LookAtDisk(StorageStatus now)
    {
        bool isFailing = now.Error is not null;
        if (isFailing && !_isFailing)
        {
            log.DiskFails(now.Error!.ToString());
        }
        else if (_isFailing && !isFailing)
        {
            log.DiskWorks(now.FailedFlushes, now.FailedMerges);
        }

        _isFailing = isFailing;
    }
}
