using NodeAgent.Agent.Frames;
using NodeAgent.Journal;
using NodeAgent.Journal.Files;

namespace NodeAgent.Agent.Spool;

/// <summary>
/// Writes a spool's files and keeps them within their limit. Everything here happens on one thread, which may wait for the disk; only
/// <see cref="Index"/> and the journals are read by others.
/// </summary>
internal sealed class SpoolDisk(SpoolPlan plan, SpoolFiles files, SpoolLedger ledger, SchemaBook book, ulong owner, uint boot) : IDisposable
{
    /// <summary>How often what was acknowledged is noted, when it changed. So long may a restart take acknowledged records for owed ones.</summary>
    internal static readonly TimeSpan StateInterval = TimeSpan.FromSeconds(60);

    private readonly ChapterThinner _thinner = new(files, ledger, book);
    private readonly List<BookedSchema> _schemas = [];
    private readonly ProtoWriter _preamble = new();
    private readonly ProtoWriter _scratch = new();
    private byte[] _payload = new byte[4096];
    private Chapter? _open; // the chapter that grows
    private bool _isEchoed; // it has its schemas a second time
    private ulong _serial = files.NewestState?.Serial ?? 0;
    private long _savedVersion = -1;
    private ulong _savedDrops = files.NewestState?.Counts.DroppedRecords ?? 0;
    private readonly long[] _vanished = new long[SpoolFiles.Tiers];
    private long _room = long.MaxValue; // what the disk turned out to have for us, when that is less than the limit

    internal ChapterIndex Index { get; } = new();

    /// <summary>Called before a chapter is thinned out or dropped, with its last sequence: memory must not hold what the files will hold differently.</summary>
    internal Action<ulong>? OnRewriting { get; set; }

    internal SpoolFiles Files => files;

    /// <summary>The sequence of the last record that was given to the journal.</summary>
    internal ulong WrittenThrough { get; private set; }

    /// <summary>The journal's last failure; null when all is well.</summary>
    internal JournalError? Error { get; private set; }

    /// <summary>Failed syncs since the spool was opened.</summary>
    internal long SyncErrors { get; private set; }

    /// <summary>Files given up after a failed call, so far.</summary>
    internal long AbandonedSegments => files[0].AbandonedSegments;

    /// <summary>Bytes in files, as of the last look.</summary>
    internal long DiskBytes { get; private set; } = files.DiskBytes;

    /// <summary>Takes over what was found.</summary>
    internal void Begin(SpoolStart start)
    {
        foreach (Chapter chapter in start.Chapters)
        {
            Index.Add(chapter);
        }

        WrittenThrough = start.NextSequence - 1;
    }

    /// <summary>Records were dropped and no state on disk says so yet: a crash now would leave it to the next life to find out.</summary>
    internal bool HasUnsavedDrops => ledger.Counts.DroppedRecords != _savedDrops;

    /// <summary>Gives one record to the journal, in memory so far. False: it waits for the disk and has no room for more.</summary>
    internal bool TryWrite(ulong sequence, RecordKind kind, ReadOnlySpan<byte> message, ulong nextSequence)
    {
        bool isHead = _open is null || (kind == RecordKind.KeyFrame && _open.Bytes >= plan.ChapterBytes);
        bool isEcho = !isHead && !_isEchoed && kind == RecordKind.KeyFrame && _open!.Bytes >= SpoolPlan.EchoBytes;
        _schemas.Clear();
        if (isHead || isEcho)
        {
            book.CopyUsedAt(sequence, _schemas);
        }
        else if (kind != RecordKind.Single)
        {
            book.CopyFirstUsedAt(sequence, _schemas);
        }

        // What became of the sequences before a hole is told together with what follows it: after a crash they are not taken for lost.
        bool isAfterHole = sequence != WrittenThrough + 1;
        bool hasPreamble = isHead || isAfterHole || _schemas.Count > 0;
        ReadOnlySpan<byte> payload = message;
        if (hasPreamble)
        {
            StoredRecord.WritePreamble(_preamble, isHead || isAfterHole ? State(ledger.Counts, nextSequence) : null, _schemas, _scratch);
            payload = StoredRecord.Join(_preamble.Written, message, ref _payload);
        }

        AppendResult taken = files[0].TryAppend(StoredRecord.TypeOf(kind, hasPreamble, isHead), payload);
        if (taken.Outcome == AppendOutcome.TooLarge)
        {
            // With all its schemas it is larger than any record may be. It counts as dropped, and the stream goes on.
            ledger.Drop(sequence, sequence, 0);
            WrittenThrough = sequence;
            return true;
        }

        if (!taken.IsTaken)
        {
            return false;
        }

        _isEchoed = !isHead && (_isEchoed || isEcho);
        if (isHead)
        {
            _open = new Chapter(0, taken.Id, sequence) { Bytes = payload.Length };
            Index.Add(_open);
        }
        else
        {
            Index.Extend(_open!, taken.Id, sequence, payload.Length);
        }

        WrittenThrough = sequence;
        return true;
    }

    /// <summary>Gives what was written to the operating system, and syncs it if asked.</summary>
    internal bool TryCommit(bool sync)
    {
        bool done = (sync ? files[0].Commit() : files[0].Flush()) == CommitOutcome.Done;
        if (!done)
        {
            JournalStatus status = files[0].Status();
            Error = status.Error;
            SyncErrors = status.Counters.SyncErrors;
        }
        else if (Error is not null)
        {
            Error = null;
        }

        return done;
    }

    /// <summary>
    /// Somebody removed files. Counts what was in them and in no memory, and begins a new chapter, since the schemas may be gone as well.
    /// </summary>
    /// <param name="memoryFrom">The first sequence that memory still has.</param>
    internal bool NoticeVanished(ulong memoryFrom)
    {
        bool any = false;
        for (int tier = 0; tier < SpoolFiles.Tiers; tier++)
        {
            JournalStatus status = files[tier].Status();
            if (status.Counters.VanishedRecords == _vanished[tier])
            {
                continue;
            }

            any = true;
            _vanished[tier] = status.Counters.VanishedRecords;
            foreach (Chapter chapter in Index.Snapshot().Where(chapter => chapter.Tier == tier && chapter.FirstId < status.FirstHeldId))
            {
                ulong last = Math.Min(chapter.LastSequence, memoryFrom - 1);
                if (last >= chapter.FirstSequence)
                {
                    ledger.Drop(chapter.FirstSequence, last, 0, isLost: true);
                }

                Index.Remove(chapter);
                _open = chapter == _open ? null : _open;
            }
        }

        return any;
    }

    /// <summary>Notes the state durably, if it changed since.</summary>
    internal bool TrySaveState(ulong nextSequence, bool isClean = false, bool always = false)
    {
        long version = ledger.Version;
        if (version == _savedVersion && !isClean && !always)
        {
            return true;
        }

        ledger.Forget(Floor());
        ulong drops = ledger.Counts.DroppedRecords;
        _scratch.Clear();
        (State(ledger.Counts, nextSequence) with { IsClean = isClean }).Write(_scratch);
        AppendResult taken = files.State.TryAppend(StoredRecord.TypeOfMark, _scratch.Written);
        if (!taken.IsTaken || files.State.Commit() != CommitOutcome.Done)
        {
            return false;
        }

        files.State.ReleaseUpTo(taken.Id - 1);
        _savedVersion = version;
        _savedDrops = drops;
        return true;
    }

    /// <summary>Frees chapters of which nothing is owed any more.</summary>
    internal void FreeSettled(ulong nextSequence)
    {
        List<Chapter>? settled = null;
        for (int i = 0; Index.At(i) is { } chapter; i++)
        {
            if (chapter != _open && ledger.IsSettled(chapter.FirstSequence, chapter.LastSequence))
            {
                (settled ??= []).Add(chapter);
            }
        }

        if (settled is null)
        {
            return;
        }

        // First the note, then the deed: else what is gone would look like a loss after a crash.
        if (TrySaveState(nextSequence))
        {
            settled.ForEach(Index.Remove);
            Release(settled.Max(chapter => chapter.Tier));
        }
    }

    /// <summary>
    /// Does one thing against shortage of room: thins out the oldest chapter of a tier that has more than its share, or drops the oldest of all.
    /// </summary>
    /// <returns>True: something was done, and perhaps there is more to do.</returns>
    internal bool RelievePressure(ulong nextSequence)
    {
        DiskBytes = files.DiskBytes;
        if (_thinner.Pending is not null)
        {
            return TryFinishThinning();
        }

        long limit = Math.Min(plan.MaxBytes, _room);
        if (DiskBytes <= limit - plan.ReserveBytes)
        {
            return false;
        }

        // Of the room a half is for what is as it was sampled, and a quarter for each of the coarser ones.
        long ten = files[1].DiskBytes;
        long sixty = files[2].DiskBytes;
        if (sixty > limit / 4)
        {
            return TryDropOldest(nextSequence);
        }

        Chapter? victim = ten > limit / 4 ? Closed(Index.OldestOf(1)) : Closed(Index.OldestOf(0)) ?? Closed(Index.OldestOf(1));
        if (victim is null)
        {
            return TryDropOldest(nextSequence);
        }

        OnRewriting?.Invoke(victim.LastSequence);
        return _thinner.TryThin(victim, counts => State(counts, nextSequence) with { SupersededThrough = victim.LastSequence })
            ? TryFinishThinning()
            : TryDropOldest(nextSequence);
    }

    /// <summary>
    /// The disk has no room although the limit is not reached: others fill it. Gives back what can be spared, oldest first, until a file is gone.
    /// </summary>
    internal void MakeRoom(ulong nextSequence)
    {
        long before = DiskBytes = files.DiskBytes;
        FreeSettled(nextSequence);
        while (files.DiskBytes >= before && TryDropOldest(nextSequence))
        {
            // A chapter is less than a file.
        }

        DiskBytes = files.DiskBytes;
        _room = Math.Max(DiskBytes + plan.SegmentBytes, SpoolPlan.LeastBytes);
    }

    /// <summary>The disk takes what comes again: the limit counts as it is written.</summary>
    internal void ForgetShortage() => _room = long.MaxValue;

    public void Dispose() => files.Dispose();

    private bool TryFinishThinning()
    {
        Chapter source = _thinner.Pending!;
        if (!_thinner.TryFinish(out Chapter? made))
        {
            return false;
        }

        Index.Replace(source, made);
        Release(source.Tier);
        return true;
    }

    private bool TryDropOldest(ulong nextSequence)
    {
        if (Closed(Index.At(0)) is not { } oldest)
        {
            return false;
        }

        OnRewriting?.Invoke(oldest.LastSequence);
        _thinner.CountDropped(oldest);
        if (_thinner.Pending == oldest)
        {
            _thinner.GiveUpPending();
        }

        // A disk that is full cannot take the note, but needs the room most; then the count is kept in memory until it can.
        TrySaveState(nextSequence);
        Index.Remove(oldest);
        Release(oldest.Tier);
        return true;
    }

    private void Release(int upToTier)
    {
        for (int tier = 0; tier <= upToTier; tier++)
        {
            ulong previousEnd = 0;
            foreach (Chapter chapter in Index.Snapshot().Where(chapter => chapter.Tier == tier))
            {
                if (previousEnd == 0)
                {
                    files[tier].ReleaseUpTo(chapter.FirstId - 1);
                }
                else if (chapter.FirstId > previousEnd + 1)
                {
                    files[tier].DeleteWithin(previousEnd + 1, chapter.FirstId - 1);
                }

                previousEnd = chapter.LastId;
            }

            if (previousEnd == 0)
            {
                files[tier].ReleaseUpTo(files[tier].Status().NextId - 1);
            }
        }

        DiskBytes = files.DiskBytes;
    }

    // The end of a chapter that is not synced yet cannot be read.
    private Chapter? Closed(Chapter? chapter) =>
        chapter is null || chapter == _open || files[chapter.Tier].DurableId < chapter.LastId ? null : chapter;

    // What is not written yet is above it, even when there is no chapter.
    private ulong Floor() => Index.At(0)?.FirstSequence ?? WrittenThrough + 1;

    private SpoolState State(SpoolCounts counts, ulong nextSequence)
    {
        ulong floor = Floor();
        return new SpoolState
        {
            Serial = ++_serial,
            Epoch = files.Epoch,
            Owner = owner,
            BootId = plan.BootId,
            Boot = boot,
            NextSequence = nextSequence,
            LastSchemaId = book.LastId,
            Floor = floor,
            Counts = counts,
            Settled = ledger.SettledFrom(floor),
        };
    }
}
