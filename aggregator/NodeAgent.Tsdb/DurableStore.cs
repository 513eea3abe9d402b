using System.Diagnostics.CodeAnalysis;
using NodeAgent.Contracts.Series;
using NodeAgent.Journal;
using NodeAgent.Journal.Files;
using NodeAgent.Tsdb.Head;
using NodeAgent.Tsdb.Index;
using NodeAgent.Tsdb.Live;
using NodeAgent.Tsdb.Merging;
using NodeAgent.Tsdb.Query;
using NodeAgent.Tsdb.Retention;
using NodeAgent.Tsdb.Segments;
using NodeAgent.Tsdb.Storage;

namespace NodeAgent.Tsdb;

/// <summary>
/// Keeps samples in files: row-major heads in memory, blocks of compressed columns behind them, which go into segments about every nine
/// minutes; segments are merged into two hours and then into days, with one row a minute and an hour beside them. Files are written and
/// merged on threads of the store; appending never waits for a file, and reading takes no lock.
/// docs/formats/segment.md draws the files; <see cref="IDurableStore"/> says what is promised.
/// </summary>
public sealed class DurableStore : IDurableStore
{
    internal const long WindowMs = 2 * 3_600_000L;

    private const int MostRetired = 200; // schemas at a time: nobody can register meanwhile
    private const long TendEveryMs = 5_000; // no limit of a schema is shorter than a minute, and a fleet's schemas are no more in the cache
    private const long MergeRetryMs = 60_000; // a merge that the disk refused would read the same gigabytes in vain

    private readonly StoreAccounts _accounts;
    private readonly SeriesRegistry _registry;
    private readonly SegmentStore _segments;
    private readonly HeadFlush _flush;
    private readonly FileRetention _retention;
    private readonly MergePlanner _planner;
    private readonly SegmentMerge _merge;
    private readonly StoreWorkers? _workers;
    private readonly Lock _flushing = new(); // one flush at a time: blocks must not go into two segments
    private readonly Lock _maintenance = new();
    private readonly List<MemorySchema> _tended = [];
    private ulong _vouched;
    private ulong _durable;
    private long _tendedUnixMs = long.MinValue / 2;
    private long _lastFlushUnixMs;
    private long _mergeNotBeforeUnixMs = long.MinValue;
    private volatile bool _stopping;

    private DurableStore(DurableStoreOptions options, StoreAccounts accounts, SeriesRegistry registry, SegmentStore segments)
    {
        Options = options;
        _accounts = accounts;
        _registry = registry;
        _segments = segments;
        _flush = new HeadFlush(segments, WindowMs);
        _retention = new FileRetention(segments, options);
        _planner = new MergePlanner(options.PackClosedDays);
        _merge = new SegmentMerge(segments, registry, () => _stopping);
        RecoveredWalId = segments.WalId;
        _vouched = RecoveredWalId;
        _durable = RecoveredWalId;
        _workers = options.HasThreads ? new StoreWorkers(Write, Merge) : null;
    }

    public DurableStoreOptions Options { get; }

    /// <inheritdoc/>
    public ulong RecoveredWalId { get; private set; }

    internal SegmentStore Segments => _segments;

    /// <summary>What stopped a merge that no disk refused; null: nothing yet.</summary>
    private string? MergeFault { get; set; }

    /// <summary>Merges a window of time now, whatever is due: for measurements and tests.</summary>
    internal bool MergeNow(MergeJob job)
    {
        bool done = _merge.Run(job);
        _segments.Counters.AddMerge(done);
        return done;
    }

    /// <summary>
    /// Opens the store, or makes it. Damaged segments are set aside and counted; what fails is a disk that refuses calls, and a directory
    /// that another process has.
    /// </summary>
    /// <exception cref="ArgumentException">The options contradict themselves.</exception>
    public static bool TryOpen(
        DurableStoreOptions options, IFileOps files, TimeProvider time,
        [NotNullWhen(true)] out DurableStore? store, [NotNullWhen(false)] out OpenError? error)
    {
        options.Validate();
        StoreAccounts accounts = new(new MemoryStoreOptions
        {
            HeadRows = options.HeadRows,
            RetentionMs = Math.Max(options.HourRetentionMs, Math.Max(options.MinuteRetentionMs, options.RawRetentionMs)),
            MaxBytes = long.MaxValue,
            MaxAheadMs = options.MaxAheadMs,
            Quota = options.Quota,
        })
        {
            MaxAgeMs = options.MaxLateMs,
            MaxOpenMs = options.FlushIntervalMs,
            HasFiles = true,
        };
        SeriesRegistry registry = new(accounts);
        store = SegmentStore.TryOpen(files, options.Directory, registry, time, out SegmentStore? segments, out error)
            ? new DurableStore(options, accounts, registry, segments)
            : null;
        return store is not null;
    }

    /// <inheritdoc/>
    public bool UseLog(Guid logId, ulong newestId)
    {
        lock (_flushing)
        {
            List<MemorySchema> schemas = CopySchemas();
            bool isKnown = logId == _segments.LogId && _segments.WalId <= newestId && schemas.TrueForAll(schema => schema.State.DurableWalId <= newestId);
            if (isKnown)
            {
                return true;
            }

            if (!_segments.TryUseLog(logId))
            {
                return false;
            }

            schemas.ForEach(schema => schema.Restore(schema.State with { DurableWalId = 0 }));
            RecoveredWalId = _vouched = _durable = 0;
            return true;
        }
    }

    /// <inheritdoc/>
    public RegisterResult Register(string node, string sampler, int intervalMs, IReadOnlyList<SeriesDefinition> series) =>
        _registry.Register(node, sampler, intervalMs, series);

    /// <inheritdoc/>
    public AppendResult Append(SchemaHandle schema, long unixMs, ReadOnlySpan<double> values, ReadOnlySpan<ulong> present) =>
        ((MemorySchema)schema).Append(unixMs, values, present);

    /// <inheritdoc/>
    public AppendResult Append(SchemaHandle schema, long unixMs, ReadOnlySpan<double> values, ReadOnlySpan<ulong> present, ulong walId) =>
        walId != 0 && walId <= RecoveredWalId
            ? ((MemorySchema)schema).Skip()
            : ((MemorySchema)schema).Append(unixMs, values, present, walId);

    /// <summary>
    /// From here until the result is disposed rows of any age are taken: what the log holds was accepted when it came, however long ago that is
    /// by now and whatever the clock says today. Of what retention has dropped nothing is taken.
    /// </summary>
    public IDisposable BeginReplay()
    {
        _accounts.IsAnyTimeAllowed = true;
        return new Replay(this);
    }

    /// <inheritdoc/>
    public ulong DurableThrough(ulong appendedThrough)
    {
        lock (_maintenance)
        {
            // First the vouch, then the look: what is appended meanwhile has a larger id than the vouch.
            Volatile.Write(ref _vouched, Math.Max(_vouched, appendedThrough));
            ulong durable = appendedThrough;
            _registry.CopySchemas(_tended);
            foreach (MemorySchema schema in _tended)
            {
                durable = Math.Min(durable, schema.FirstWalId - 1);
            }

            return _durable = Math.Max(_durable, durable);
        }
    }

    /// <inheritdoc/>
    public bool Flush()
    {
        lock (_flushing)
        {
            List<MemorySchema> schemas = CopySchemas();
            schemas.ForEach(schema => schema.CloseHeads());
            return FlushNeedsLock(schemas);
        }
    }

    /// <inheritdoc/>
    public SeriesSelection Select(Selector selector, long fromUnixMs, long toUnixMs, int limit = int.MaxValue) =>
        SeriesSelection.Of(Match(selector, fromUnixMs, toUnixMs), limit);

    /// <inheritdoc/>
    public SeriesInfo[] Match(Selector selector, long fromUnixMs, long toUnixMs) =>
        Array.FindAll(_registry.Match(selector), series => series.MayHave(fromUnixMs, toUnixMs));

    /// <inheritdoc/>
    public ISampleReader OpenReader() => new StoreReader(_segments);

    /// <inheritdoc/>
    public ISampleReader OpenReader(IScanMeter meter) => new StoreReader(_segments, meter);

    /// <inheritdoc/>
    public IReadOnlyList<string> Nodes() => _registry.Nodes();

    /// <inheritdoc/>
    public IReadOnlyList<SchemaHandle> Schemas(string node) => _registry.Schemas(node);

    /// <inheritdoc/>
    public LiveSubscription Subscribe(Selector selector, LiveOptions options) => _registry.Subscribe(selector, options);

    /// <inheritdoc/>
    public void Maintain(long nowUnixMs)
    {
        lock (_maintenance)
        {
            _accounts.SetNow(nowUnixMs);
            if (nowUnixMs - _tendedUnixMs >= TendEveryMs || nowUnixMs < _tendedUnixMs)
            {
                _tendedUnixMs = nowUnixMs;
                TendNeedsLock(nowUnixMs);
            }
        }

        if (_workers is not null)
        {
            _workers.Wake(nowUnixMs);
            return;
        }

        Write(nowUnixMs);
        Merge(nowUnixMs);
    }

    /// <inheritdoc/>
    public StoreStats Stats()
    {
        long disk = _segments.DiskBytes();
        StorageCounters counters = _segments.Counters;
        StoreStats stats = _registry.Stats(schema => Math.Min(schema.OldestUnixMs, schema.State.FirstUnixMs));
        long oldestInFiles = _segments.Current.All.Select(file => file.Info.FirstUnixMs).DefaultIfEmpty(long.MaxValue).Min();
        long oldest = Math.Min(stats.OldestUnixMs == 0 ? long.MaxValue : stats.OldestUnixMs, oldestInFiles);
        return stats with
        {
            OldestUnixMs = oldest == long.MaxValue ? 0 : oldest,
            SamplesEvictedByAge = counters.SamplesExpired,
            SamplesEvictedByBytes = counters.SamplesDroppedForRoom,
            Bytes = _accounts.HeadBytes + _accounts.BlockBytes + _registry.IndexBytes,
            HeadBytes = _accounts.HeadBytes,
            BlockBytes = _accounts.BlockBytes,
            MaxBytes = Options.MaxDiskBytes,
            DiskBytes = disk,
        };
    }

    /// <summary>What the files are and what happened to them: for metrics and the log.</summary>
    public StorageStatus Storage()
    {
        StorageCounters counters = _segments.Counters;
        SegmentSet set = _segments.Current;
        return new StorageStatus
        {
            Error = _segments.LastError,
            RawSegments = set.Raw.Length,
            MinuteSegments = set.Minute.Length,
            HourSegments = set.Hour.Length,
            DiskBytes = _segments.DiskBytes(),
            WaitingBlockBytes = _accounts.BlockBytes,
            Flushes = counters.Flushes,
            FailedFlushes = counters.FailedFlushes,
            Merges = counters.Merges,
            FailedMerges = counters.FailedMerges,
            MergeFault = MergeFault,
            SamplesExpired = counters.SamplesExpired,
            SamplesDroppedForRoom = counters.SamplesDroppedForRoom,
            DurableWalId = _segments.WalId,
            SeriesForgotten = counters.SeriesForgotten,
            InactiveSeries = _registry.InactiveCount,
            Quarantined = [.. counters.Quarantined.Select(problem => $"{problem.Info.FileName}: {problem.Reason}")],
            Orphans = counters.Orphans,
            Undeleted = counters.Undeleted,
            UnknownSchemas = counters.UnknownSchemas,
            DamagedReads = _segments.Reads.Damaged,
            UnreadableReads = _segments.Reads.Unreadable,
            RepeatedReads = _segments.Reads.Reread,
        };
    }

    /// <summary>
    /// Ends the threads after the file at hand, and all subscriptions. Appends and queries must have ended. Rows that are in no file yet
    /// are left to the log: call <see cref="Flush"/> before for an orderly stop.
    /// </summary>
    public void Dispose()
    {
        _stopping = true;
        _workers?.Dispose();
        _segments.Dispose();
        _registry.Dispose();
    }

    /// <summary>What is not fed any more and is in files leaves memory but for its name, and that too when there are too many.</summary>
    private void TendIdentities(long nowUnixMs)
    {
        _registry.CopySchemas(_tended);
        List<MemorySchema> retired = [.. _tended.Where(schema => schema.TryRetire(nowUnixMs)).Take(MostRetired)];
        if (retired.Count > 0)
        {
            _registry.Retire(retired);
        }

        if (_registry.InactiveCount == 0)
        {
            return;
        }

        long oldest = nowUnixMs - _accounts.Options.RetentionMs;
        _segments.ForgetSeries(() =>
        {
            List<int> ids = _registry.ForgetInactive(oldest, Options.MaxInactiveSeries, out int early);
            _segments.Counters.AddSeriesForgotten(early);
            return ids;
        });
    }

    private void TendNeedsLock(long nowUnixMs)
    {
        _registry.CopySchemas(_tended);
        _tended.RemoveAll(schema => !schema.Tend(nowUnixMs));
        if (_tended.Count > 0)
        {
            _segments.Forget(_tended);
            _registry.Forget(_tended);
        }

        TendIdentities(nowUnixMs);
    }

    private void Write(long nowUnixMs)
    {
        lock (_flushing)
        {
            if (_lastFlushUnixMs == 0)
            {
                _lastFlushUnixMs = nowUnixMs; // the clock begins with the first call
            }

            bool isDue = nowUnixMs - _lastFlushUnixMs >= Options.FlushIntervalMs || nowUnixMs < _lastFlushUnixMs;
            if (isDue || _accounts.BlockBytes >= Options.MaxBlockBytes)
            {
                _lastFlushUnixMs = nowUnixMs; // also when it fails: a sick disk is not asked every second
                FlushNeedsLock(CopySchemas());
            }
        }
    }

    private void Merge(long nowUnixMs)
    {
        _retention.Enforce(nowUnixMs);
        _accounts.ClosedThroughUnixMs = _retention.DroppedThroughUnixMs;
        if (nowUnixMs >= _mergeNotBeforeUnixMs && _planner.Next(_segments.Current, nowUnixMs) is { } job)
        {
            bool done = TryMerge(job);
            _segments.Counters.AddMerge(done);
            _mergeNotBeforeUnixMs = done ? long.MinValue : nowUnixMs + MergeRetryMs;
        }

        _segments.ShortenManifest();
    }

    private bool TryMerge(MergeJob job)
    {
        try
        {
            return _merge.Run(job);
        }
        catch (InvalidDataException e)
        {
            // A file whose checksums hold and whose content makes no sense: a bug, but one that would end the process again after each restart.
            MergeFault = e.Message;
            return false;
        }
    }

    private bool FlushNeedsLock(List<MemorySchema> schemas)
    {
        bool done = _flush.Run(schemas, Volatile.Read(ref _vouched));
        _segments.Counters.AddFlush(done);
        return done;
    }

    private List<MemorySchema> CopySchemas()
    {
        List<MemorySchema> schemas = [];
        _registry.CopySchemas(schemas);
        return schemas;
    }

    private sealed class Replay(DurableStore store) : IDisposable
    {
        public void Dispose() => store._accounts.IsAnyTimeAllowed = false;
    }
}
