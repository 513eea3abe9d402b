using NodeAgent.Journal.Files;
using NodeAgent.Journal.Reading;
using NodeAgent.Journal.Segments;
using NodeAgent.Journal.Writing;

namespace NodeAgent.Journal.Recovery;

/// <summary>
/// Opens what an earlier life left, wherever that ended: finds the segments by what is in them, reads every record once, cuts an
/// unfinished end, and makes what it found durable before anyone builds on it. Appending never goes on in an old file.
/// </summary>
internal sealed class LogRecovery(IFileOps files, JournalOptions options, TimeProvider time, RecordFound? found = null)
{
    private const int MaxReadAttempts = 3;

    private readonly Quarantine _quarantine = new(files, options.Directory, options.MaxQuarantineBytes);
    private readonly SegmentCatalog _catalog = new();
    private readonly List<ulong> _namelessNumbers = [];
    private ulong _highestNumber;
    private long _tornBytes;

    public OpenError? TryRun(out RecoveredLog? log)
    {
        log = null;
        if (TryInspect(out List<SegmentCandidate> candidates) is { } notListed) return notListed;

        Guid journalId = options.JournalId ?? candidates.Find(candidate => !candidate.IsNameless)?.JournalId ?? options.NewId();
        if (SetForeignAside(candidates, journalId) is { } refused) return refused;
        SetNamelessAside(candidates);
        SetDuplicatesAside(candidates);
        candidates.Sort((left, right) => left.Number.CompareTo(right.Number));

        ulong floor = candidates.Aggregate(1UL, (highest, candidate) => Math.Max(highest, candidate.Floor));
        DeleteReleased(candidates, floor);
        bool isHeadHarmed = candidates is [{ } first, ..] && _namelessNumbers.Exists(number => number < first.Number);
        var ledger = new LossLedger(floor, isHeadHarmed);
        if (Scan(candidates, journalId, ledger) is { } unreadable) return unreadable;

        // What is missing at the head was told; from here on it counts as released.
        var start = new LogStart(journalId, _highestNumber + 1, ledger.ExpectedId, floor + ledger.MissingAtHead);
        log = new RecoveredLog(_catalog, start, Report(start, floor, ledger));
        return null;
    }

    private OpenError? TryInspect(out List<SegmentCandidate> candidates)
    {
        candidates = [];
        var names = new List<string>();
        IoResult listed = files.List(options.Directory, names);
        if (!listed.Ok) return Disk("list", options.Directory, listed);

        names.Sort(StringComparer.Ordinal);
        foreach (string name in names.Where(SegmentName.IsSegment))
        {
            if (SegmentName.TryParse(name, out ulong number)) _highestNumber = Math.Max(_highestNumber, number);
            IoResult inspected = SegmentCandidate.Inspect(files, options.Directory, name, out SegmentCandidate candidate);
            if (!inspected.Ok) return Disk("open segment", candidate.Path, inspected);
            if (!candidate.IsNameless) _highestNumber = Math.Max(_highestNumber, candidate.Number);
            candidates.Add(candidate);
        }

        return LookAgainAtUnreadable(candidates);
    }

    /// <summary>
    /// A file may have a bad sector in the one place that names it. A disk that gives nothing else either is away, and will come back with all
    /// of it: then nothing may be set aside (found by simulation: a burst of failing reads at the start took a whole backlog).
    /// </summary>
    private OpenError? LookAgainAtUnreadable(List<SegmentCandidate> candidates)
    {
        for (int i = 0; i < candidates.Count; i++)
        {
            if (!candidates[i].IsUnreadable) continue;
            SegmentCandidate? sound = candidates.Find(candidate => !candidate.IsNameless);
            bool isDiskThere = sound is not null && SegmentCandidate.Inspect(files, options.Directory, sound.Name, out sound).Ok && !sound.IsNameless;
            IoResult inspected = SegmentCandidate.Inspect(files, options.Directory, candidates[i].Name, out SegmentCandidate again);
            if (!inspected.Ok || (again.IsUnreadable && !isDiskThere)) return Disk("read segment", again.Path, IoResult.Fail(Errno.InputOutput));
            if (!again.IsNameless) _highestNumber = Math.Max(_highestNumber, again.Number);
            candidates[i] = again;
        }

        return null;
    }

    private OpenError? SetForeignAside(List<SegmentCandidate> candidates, Guid journalId)
    {
        foreach (SegmentCandidate candidate in candidates.Where(file => !file.IsNameless && (file.IsNewer || file.JournalId != journalId)).ToList())
        {
            if (options.Foreign == ForeignSegments.Refuse)
            {
                return candidate.IsNewer
                    ? new OpenError(OpenFailure.NewerVersion, $"{candidate.Path} was written by a later version")
                    : new OpenError(OpenFailure.Foreign, $"{candidate.Path} belongs to journal {candidate.JournalId}, not {journalId}");
            }

            _quarantine.Move(candidate, candidate.IsNewer ? "newer" : "foreign");
            candidates.Remove(candidate);
        }

        return null;
    }

    /// <summary>A file without one good block: the beginning of a segment that never came to be, or one that is wholly destroyed.</summary>
    private void SetNamelessAside(List<SegmentCandidate> candidates)
    {
        foreach (SegmentCandidate candidate in candidates.Where(file => file.IsNameless).ToList())
        {
            if (candidate.Bytes == 0) files.DeleteRetrying(candidate.Path);
            else _quarantine.Move(candidate, "nameless");
            if (SegmentName.TryParse(candidate.Name, out ulong number)) _namelessNumbers.Add(number);
            _tornBytes += candidate.Bytes;
            candidates.Remove(candidate);
        }
    }

    private void SetDuplicatesAside(List<SegmentCandidate> candidates)
    {
        foreach (IGrouping<ulong, SegmentCandidate> same in candidates.GroupBy(file => file.Number).Where(same => same.Count() > 1).ToList())
        {
            SegmentCandidate kept = same.FirstOrDefault(candidate => candidate.Name == SegmentName.Of(same.Key)) ?? same.First();
            foreach (SegmentCandidate other in same.Where(candidate => candidate != kept))
            {
                _quarantine.Move(other, "duplicate");
                candidates.Remove(other);
            }
        }
    }

    /// <summary>Files that were deleted before a crash and came back, because the directory was not synced yet.</summary>
    private void DeleteReleased(List<SegmentCandidate> candidates, ulong floor)
    {
        while (candidates.Count > 1 && candidates[1].FirstId <= floor)
        {
            // When it cannot be deleted it stays unused; the next opening tries again.
            files.DeleteRetrying(candidates[0].Path);
            candidates.RemoveAt(0);
        }
    }

    private OpenError? Scan(List<SegmentCandidate> candidates, Guid journalId, LossLedger ledger)
    {
        uint newest = candidates.Count == 0 ? 0 : candidates.Max(candidate => candidate.WrittenUnixSeconds);
        for (int i = 0; i < candidates.Count; i++)
        {
            bool isLast = i == candidates.Count - 1;
            ulong supersededFrom = isLast ? ulong.MaxValue : candidates[i + 1].FirstId;
            if (ScanSegment(candidates[i], journalId, supersededFrom, isLast, newest, ledger) is { } error) return error;
        }

        IoResult synced = files.SyncDirectory(options.Directory);
        return synced.Ok ? null : Disk("sync directory", options.Directory, synced);
    }

    private OpenError? ScanSegment(
        SegmentCandidate file, Guid journalId, ulong supersededFrom, bool isLast, uint newestUnixSeconds, LossLedger ledger)
    {
        var reader = new SegmentReader(files, (kind, offset, bytes) => ledger.AddDamage(kind, file.Number, offset, bytes));
        IoResult opened = reader.Open(file.Path, file.Number, journalId);
        if (!opened.Ok) return Disk("open segment", file.Path, opened);

        ledger.BeginSegment(file.FirstId);
        var info = new SegmentInfo(file.Number, file.Path, file.FirstId);
        while (reader.TryRead(version: 0) && reader.Id < supersededFrom)
        {
            if (!ledger.AddRecord(file.Number, reader.Id)) continue;
            info.EndId = reader.Id + 1;
            found?.Invoke(new JournalRecord(reader.Id, reader.Type, 0, reader.Payload));
        }

        long validEnd = reader.ValidEnd;
        reader.Close();
        if (isLast)
        {
            // Behind an unreadable end the last ids are unknown, and given again they would be ambiguous.
            if (ledger.HasUnreadable(file.Number, validEnd)) return Disk("read segment", file.Path, IoResult.Fail(Errno.InputOutput));
            ledger.ForgetUnsettled(file.Number, validEnd);
            if (FinishLast(file, validEnd) is { } error) return error;
        }

        CopyDamage(file, ledger);
        ledger.Reach(file.Number, file.FirstId);
        Admit(info, isLast ? Math.Min(validEnd, file.Bytes) : file.Bytes, file.WrittenUnixSeconds, newestUnixSeconds);
        return null;
    }

    private void Admit(SegmentInfo info, long bytes, uint writtenUnixSeconds, uint newestUnixSeconds)
    {
        info.Bytes = bytes;
        info.WrittenUnixSeconds = writtenUnixSeconds;
        info.AgeAtBase = TimeSpan.FromSeconds(newestUnixSeconds - writtenUnixSeconds);
        info.BaseTimestamp = time.GetTimestamp();
        _catalog.Add(info);
    }

    private void CopyDamage(SegmentCandidate file, LossLedger ledger)
    {
        foreach (Damage damage in ledger.Damages)
        {
            if (damage.Segment == file.Number && damage.Kind is DamageKind.CorruptBytes or DamageKind.CorruptBlock)
            {
                _quarantine.Copy(file.Path, file.Number, damage.Offset, damage.Bytes);
            }
        }
    }

    /// <summary>
    /// Cuts what follows the last whole record, and makes the rest durable: it is about to be called so, and may be in the page cache only.
    /// A sync alone would not do. If one failed in the earlier life, Linux has marked those pages clean and a new sync has nothing to do
    /// (found by simulation, seed 4 of CrashTests). So every byte is written again where it is: the same bytes, which no crash can harm.
    /// </summary>
    private OpenError? FinishLast(SegmentCandidate file, long validEnd)
    {
        IoResult opened = files.OpenRetrying(file.Path, FileOpenMode.ReadWrite);
        if (!opened.Ok) return Disk("open segment", file.Path, opened);

        long torn = MeasureTorn(opened.Value, validEnd, file.Bytes);
        _tornBytes += torn;
        _quarantine.Copy(file.Path, file.Number, validEnd, torn);
        // A cut that fails is made good by the next segment, whose first id overrules what is left here.
        if (file.Bytes > validEnd) files.TruncateRetrying(opened.Value, validEnd);
        IoResult rewritten = Rewrite(opened.Value, validEnd);
        IoResult synced = rewritten.Ok ? files.Sync(opened.Value) : rewritten;
        files.Close(opened.Value);
        return synced.Ok ? null : Disk(rewritten.Ok ? "sync segment" : "rewrite segment", file.Path, synced);
    }

    private IoResult Rewrite(long handle, long length)
    {
        var buffer = new byte[SegmentFormat.BlockBytes];
        var again = new byte[SegmentFormat.BlockBytes];
        for (long offset = 0; offset < length;)
        {
            Span<byte> piece = buffer.AsSpan(0, (int)Math.Min(buffer.Length, length - offset));
            IoResult done = ReadTwice(handle, piece, again.AsSpan(0, piece.Length), offset);
            if (done.Ok) done = files.WriteAll(handle, piece, offset);
            if (!done.Ok) return done;
            offset += piece.Length;
        }

        return IoResult.Done();
    }

    // A read that went astray must not be written over what is good (found by the spool's failing-call tests).
    private IoResult ReadTwice(long handle, Span<byte> piece, Span<byte> again, long offset)
    {
        for (int attempt = 0; attempt < MaxReadAttempts; attempt++)
        {
            IoResult first = files.ReadAll(handle, piece, offset);
            IoResult second = first.Ok ? files.ReadAll(handle, again, offset) : first;
            if (!second.Ok) return second;
            // Shorter than a moment ago: somebody else is at the file.
            if (first.Value != piece.Length || second.Value != piece.Length) return IoResult.Fail(Errno.InputOutput);
            if (piece.SequenceEqual(again)) return first;
        }

        return IoResult.Fail(Errno.InputOutput);
    }

    // Zeros at the end are room that was reserved, not something torn.
    private long MeasureTorn(long handle, long start, long end)
    {
        var buffer = new byte[SegmentFormat.BlockBytes];
        long tornEnd = start;
        for (long offset = start; offset < end; offset += buffer.Length)
        {
            IoResult read = files.ReadAll(handle, buffer.AsSpan(0, (int)Math.Min(buffer.Length, end - offset)), offset);
            if (!read.Ok) continue;
            int last = buffer.AsSpan(0, (int)read.Value).LastIndexOfAnyExcept((byte)0);
            if (last >= 0) tornEnd = offset + last + 1;
        }

        return tornEnd - start;
    }

    private RecoveryReport Report(LogStart start, ulong floor, LossLedger ledger) => new()
    {
        JournalId = start.JournalId,
        Segments = _catalog.Snapshot().Length,
        Records = ledger.Records,
        Floor = floor,
        NextId = start.NextId,
        LostRecords = ledger.LostRecords,
        MissingAtHead = ledger.MissingAtHead,
        TornBytes = _tornBytes,
        Damages = ledger.Damages,
        Quarantined = _quarantine.Names,
        NotQuarantinedBytes = _quarantine.NotKeptBytes,
    };

    private static OpenError Disk(string operation, string path, IoResult result)
    {
        var cause = new JournalError(operation, path, result.Errno);
        return new OpenError(OpenFailure.Disk, $"journal: {cause}", cause);
    }
}
