using NodeAgent.Journal.Files;
using NodeAgent.Journal.Segments;

namespace NodeAgent.Journal.Writing;

/// <summary>
/// Carries pending records to the disk. The rule that everything here serves: what a failed call may have harmed is not trusted again.
/// The segment is sealed where it was last known to be durable, a new one is begun, and all that is still in memory is written there.
/// Everything happens under the commit lock.
/// </summary>
internal sealed class LogWriter
{
    // Enough to get past names that somebody else put there, without a loop that could be endless.
    private const int MaxNameAttempts = 16;

    private readonly IFileOps _files;
    private readonly JournalOptions _options;
    private readonly TimeProvider _time;
    private readonly SegmentCatalog _catalog;
    private readonly CounterSet _counters;
    private readonly Guid _journalId;
    private readonly byte[] _block = new byte[SegmentFormat.BlockBytes];

    private SegmentWriter? _active;
    private ulong _nextSegmentNumber;
    private ulong _nextId;
    private ulong _floor;
    private bool _floorDue;
    private PendingPosition _durable;
    private PendingPosition _next;
    private ulong _writtenId;
    private ulong _durableId;

    public LogWriter(
        IFileOps files, JournalOptions options, TimeProvider time, SegmentCatalog catalog, CounterSet counters, LogStart start,
        PendingPosition pendingStart)
    {
        _files = files;
        _options = options;
        _time = time;
        _catalog = catalog;
        _counters = counters;
        _journalId = start.JournalId;
        _nextSegmentNumber = start.NextSegmentNumber;
        _nextId = start.NextId;
        _floor = start.Floor;
        _writtenId = _durableId = start.NextId - 1;
        _durable = _next = pendingStart;
    }

    public ulong WrittenId => Volatile.Read(ref _writtenId);

    public ulong DurableId => Volatile.Read(ref _durableId);

    public ulong Floor => Volatile.Read(ref _floor);

    /// <summary>What made the last attempt fail.</summary>
    public JournalError? LastError { get; private set; }

    /// <summary>Whether the active segment changed, so that limits should be looked at.</summary>
    public bool HasRotated { get; set; }

    /// <summary>Up to here memory may forget.</summary>
    public PendingPosition DurablePosition => _durable;

    public SegmentInfo? ActiveSegment => _active?.Info;

    /// <summary>Bytes at the front of a segment that are durable.</summary>
    public long DurableBytes(SegmentInfo segment) => _active?.Info == segment ? _active.DurableOffset : segment.Bytes;

    /// <summary>Memory has forgotten what is durable: positions before <paramref name="start"/> are no more.</summary>
    public void Rebase(PendingPosition start)
    {
        if (_next == _durable) _next = start;
        _durable = start;
    }

    /// <summary>Readers pass over what is below from now on. On the disk it is noted by the next block that is begun anyway.</summary>
    public void RaiseFloor(ulong floor) => Volatile.Write(ref _floor, Math.Max(_floor, floor));

    /// <summary>The next <see cref="TryPersist"/> with sync notes the floor on the disk: to be done before segments are deleted.</summary>
    public void DemandFloorOnDisk() => _floorDue = true;

    /// <summary>
    /// Writes, and syncs if asked, everything up to <paramref name="end"/>: at first where the journal is, and after a failure once more
    /// in a new segment. False: that failed too.
    /// </summary>
    public bool TryPersist(PendingPosition end, bool sync)
    {
        JournalError? first = Attempt(end, sync);
        if (first is null) return true;
        Abandon(first);

        JournalError? second = Attempt(end, sync);
        if (second is null) return true;
        Abandon(second);
        return false;
    }

    /// <summary>
    /// Ends the active segment and leaves behind it an empty one. Its header says which record would come next: the proof that nothing
    /// is missing before, which the last segment of a journal lacks otherwise.
    /// </summary>
    public JournalError? Seal()
    {
        if (_active is null && _catalog.Snapshot() is [.., { } last] && last.FirstId == _nextId) return null;
        if (_active is not null && _active.Info.FirstId != _nextId && SealActive() is { } notSealed) return notSealed;
        if (_active is null && OpenSegment() is { } notOpened) return notOpened;

        CountTidy(_files.Close(_active!.Handle));
        _active = null;
        return null;
    }

    /// <summary>Closes what is open, after a failure: nothing can be said about the end.</summary>
    public void Leave()
    {
        if (_active is { } active) CountTidy(_files.Close(active.Handle));
        _active = null;
    }

    /// <summary>Deletes the file; false: it stays in the catalog and is tried again later.</summary>
    public bool TryDelete(SegmentInfo segment)
    {
        IoResult deleted = _files.DeleteRetrying(segment.Path);
        if (!deleted.Ok && deleted.Errno != Errno.NoEntry)
        {
            CountTidy(deleted);
            return false;
        }

        _catalog.Remove(segment);
        _counters.DeletedSegments++;
        return true;
    }

    public void SyncDeletions() => CountTidy(_files.SyncDirectory(_options.Directory));

    private JournalError? Attempt(PendingPosition end, bool sync)
    {
        if (_active is null && OpenSegment() is { } notOpened) return notOpened;
        if (WritePending(end) is { } notWritten) return notWritten;
        if (sync && _floorDue && RecordFloor() is { } notRecorded) return notRecorded;

        IoResult flushed = _active!.Flush();
        if (!flushed.Ok) return WriteError("write segment", _active.Info.Path, flushed);
        MarkWritten();
        return sync ? SyncActive() : null;
    }

    private JournalError? WritePending(PendingPosition end)
    {
        PendingPosition position = _next;
        while (PendingRecords.TryRead(ref position, end, out byte type, out ReadOnlySpan<byte> payload))
        {
            if (!_active!.Fits(payload.Length) && Rotate() is { } notRotated) return notRotated;

            IoResult appended = _active.Append(_nextId, type, payload);
            if (!appended.Ok) return WriteError("write segment", _active.Info.Path, appended);
            _nextId++;
            _next = position;
        }

        return null;
    }

    private JournalError? Rotate()
    {
        HasRotated = true;
        return SealActive() ?? OpenSegment();
    }

    private JournalError? RecordFloor()
    {
        // A segment that was just begun carries it already.
        if (_active!.Floor < _floor)
        {
            if (!_active.TryRecordFloor(_nextId, _floor, out IoResult recorded)) return Rotate();
            if (!recorded.Ok) return WriteError("write segment", _active.Info.Path, recorded);
        }

        return null;
    }

    private JournalError? SealActive()
    {
        SegmentWriter active = _active!;
        IoResult flushed = active.Flush();
        if (!flushed.Ok) return WriteError("write segment", active.Info.Path, flushed);
        MarkWritten();
        if (SyncActive() is { } notSynced) return notSynced;

        if (_options.Preallocate) CountTidy(_files.TruncateRetrying(active.Handle, active.Offset));
        CountTidy(_files.Close(active.Handle));
        _active = null;
        return null;
    }

    private JournalError? SyncActive()
    {
        SegmentWriter active = _active!;
        IoResult synced = active.Sync(metadata: false);
        if (!synced.Ok) return SyncError("sync segment", active.Info.Path, synced);

        // A file that nobody can find again is not durable, however well it was synced.
        IoResult exists = _files.Exists(active.Info.Path);
        if (exists is { Ok: true, Value: 0 }) return Vanished(active);

        _counters.Syncs++;
        Volatile.Write(ref _durableId, _nextId - 1);
        _durable = _next;
        if (active.Floor >= _floor) _floorDue = false;
        return null;
    }

    private JournalError Vanished(SegmentWriter active)
    {
        foreach (SegmentInfo segment in _catalog.Snapshot())
        {
            if (segment != active.Info && _files.Exists(segment.Path) is not { Ok: true, Value: 0 }) continue;
            ulong end = Math.Min(segment.EndId, _durableId + 1);
            ulong first = Math.Max(segment.FirstId, _floor);
            if (end > first) _counters.VanishedRecords += (long)(end - first);
            _catalog.Remove(segment);
        }

        return WriteError("find segment", active.Info.Path, IoResult.Fail(Errno.NoEntry));
    }

    private void MarkWritten()
    {
        _active!.Info.EndId = _nextId;
        Volatile.Write(ref _writtenId, _nextId - 1);
    }

    private JournalError? OpenSegment()
    {
        IoResult opened = default;
        ulong number = 0;
        string path = "";
        for (int attempt = 0; attempt < MaxNameAttempts; attempt++)
        {
            number = _nextSegmentNumber++;
            path = Path.Combine(_options.Directory, SegmentName.Of(number));
            opened = _files.OpenRetrying(path, FileOpenMode.CreateNew);
            if (opened.Errno == Errno.NoEntry && _files.CreateDirectory(_options.Directory).Ok)
            {
                opened = _files.OpenRetrying(path, FileOpenMode.CreateNew);
            }

            if (opened.Errno != Errno.Exists) break;
        }

        if (!opened.Ok) return WriteError("create segment", path, opened);

        var info = new SegmentInfo(number, path, _nextId) { BaseTimestamp = _time.GetTimestamp() };
        var writer = new SegmentWriter(_files, opened.Value, info, _journalId, _options.SegmentBytes, _time);
        JournalError? error = Begin(writer);
        if (error is not null)
        {
            CountTidy(_files.Close(opened.Value));
            CountTidy(_files.DeleteRetrying(path));
            return error;
        }

        _active = writer;
        _catalog.Add(info);
        return null;
    }

    private JournalError? Begin(SegmentWriter writer)
    {
        if (_options.Preallocate) CountTidy(_files.Allocate(writer.Handle, _options.SegmentBytes));
        string path = writer.Info.Path;
        IoResult begun = writer.Begin(_block, _floor);
        if (!begun.Ok) return WriteError("write segment", path, begun);
        IoResult synced = writer.Sync(metadata: true);
        if (!synced.Ok) return SyncError("sync segment", path, synced);
        IoResult listed = _files.SyncDirectory(_options.Directory);
        return listed.Ok ? null : SyncError("sync directory", _options.Directory, listed);
    }

    /// <summary>
    /// Cuts the active segment where it was last durable and leaves it. Bytes behind that may be in the page cache and not on the disk,
    /// marked clean; cut off they cannot be mistaken for records after a restart. Where the cut fails, the next segment's first id
    /// overrules them.
    /// </summary>
    private void Abandon(JournalError error)
    {
        LastError = error;
        _counters.RewrittenRecords += (long)(_nextId - 1 - _durableId);
        _nextId = _durableId + 1;
        _next = _durable;
        Volatile.Write(ref _writtenId, _durableId);
        if (_active is not { } active) return;

        _active = null;
        _counters.AbandonedSegments++;
        HasRotated = true;
        SegmentInfo info = active.Info;
        info.EndId = _nextId;
        info.Bytes = active.DurableOffset;
        CountTidy(_files.TruncateRetrying(active.Handle, active.DurableOffset));
        CountTidy(_files.Close(active.Handle));
        if (info.FirstId == _nextId) TryDelete(info);
    }

    private JournalError WriteError(string operation, string path, IoResult result)
    {
        _counters.WriteErrors++;
        return new JournalError(operation, path, result.Errno);
    }

    private JournalError SyncError(string operation, string path, IoResult result)
    {
        _counters.SyncErrors++;
        return new JournalError(operation, path, result.Errno);
    }

    private void CountTidy(IoResult result)
    {
        if (!result.Ok) _counters.TidyErrors++;
    }
}
