using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using NodeAgent.Journal.Files;
using NodeAgent.Journal.Reading;
using NodeAgent.Journal.Recovery;
using NodeAgent.Journal.Segments;
using NodeAgent.Journal.Writing;

namespace NodeAgent.Journal;

/// <summary>
/// The one durable log: an ordered sequence of records, each under an id that grows by one, of which every one that was called durable
/// is there after any crash. Many threads may append, commit and release at once; each reader belongs to one thread.
/// <para>
/// Appending only copies into memory. A commit frames what has gathered, writes and syncs it, for all appenders together. When the disk
/// fails, the segment in use is given up and everything that was not durable goes into a new one; when that fails too, the journal is
/// <see cref="JournalState.Degraded"/>: it goes on taking records until memory is full, and heals by itself.
/// </para>
/// <para>
/// Ids of records that never became durable are given again after a crash. Who hands out such ids needs an epoch of its own beside them.
/// </para>
/// </summary>
public sealed class DurableLog : IDisposable
{
    private readonly IFileOps _files;
    private readonly JournalOptions _options;
    private readonly TimeProvider _time;
    private readonly DirectoryLock _directoryLock;
    private readonly SegmentCatalog _catalog;
    private readonly CounterSet _counters = new();
    private readonly CommitSchedule _schedule;
    private readonly Retention _retention;

    // Guards the pending records, the waiters and the next id. Held for a copy, never during a file call.
    private readonly Lock _appendLock = new();
    private readonly PendingRecords _pending;
    private readonly CommitWaiters _waiters = new();
    private ulong _nextId;
    private bool _closing;

    // Guards everything that touches files. Taken before the append lock where both are needed.
    private readonly Lock _commitLock = new();
    private readonly LogWriter _writer;
    private long _retryAt;
    private volatile JournalError? _error;
    private volatile JournalState _state;

    private DurableLog(IFileOps files, JournalOptions options, TimeProvider time, DirectoryLock directoryLock, RecoveredLog recovered)
    {
        _files = files;
        _options = options;
        _time = time;
        _directoryLock = directoryLock;
        _catalog = recovered.Catalog;
        Recovery = recovered.Report;
        _nextId = recovered.Start.NextId;
        _pending = new PendingRecords(options.MaxPendingBytes);
        _writer = new LogWriter(files, options, time, _catalog, _counters, recovered.Start, _pending.Start);
        _retention = new Retention(options, time, _catalog);
        _schedule = new CommitSchedule(options.Commit, options.RetryDelay, time, Commit);
    }

    /// <summary>What was found at opening.</summary>
    public RecoveryReport Recovery { get; }

    /// <summary>All records up to this one survive a power cut.</summary>
    public ulong DurableId => _writer.DurableId;

    /// <summary>As <see cref="JournalStatus.DiskBytes"/>, likewise.</summary>
    public long DiskBytes
    {
        get
        {
            long bytes = 0;
            foreach (SegmentInfo segment in _catalog.Snapshot()) bytes += segment.Bytes;
            return bytes;
        }
    }

    /// <summary>As <see cref="JournalCounters.AbandonedSegments"/>, without a whole <see cref="Status"/>: to be asked often.</summary>
    public long AbandonedSegments => Volatile.Read(ref _counters.AbandonedSegments);

    /// <summary>
    /// Opens the journal, or makes it. Makes no segment yet: that happens with the first commit. Every failure of the world is an
    /// <paramref name="error"/>; with <see cref="OpenFailure.Disk"/> it is worth trying again later.
    /// </summary>
    /// <exception cref="ArgumentException">The options contradict themselves.</exception>
    public static bool TryOpen(
        JournalOptions options, IFileOps files, TimeProvider time,
        [NotNullWhen(true)] out DurableLog? log, [NotNullWhen(false)] out OpenError? error) =>
        TryOpen(options, files, time, found: null, out log, out error);

    /// <summary>As the other one, and shows every record while it is found: who wants them all need not read the files a second time.</summary>
    /// <param name="options">How the journal is kept.</param>
    /// <param name="files">The file calls.</param>
    /// <param name="time">The clock.</param>
    /// <param name="found">Called for each record that can be read, in order; the payload is valid until it returns.</param>
    /// <param name="log">The journal.</param>
    /// <param name="error">Why there is none.</param>
    /// <exception cref="ArgumentException">The options contradict themselves.</exception>
    public static bool TryOpen(
        JournalOptions options, IFileOps files, TimeProvider time, RecordFound? found,
        [NotNullWhen(true)] out DurableLog? log, [NotNullWhen(false)] out OpenError? error)
    {
        log = null;
        options.Validate();
        if (SyncSelfTest.Run(files) is { } hidden)
        {
            error = new OpenError(OpenFailure.SyncHidden, $"journal {options.Directory}: {hidden}; nothing here could be called durable");
            return false;
        }

        IoResult made = files.CreateDirectory(options.Directory);
        if (!made.Ok)
        {
            var cause = new JournalError("create directory", options.Directory, made.Errno);
            error = new OpenError(OpenFailure.Disk, $"journal: {cause}", cause);
            return false;
        }

        if (!DirectoryLock.TryTake(files, options.Directory, Environment.ProcessId, out DirectoryLock? directoryLock, out error)) return false;

        error = new LogRecovery(files, options, time, found).TryRun(out RecoveredLog? recovered);
        if (error is not null)
        {
            directoryLock.Release();
            return false;
        }

        log = new DurableLog(files, options, time, directoryLock, recovered!);
        return true;
    }

    /// <summary>
    /// Takes a record into memory; allocates nothing. It is durable once <see cref="DurableId"/> has reached its id: by the commit policy,
    /// or by <see cref="Commit"/>.
    /// </summary>
    public AppendResult TryAppend(byte type, ReadOnlySpan<byte> payload)
    {
        AppendResult result;
        long pendingBytes;
        lock (_appendLock)
        {
            result = AppendNeedsLock(type, payload);
            pendingBytes = _pending.Bytes;
        }

        if (result.IsTaken) _schedule.OnAppended(pendingBytes);
        return result;
    }

    /// <summary>
    /// Takes a record and completes when it is durable, or when that failed. While the journal is degraded nothing is taken that could
    /// only be kept waiting.
    /// </summary>
    public ValueTask<AppendResult> AppendAsync(byte type, ReadOnlySpan<byte> payload)
    {
        ValueTask<AppendResult> durable;
        long pendingBytes;
        lock (_appendLock)
        {
            if (_state == JournalState.Degraded && !IsRetryDue())
            {
                _counters.RefusedRecords++;
                return ValueTask.FromResult(new AppendResult(AppendOutcome.Degraded, 0));
            }

            AppendResult result = AppendNeedsLock(type, payload);
            if (!result.IsTaken) return ValueTask.FromResult(result);
            durable = _waiters.Add(result.Id);
            pendingBytes = _pending.Bytes;
        }

        _schedule.OnAppended(pendingBytes);
        return durable;
    }

    /// <summary>Makes durable what was appended before the call. Who finds that another's commit has done so already does not sync again.</summary>
    public CommitOutcome Commit() => Persist(sync: true);

    /// <summary>Gives what was appended before the call to the operating system: it survives the end of the process, not a power cut.</summary>
    public CommitOutcome Flush() => Persist(sync: false);

    /// <summary>A reader that begins with this record, or the next one that is held.</summary>
    public JournalReader OpenReader(ulong fromId, ReadLimit limit = ReadLimit.Durable) =>
        new(_files, _catalog, _writer, Recovery.JournalId, fromId, limit);

    /// <summary>
    /// Nobody needs this record and those before it. Readers pass over them at once; their room is freed a whole segment at a time.
    /// </summary>
    public void ReleaseUpTo(ulong id)
    {
        lock (_commitLock)
        {
            if (_state == JournalState.Closed) return;
            _writer.RaiseFloor(Math.Min(id, _writer.DurableId) + 1);
            DeleteReleasedNeedsLock();
        }

        CompleteWaiters();
    }

    /// <summary>
    /// Frees the segments, but for the newest, of which every record is in this range, wherever in the journal they are. Nothing on the disk
    /// tells them from lost ones: the next opening reports them as <see cref="DamageKind.MissingRecords"/>, unless all before them was released
    /// too. Whoever calls this remembers what went.
    /// </summary>
    public void DeleteWithin(ulong firstId, ulong lastId)
    {
        lock (_commitLock)
        {
            if (_state == JournalState.Closed) return;
            bool any = false;
            ImmutableArray<SegmentInfo> segments = _catalog.Snapshot();
            for (int i = 0; i + 1 < segments.Length; i++)
            {
                SegmentInfo segment = segments[i];
                if (segment.FirstId >= firstId && segment.EndId <= lastId + 1 && segment.EndId > segment.FirstId) any |= _writer.TryDelete(segment);
            }

            if (any) _writer.SyncDeletions();
        }
    }

    /// <summary>Applies the byte and age limits now; they are also applied whenever a segment is full.</summary>
    public void EnforceLimits()
    {
        lock (_commitLock)
        {
            if (_state != JournalState.Closed) EnforceLimitsNeedsLock();
        }

        CompleteWaiters();
    }

    /// <summary>
    /// The journal as it is on the disk at this moment, held open: what is durable and nothing else, also while appending, committing
    /// and releasing go on. Records that should be in it are committed before.
    /// </summary>
    /// <param name="cut">The files, to be disposed; null: the disk refused a call, or the journal is closed.</param>
    /// <param name="error">The call that failed.</param>
    public bool TryCut([NotNullWhen(true)] out JournalCut? cut, [NotNullWhen(false)] out JournalError? error)
    {
        lock (_commitLock)
        {
            cut = null;
            error = new JournalError("cut", _options.Directory, Errno.BadHandle);
            if (_state == JournalState.Closed) return false;

            List<(SegmentInfo Segment, long Bytes)> pieces = [];
            foreach (SegmentInfo segment in _catalog.Snapshot()) pieces.Add((segment, _writer.DurableBytes(segment)));
            return JournalCut.TryOpen(_files, pieces, Recovery.JournalId, _writer.DurableId, out cut, out error);
        }
    }

    public JournalStatus Status()
    {
        ulong nextId;
        long pendingBytes;
        lock (_appendLock) (nextId, pendingBytes) = (_nextId, _pending.Bytes);

        SegmentInfo[] segments = [.. _catalog.Snapshot()];
        ulong oldest = segments is [var first, ..] ? first.FirstId : nextId;
        return new JournalStatus
        {
            State = _state,
            Error = _error,
            FirstHeldId = Math.Max(oldest, _writer.Floor),
            NextId = nextId,
            WrittenId = _writer.WrittenId,
            DurableId = _writer.DurableId,
            DiskBytes = DiskBytes,
            PendingBytes = pendingBytes,
            Segments = segments.Length,
            Counters = _counters.Snapshot(),
        };
    }

    /// <summary>Commits, marks the end as complete and gives up the directory. Whoever still waits is told the truth.</summary>
    public void Dispose()
    {
        _schedule.Dispose();
        lock (_appendLock)
        {
            if (_closing) return;
            _closing = true;
        }

        lock (_commitLock)
        {
            // A failing seal harms nothing: the next opening takes the end for unfinished, and finds it whole.
            if (WriteNeedsLock(sync: true)) _writer.Seal();
            _writer.Leave();
            _state = JournalState.Closed;
            _directoryLock.Release();
        }

        CompleteWaiters();
    }

    private AppendResult AppendNeedsLock(byte type, ReadOnlySpan<byte> payload)
    {
        AppendOutcome refusal =
            _closing ? AppendOutcome.Closed
            : payload.Length > _options.EffectiveMaxRecordBytes ? AppendOutcome.TooLarge
            : !_pending.TryAdd(type, payload) ? AppendOutcome.Full
            : AppendOutcome.Pending;
        if (refusal != AppendOutcome.Pending)
        {
            _counters.RefusedRecords++;
            return new AppendResult(refusal, 0);
        }

        _counters.AppendedRecords++;
        _counters.AppendedBytes += payload.Length;
        return new AppendResult(AppendOutcome.Pending, _nextId++);
    }

    private CommitOutcome Persist(bool sync)
    {
        ulong mine;
        lock (_appendLock) mine = _nextId - 1;

        CommitOutcome outcome;
        lock (_commitLock) outcome = PersistNeedsLock(sync, mine);
        CompleteWaiters();
        return outcome;
    }

    private CommitOutcome PersistNeedsLock(bool sync, ulong upTo)
    {
        if (_state == JournalState.Closed) return CommitOutcome.Closed;
        if (_state == JournalState.Degraded && !IsRetryDue()) return CommitOutcome.Degraded;
        if (upTo <= (sync ? _writer.DurableId : _writer.WrittenId) && _state == JournalState.Healthy) return CommitOutcome.Done;

        bool done = WriteNeedsLock(sync);
        if (done && _writer.HasRotated) EnforceLimitsNeedsLock();
        return done ? CommitOutcome.Done : CommitOutcome.Degraded;
    }

    private bool WriteNeedsLock(bool sync)
    {
        PendingPosition end;
        lock (_appendLock) end = _pending.End;

        bool done = _writer.TryPersist(end, sync);
        lock (_appendLock) _writer.Rebase(_pending.ReleaseTo(_writer.DurablePosition));
        if (done) Heal();
        else Degrade();
        return done;
    }

    private void Heal()
    {
        if (_state != JournalState.Degraded) return;
        _counters.Recoveries++;
        _error = null;
        _state = JournalState.Healthy;
    }

    private void Degrade()
    {
        if (_state != JournalState.Degraded) _counters.Degradations++;
        _error = _writer.LastError;
        Volatile.Write(ref _retryAt, _time.GetTimestamp() + (long)(_options.RetryDelay.TotalSeconds * _time.TimestampFrequency));
        _state = JournalState.Degraded;
    }

    private bool IsRetryDue() => _time.GetTimestamp() >= Volatile.Read(ref _retryAt);

    private void EnforceLimitsNeedsLock()
    {
        _writer.HasRotated = false;
        ulong demanded = _retention.DemandedFloor();
        if (demanded > _writer.Floor)
        {
            _counters.DroppedRecords += (long)(demanded - _writer.Floor);
            _writer.RaiseFloor(demanded);
        }

        DeleteReleasedNeedsLock();
    }

    private void DeleteReleasedNeedsLock()
    {
        List<SegmentInfo>? released = null;
        foreach (SegmentInfo segment in _retention.Released(_writer.Floor)) (released ??= []).Add(segment);
        if (released is null) return;

        // First the note, then the deed: else the missing segments would look like a loss. A disk that is full cannot take the note,
        // but needs the room most.
        _writer.DemandFloorOnDisk();
        if (_state != JournalState.Degraded || IsRetryDue()) WriteNeedsLock(sync: true);
        foreach (SegmentInfo segment in released)
        {
            if (!_writer.TryDelete(segment)) break;
        }

        _writer.SyncDeletions();
    }

    private void CompleteWaiters()
    {
        CommitWaiter? durable;
        CommitWaiter? others = null;
        JournalState state = _state;
        lock (_appendLock)
        {
            durable = _waiters.TakeUpTo(_writer.DurableId);
            if (state != JournalState.Healthy) others = _waiters.TakeUpTo(ulong.MaxValue);
        }

        CommitWaiters.Complete(durable, AppendOutcome.Durable);
        CommitWaiters.Complete(others, state == JournalState.Closed ? AppendOutcome.Closed : AppendOutcome.Degraded);
    }
}
