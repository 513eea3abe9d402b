using NodeAgent.Journal;

namespace NodeAgent.Agent.Spool;

/// <summary>A disk that comes back after a start without it. All of this is the disk thread's own.</summary>
internal sealed partial class DurableSpool
{
    // A disk that could not be opened is tried again after this, doubling up to the longest.
    private static readonly TimeSpan s_firstRetry = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan s_longestRetry = TimeSpan.FromMinutes(2);

    private long _retryAt;
    private TimeSpan _retryDelay = s_firstRetry;
    private SpoolCounts _carried; // of the epoch that was here before: counted once, however often the directory is tried

    private bool TryOpenLate()
    {
        if (_clock.GetTimestamp() < _retryAt)
        {
            return false;
        }

        _retryDelay = _retryDelay * 2 > s_longestRetry ? s_longestRetry : _retryDelay * 2;
        _retryAt = _clock.GetTimestamp() + Ticks(_retryDelay);
        if (!TryLookForBacklog(out bool hasBacklog, out SpoolCounts earlier))
        {
            return false;
        }

        if (hasBacklog)
        {
            Inherit();
            return false;
        }

        if (!TryOpen(Epoch, out SpoolDisk? disk, out SpoolStart? start, out OpenError? error))
        {
            return false;
        }

        if (earlier != _carried)
        {
            _ledger.Carry(earlier);
            _carried = earlier;
        }

        // Records were sent from memory: were this not noted, the next life could give out their sequences again.
        if (!disk.TrySaveState(NextSequence, always: true))
        {
            disk.Dispose();
            return false;
        }

        _log.Opened(_plan.Directory, disk.Files, start, NextSequence);
        lock (_readLock)
        {
            _reader = new SpoolReader(disk, _ledger, Schemas, _clock);
        }

        lock (_lock)
        {
            _disk = disk;
            _durable = _given = _ring.First - 1;
            _waitingSince = _clock.GetTimestamp();
            _failure = "";
        }

        return true;
    }

    // What an earlier life left under its epoch cannot be mixed with the sequences that this life has given out meanwhile.
    private bool TryLookForBacklog(out bool hasBacklog, out SpoolCounts counts)
    {
        hasBacklog = false;
        counts = default;
        SpoolLedger ledger = new();
        string objection = _plan.Inspect?.Invoke(_plan.Directory) ?? "";
        if (objection.Length > 0 || !SpoolFiles.TryOpen(_plan, _owner, adopt: 0, _files, _clock, out SpoolFiles? files, out OpenError? error))
        {
            return false;
        }

        SpoolStart start = new(files, ledger, _plan.BootId, NowNs());
        ulong records = 0;
        foreach (Chapter chapter in start.Chapters)
        {
            records += chapter.LastSequence - chapter.FirstSequence + 1;
            hasBacklog |= !ledger.IsSettled(chapter.FirstSequence, chapter.LastSequence);
        }

        counts = files.Epoch == Epoch ? default : ledger.Counts;
        files.Dispose();
        if (hasBacklog)
        {
            _log.BacklogWaits(_plan.Directory, records);
        }

        return true;
    }

    // What this life makes stays in memory until then: it goes first all the same, and the aggregator keeps it.
    private void Inherit()
    {
        DurableSpool found = Open(_plan, _files, _clock, _random, _log);
        if (found._disk is null)
        {
            found.Close(); // the disk is away again
            return;
        }

        lock (_lock)
        {
            _failure = "the disk holds the records of an earlier life, which are sent first";
        }

        _inherited = found;
        OnReadable?.Invoke();
    }

    // True: all of it is acknowledged, and the directory is ours.
    private bool TryFinish(DurableSpool inherited, out TimeSpan next)
    {
        next = inherited.Pump();
        next = next == Timeout.InfiniteTimeSpan || next > s_firstRetry ? s_firstRetry : next;
        if (inherited.UnacknowledgedRecords > 0)
        {
            return false;
        }

        _inherited = null;
        inherited.Close();
        _retryAt = _clock.GetTimestamp();
        return true;
    }
}
