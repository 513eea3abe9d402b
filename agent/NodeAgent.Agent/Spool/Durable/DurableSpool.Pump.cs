using System.Diagnostics.CodeAnalysis;
using NodeAgent.Journal;
using NodeAgent.Journal.Files;

namespace NodeAgent.Agent.Spool;

/// <summary>The side of the spool that may wait for a disk.</summary>
internal sealed partial class DurableSpool
{
    /// <summary>How often what is acknowledged is freed, and room is looked after.</summary>
    private static readonly TimeSpan s_upkeepInterval = TimeSpan.FromSeconds(5);

    /// <summary>A disk that was full is trusted with the whole limit again after it took everything for so long.</summary>
    private static readonly TimeSpan s_shortageMemory = TimeSpan.FromMinutes(10);

    // A tick is never exactly on time: a sync that is due within a quarter of its interval is done now, so that one wake-up a tick is enough.
    private const double DueFraction = 0.75;

    // All of this is the disk thread's own.
    private byte[] _copy = new byte[4096];
    private long _syncedAt;
    private long _unsyncedBytes;
    private long _upkeepAt;
    private long _savedAt;
    private long _freedVersion;
    private long _shortSince;
    private bool _isShort;
    private bool _isBusy; // room is short, and there may be more to do about it
    private bool _isClosed;
    private long _abandonedSegments;

    /// <summary>
    /// Writes, syncs and tidies whatever is due. For one thread at a time; may take as long as the disk does.
    /// </summary>
    /// <returns>When to come back at the latest, even if nothing is appended; zero: at once.</returns>
    internal TimeSpan Pump()
    {
        if (_isClosed)
        {
            return Timeout.InfiniteTimeSpan;
        }

        if (_inherited is { } inherited && !TryFinish(inherited, out TimeSpan next))
        {
            return next;
        }

        if (_disk is null && !TryOpenLate())
        {
            return s_firstRetry;
        }

        Feed(_disk!);
        TimeSpan wait = Persist(_disk!);
        return Keep(_disk!) ? TimeSpan.Zero : wait;
    }

    /// <summary>Writes what is in memory, says that the end is an orderly one, and gives up the files. Nothing may be appended afterwards.</summary>
    internal void Close()
    {
        if (_isClosed)
        {
            return;
        }

        _isClosed = true;
        _inherited?.Close();
        _inherited = null;
        if (_disk is { } disk)
        {
            Feed(disk);
            bool isWhole = disk.TryCommit(sync: true) && disk.WrittenThrough >= NextSequence - 1 - CountEmptyTail();
            if (isWhole)
            {
                disk.TrySaveState(NextSequence, isClean: true);
            }

            lock (_readLock)
            {
                _reader?.Dispose();
                _reader = null;
                disk.Dispose();
            }
        }
    }

    public void Dispose() => Close();

    private bool TryOpen(
        ulong adopt, [NotNullWhen(true)] out SpoolDisk? disk, [NotNullWhen(true)] out SpoolStart? start, [NotNullWhen(false)] out OpenError? error)
    {
        disk = null;
        start = null;
        if (_plan.Inspect?.Invoke(_plan.Directory) is { } objection)
        {
            error = new OpenError(Journal.OpenFailure.Disk, objection);
            return false;
        }

        if (!SpoolFiles.TryOpen(_plan, _owner, adopt, _files, _clock, out SpoolFiles? files, out error))
        {
            return false;
        }

        // A directory that comes late holds nothing of this epoch: what is settled in it memory knows.
        start = new SpoolStart(files, adopt == 0 ? _ledger : new SpoolLedger(), _plan.BootId, NowNs());
        disk = new SpoolDisk(_plan, files, _ledger, Schemas, _owner, start.Boot) { OnRewriting = ForgetInMemory };
        return true;
    }

    // In the constructor: nobody else is there yet.
    private ulong Begin(SpoolDisk disk, SpoolStart start)
    {
        Epoch = disk.Files.Epoch;
        Boot = start.Boot;
        Schemas.Restore(disk.Files.Scans[0].Schemas, start.LastSchemaId);
        disk.Begin(start);
        ulong next = start.NextSequence;

        // Only when this life is noted can the next one tell what it may have done.
        bool isNoted = disk.TrySaveState(next, always: true);
        if (!start.IsCertain || !isNoted)
        {
            next = SpoolStart.JumpFrom(next, _random);
            _ledger.Settle(start.NextSequence, next - 1);
            disk.TrySaveState(next, always: true);
        }

        _log.Opened(_plan.Directory, disk.Files, start, next);
        _reader = new SpoolReader(disk, _ledger, Schemas, _clock);
        _disk = disk;
        return next;
    }

    private void Feed(SpoolDisk disk)
    {
        // While the disk fails records wait where the oldest can still be dropped; the journal's own memory comes on top of ours.
        while (disk.Error is null && TryTakeNext(out ulong sequence, out RecordKind kind, out int length, out int samples, out ulong next))
        {
            if (disk.TryWrite(sequence, kind, _copy.AsSpan(0, length), next))
            {
                _unsyncedBytes += length;
                continue;
            }

            lock (_lock)
            {
                // It was taken for given; memory may have let go of it since.
                if (_ring.First <= sequence)
                {
                    _given = sequence - 1;
                }
                else
                {
                    _ledger.Drop(sequence, sequence, (ulong)samples);
                }
            }

            return;
        }
    }

    private bool TryTakeNext(out ulong sequence, out RecordKind kind, out int length, out int samples, out ulong next)
    {
        lock (_lock)
        {
            next = _ring.Next;
            _given = Math.Max(_given, _ring.First - 1);
            while (_given + 1 < next && _ring[_given + 1].Length == 0)
            {
                _given++;
            }

            sequence = _given + 1;
            (kind, length, samples) = (default, 0, 0);
            if (sequence >= next)
            {
                return false;
            }

            RingEntry entry = _ring[sequence];
            (kind, length, samples) = (entry.Kind, entry.Length, entry.Samples);
            if (_copy.Length < length)
            {
                _copy = new byte[Math.Max(length, 2 * _copy.Length)];
            }

            entry.Bytes.CopyTo(_copy);
            _given = sequence;
            return true;
        }
    }

    private TimeSpan Persist(SpoolDisk disk)
    {
        ulong given;
        bool isOwed;
        lock (_lock)
        {
            given = _given;
            isOwed = given > _durable;
        }

        if (!isOwed && disk.Error is null)
        {
            return Timeout.InfiniteTimeSpan;
        }

        TimeSpan sinceSync = _clock.GetElapsedTime(_syncedAt);
        TimeSpan due = _plan.SyncInterval * DueFraction;
        bool sync = disk.Error is not null || sinceSync >= due || _unsyncedBytes >= _plan.SyncBytes;
        bool wasFailing = disk.Error is not null;
        bool done = disk.TryCommit(sync);
        bool hasTrouble = !done || disk.AbandonedSegments != _abandonedSegments;
        _abandonedSegments = disk.AbandonedSegments;
        if (hasTrouble && disk.NoticeVanished(MemoryFrom))
        {
            // Memory still has the newest records; they are written again, all of them.
            WriteAgain();
            _log.Vanished(_plan.Directory, Counts.LostRecords);
            return done ? TimeSpan.Zero : s_firstRetry;
        }

        if (!done)
        {
            Fail(disk);
            return s_firstRetry;
        }

        if (!sync)
        {
            // Not a whole interval: the next tick would again find that it came too soon, and every second would have two wake-ups for ever.
            return due - sinceSync;
        }

        _syncedAt = _clock.GetTimestamp();
        _unsyncedBytes = 0;
        MarkDurable(given);
        return wasFailing ? TimeSpan.Zero : Timeout.InfiniteTimeSpan;
    }

    private void WriteAgain()
    {
        lock (_lock)
        {
            _given = _durable = _ring.First - 1;
            _waitingSince = _clock.GetTimestamp();
        }
    }

    private void MarkDurable(ulong through)
    {
        bool grew;
        bool isHealed;
        lock (_lock)
        {
            _durable = Math.Max(_durable, through);
            _waitingSince = _clock.GetTimestamp();
            isHealed = _failure.Length > 0;
            _failure = "";
            grew = RaiseReadableNeedsLock();
            TrimNeedsLock();
        }

        if (isHealed)
        {
            _log.Healed(_plan.Directory);
        }

        if (grew)
        {
            (OnSynced ?? OnReadable)?.Invoke();
        }
    }

    private void Fail(SpoolDisk disk)
    {
        JournalError? error = disk.Error;
        string reason = error?.ToString() ?? "the disk fails";
        lock (_lock)
        {
            _failure = reason;
        }

        _log.Failed(_plan.Directory, reason);
        if (error?.Errno is Errno.NoSpace or Errno.QuotaExceeded)
        {
            _isShort = true;
            _shortSince = _clock.GetTimestamp();
            SpoolCounts before = Counts;
            disk.MakeRoom(NextSequence);
            _log.Shortened(before, Counts);
        }
    }

    /// <summary>Upkeep. True: there is more to do at once.</summary>
    private bool Keep(SpoolDisk disk)
    {
        long now = _clock.GetTimestamp();
        if (disk.Error is null && disk.HasUnsavedDrops)
        {
            disk.TrySaveState(NextSequence);
        }

        if (!_isBusy && _clock.GetElapsedTime(_upkeepAt, now) < s_upkeepInterval)
        {
            return false;
        }

        _upkeepAt = now;
        ulong next = NextSequence;
        if (_freedVersion != _ledger.Version)
        {
            _freedVersion = _ledger.Version;
            disk.FreeSettled(next);
        }

        if (_clock.GetElapsedTime(_savedAt, now) >= SpoolDisk.StateInterval)
        {
            _savedAt = now;
            disk.TrySaveState(next);
        }

        if (_isShort && disk.Error is null && _clock.GetElapsedTime(_shortSince, now) >= s_shortageMemory)
        {
            _isShort = false;
            disk.ForgetShortage();
        }

        SpoolCounts before = Counts;
        _isBusy = disk.RelievePressure(next);
        _log.Shortened(before, Counts);
        return _isBusy;
    }

    private ulong MemoryFrom
    {
        get
        {
            lock (_lock)
            {
                return _ring.First;
            }
        }
    }

    private ulong CountEmptyTail()
    {
        lock (_lock)
        {
            ulong count = 0;
            for (ulong sequence = _ring.Next - 1; sequence >= _ring.First && sequence > 0 && _ring[sequence].Length == 0; sequence--)
            {
                count++;
            }

            return count;
        }
    }

    private ulong NowNs() => (ulong)(_clock.GetTimestamp() * (1e9 / _clock.TimestampFrequency));
}
