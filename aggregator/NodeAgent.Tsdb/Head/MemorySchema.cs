using System.Numerics;
using NodeAgent.Tsdb.Chunks;
using NodeAgent.Tsdb.Live;

namespace NodeAgent.Tsdb.Head;

/// <summary>
/// The rows of one schema. One writer at a time holds the writer lock (uncontended: there is one stream per node); readers take no
/// lock at all. How they get along: rows below the published count, and blocks, never change. The few changes that break this
/// (sorting in a late row, replacing values, emptying the head after its block was published) happen while the version is odd,
/// and a reader whose version moved reads the head again. So a reader never stops a writer, and an append in order, the normal
/// case, never disturbs a reader.
/// </summary>
internal sealed partial class MemorySchema : SchemaHandle
{
    private const int FirstRows = 8; // a head starts small and grows: short-lived schemas cost little
    private const int Growth = 4; // doubling would make as much garbage as there are heads
    private const int FirstRowsSpread = 8; // not all heads of a fleet grow in the same second: a thousand nodes' would be 200 MB to copy
    private const long QuietMs = 10 * 60_000; // a silent schema's head is closed and its memory freed
    private const long QuietReplacedMs = 60_000; // sooner where another schema took over, or for late rows

    private readonly Lock _writer = new();
    private readonly StoreAccounts _accounts;
    private readonly MemorySeries[] _series;
    private readonly uint[] _scales;
    private readonly int _firstRows;
    private readonly HeadPart _main = new(isInOrder: true);
    private readonly HeadPart _late = new(isInOrder: false);
    private LiveTap[] _taps = [];
    private int _version;
    private long _newest;
    private bool _hasRows;
    private long _closedThrough = long.MinValue;
    private int _closedRows; // rows of the main part's newest block, still in its rows until they are overwritten
    private int _closeAt;
    private volatile bool _expired;
    private QuietPeriod _mainQuiet;
    private QuietPeriod _lateQuiet;

    /// <param name="node">Node name.</param>
    /// <param name="sampler">Sampler name.</param>
    /// <param name="intervalMs">Expected distance of rows.</param>
    /// <param name="series">The columns.</param>
    /// <param name="scales">Declared scale by column.</param>
    /// <param name="firstCloseAt">
    /// Rows of the first block, 1 to HeadRows. Spread over the schemas of a fleet, it keeps all heads from closing in the same second.
    /// </param>
    /// <param name="accounts">Shared by the store.</param>
    public MemorySchema(
        string node, string sampler, int intervalMs, MemorySeries[] series, uint[] scales, int firstCloseAt, StoreAccounts accounts)
        : base(node, sampler, intervalMs)
    {
        _series = series;
        _scales = scales;
        _closeAt = firstCloseAt;
        _firstRows = FirstRows + (firstCloseAt % FirstRowsSpread);
        _accounts = accounts;
    }

    public override IReadOnlyList<SeriesInfo> Series => _series;

    public override long NewestUnixMs => Volatile.Read(ref _newest);

    public MemorySeries[] MemorySeries => _series;

    public ReadOnlySpan<uint> Scales => _scales;

    /// <summary>Written under the writer lock; read by statistics.</summary>
    public RowCounters Counters { get; } = new();

    /// <summary>Another schema of the same sampler took over. Under the registration lock.</summary>
    public bool IsReplaced { get; set; }

    /// <summary>Forgotten, or about to be: rows are refused.</summary>
    public bool IsExpired => _expired;

    /// <summary>For tests: runs in the middle of a snapshot, where a writer that gets in between does the most harm.</summary>
    public Action? SnapshotSyncPoint { get; set; }

    /// <summary>Subscriptions to this schema. Replaced under the registration lock.</summary>
    public LiveTap[] Taps
    {
        get => Volatile.Read(ref _taps);
        set => Volatile.Write(ref _taps, value);
    }

    public long OldestUnixMs => Math.Min(_main.OldestUnixMs, _late.OldestUnixMs);

    public AppendResult Append(long unixMs, ReadOnlySpan<double> values, ReadOnlySpan<ulong> present, ulong walId = 0)
    {
        if (values.Length != _series.Length || present.Length != (_series.Length + 63) >> 6)
        {
            throw new ArgumentException(
                $"Schema {Sampler} of {Node} has {_series.Length} columns; the row has {values.Length} values and {present.Length} presence words.");
        }

        lock (_writer)
        {
            AppendResult result = StoreNeedsLock(unixMs, values, present, walId);
            Counters.Count(result);
            if (result <= AppendResult.Late)
            {
                foreach (LiveTap tap in Taps)
                {
                    tap.Subscription.Offer(tap, unixMs, values, present);
                }
            }

            return result;
        }
    }

    /// <summary>
    /// Copies what the heads hold of a column in a time range, and says which blocks to read besides. One consistent moment: no row
    /// is missing and none is in both a head and a block.
    /// </summary>
    public void Snapshot(int column, long fromUnixMs, long toUnixMs, SchemaSnapshot into)
    {
        SpinWait spin = default;
        while (true)
        {
            int version = Volatile.Read(ref _version);
            if ((version & 1) == 0)
            {
                into.Clear();
                into.MainBlocks = _main.Blocks;
                into.LateBlocks = _late.Blocks;
                SnapshotSyncPoint?.Invoke();
                ReadHead(_main, column, fromUnixMs, toUnixMs, into.MainHead);
                ReadHead(_late, column, fromUnixMs, toUnixMs, into.LateHead);
                Volatile.ReadBarrier();
                if (Volatile.Read(ref _version) == version)
                {
                    return;
                }
            }

            spin.SpinOnce();
        }
    }

    /// <summary>
    /// Closes heads that have been quiet. Returns whether the schema is forgotten: it holds nothing and nobody fed it for long.
    /// </summary>
    public bool Tend(long nowUnixMs)
    {
        lock (_writer)
        {
            long mainQuietMs = _mainQuiet.Measure(Counters.Stored, nowUnixMs);
            CloseIfQuietNeedsLock(_main, mainQuietMs, IsReplaced ? QuietReplacedMs : QuietMs);
            CloseIfQuietNeedsLock(_late, _lateQuiet.Measure(Counters.Of(AppendResult.Late), nowUnixMs), QuietReplacedMs);
            CloseIfOldNeedsLock(_main, nowUnixMs);
            CloseIfOldNeedsLock(_late, nowUnixMs);
            _state = _state.RegisteredUnixMs == 0 ? _state with { RegisteredUnixMs = nowUnixMs } : _state;
            long forgetMs = IsReplaced && !_accounts.HasFiles ? QuietReplacedMs : _accounts.Options.RetentionMs;
            long sinceUnixMs = _state.LastUnixMs > long.MinValue ? _state.LastUnixMs : _state.RegisteredUnixMs;
            long silentMs = _accounts.HasFiles ? nowUnixMs - sinceUnixMs : mainQuietMs;
            _expired = silentMs >= forgetMs && _main.IsEmpty && _late.IsEmpty;
            return _expired;
        }
    }

    /// <summary>Drops a block. False: it was dropped before.</summary>
    public bool Evict(HeadPart part, Block block)
    {
        lock (_writer)
        {
            int at = Array.IndexOf(part.Blocks, block);
            if (at < 0)
            {
                return false;
            }

            part.Blocks = [.. part.Blocks.AsSpan(0, at), .. part.Blocks.AsSpan(at + 1)];
            _accounts.AddBlockBytes(-block.Bytes);
            return true;
        }
    }

    /// <summary>Frees the heads' accounting when the store lets go of the schema.</summary>
    public void Release()
    {
        lock (_writer)
        {
            FreeRowsNeedsLock(_main);
            FreeRowsNeedsLock(_late);
        }
    }

    private static void ReadHead(HeadPart part, int column, long fromUnixMs, long toUnixMs, SampleBuffer into)
    {
        // Count before rows: rows replaced in between are never older than the count. They may be smaller after the head was
        // emptied, which the version reveals; until then the bound keeps the read inside the arrays.
        int count = part.Count;
        if (count > 0 && part.Rows is { } rows)
        {
            rows.Read(column, Math.Min(count, rows.Capacity), fromUnixMs, toUnixMs, into);
        }
    }

    private AppendResult StoreNeedsLock(long unixMs, ReadOnlySpan<double> values, ReadOnlySpan<ulong> present, ulong walId)
    {
        if (walId != 0 && walId <= _state.DurableWalId)
        {
            return AppendResult.Duplicate; // a replay brings what the files have
        }

        if (_expired)
        {
            return AppendResult.Expired;
        }

        if (unixMs < _accounts.OldestAllowedUnixMs)
        {
            return AppendResult.TooOld;
        }

        if (unixMs > _accounts.NewestAllowedUnixMs)
        {
            return AppendResult.TooNew;
        }

        if (!_hasRows || unixMs > _newest)
        {
            _main.WalIds = _main.WalIds.With(walId);
            AddLastNeedsLock(_main, unixMs, values, present);
            Volatile.Write(ref _newest, unixMs);
            _hasRows = true;
            CloseIfFullNeedsLock(_main, ref _closeAt);
            return AppendResult.Appended;
        }

        if (unixMs > _closedThrough)
        {
            _main.WalIds = _main.WalIds.With(walId);
            bool inserted = PlaceNeedsLock(_main, unixMs, values, present);
            CloseIfFullNeedsLock(_main, ref _closeAt);
            return inserted ? AppendResult.OutOfOrder : AppendResult.Duplicate;
        }

        if (unixMs == _newest && _main.Count == 0 && _main.Rows?.IsSameRow(_closedRows - 1, unixMs, values, present) == true)
        {
            return AppendResult.Duplicate; // the newest row sent again just after its head was closed: nothing to keep aside
        }

        _late.WalIds = _late.WalIds.With(walId);
        int lateCloseAt = _accounts.Options.HeadRows;
        bool late = PlaceNeedsLock(_late, unixMs, values, present);
        CloseIfFullNeedsLock(_late, ref lateCloseAt);
        return late ? AppendResult.Late : AppendResult.Duplicate;
    }

    /// <summary>A row newer than all others of the part: written beyond the published count, so no reader sees it half-way.</summary>
    private void AddLastNeedsLock(HeadPart part, long unixMs, ReadOnlySpan<double> values, ReadOnlySpan<ulong> present)
    {
        Rows rows = RowsWithRoomNeedsLock(part);
        int row = part.Count;
        rows.Set(row, unixMs, values, present);
        Counters.Samples += CountBits(rows.PresentOf(row));
        part.Count = row + 1;
    }

    /// <summary>Sorts a row in, or lays it over the row of the same time. Returns whether there was no such row.</summary>
    private bool PlaceNeedsLock(HeadPart part, long unixMs, ReadOnlySpan<double> values, ReadOnlySpan<ulong> present)
    {
        Rows rows = RowsWithRoomNeedsLock(part);
        int count = part.Count;
        int row = TimeSearch.FirstAtOrAfter(rows.Times.AsSpan(0, count), unixMs);
        if (row == count)
        {
            AddLastNeedsLock(part, unixMs, values, present);
            return true;
        }

        bool insert = rows.Times[row] != unixMs;
        Interlocked.Increment(ref _version);
        if (insert)
        {
            rows.Shift(row, count);
            rows.Set(row, unixMs, values, present);
            Counters.Samples += CountBits(rows.PresentOf(row));
            part.Count = count + 1;
        }
        else
        {
            Counters.Samples += rows.Overlay(row, values, present);
        }

        Interlocked.Increment(ref _version);
        return insert;
    }

    private Rows RowsWithRoomNeedsLock(HeadPart part)
    {
        Rows? rows = part.Rows;
        int count = part.Count;
        if (rows is not null && count < rows.Capacity)
        {
            return rows;
        }

        int capacity = Math.Min(_accounts.Options.HeadRows, rows is null ? _firstRows : rows.Capacity * Growth);
        Rows larger = rows is null ? new Rows(capacity, _series.Length) : rows.CopyWithCapacity(capacity, count);
        _accounts.AddHeadBytes(larger.Bytes - (rows?.Bytes ?? 0));
        part.Rows = larger;
        return larger;
    }

    private void CloseIfFullNeedsLock(HeadPart part, ref int closeAt)
    {
        if (part.Count >= closeAt)
        {
            closeAt = _accounts.Options.HeadRows;
            CloseNeedsLock(part);
        }
    }

    private void CloseIfQuietNeedsLock(HeadPart part, long quietMs, long limitMs)
    {
        if (quietMs >= limitMs && part.Rows is not null)
        {
            if (part.Count > 0)
            {
                CloseNeedsLock(part);
            }

            FreeRowsNeedsLock(part);
        }
    }

    private void CloseIfOldNeedsLock(HeadPart part, long nowUnixMs)
    {
        if (part.Count == 0)
        {
            part.OpenSinceUnixMs = 0;
        }
        else if (part.OpenSinceUnixMs == 0 || nowUnixMs < part.OpenSinceUnixMs)
        {
            part.OpenSinceUnixMs = nowUnixMs;
        }
        else if (nowUnixMs - part.OpenSinceUnixMs >= _accounts.MaxOpenMs)
        {
            CloseNeedsLock(part);
        }
    }

    private void FreeRowsNeedsLock(HeadPart part)
    {
        if (part.Rows is { } rows)
        {
            _accounts.AddHeadBytes(-rows.Bytes);
            Interlocked.Increment(ref _version);
            part.Count = 0;
            part.Rows = null;
            Interlocked.Increment(ref _version);
        }
    }

    /// <summary>Compresses the open rows while readers go on reading them, then swaps them for the block in one step.</summary>
    private void CloseNeedsLock(HeadPart part)
    {
        Block block = BlockEncoder.OfThread.Encode(part.Rows!, part.Count, _scales, part.WalIds);
        Block[] blocks = [.. part.Blocks, block];
        if (part == _main)
        {
            _closedThrough = block.LastUnixMs;
            _closedRows = block.Rows;
        }

        Interlocked.Increment(ref _version);
        part.Blocks = blocks;
        part.Count = 0;
        part.WalIds = WalRange.None;
        part.OpenSinceUnixMs = 0;
        Interlocked.Increment(ref _version);
        _accounts.AddBlockBytes(block.Bytes);
        if (!_accounts.HasFiles)
        {
            _accounts.Closed.Enqueue(new ClosedBlock(this, part, block));
        }
    }

    private static int CountBits(ReadOnlySpan<ulong> words)
    {
        int count = 0;
        foreach (ulong word in words)
        {
            count += BitOperations.PopCount(word);
        }

        return count;
    }

    /// <summary>How long a counter has not moved, by the clock that is passed in.</summary>
    private struct QuietPeriod
    {
        private long _count;
        private long _sinceUnixMs;

        public long Measure(long count, long nowUnixMs)
        {
            if (_sinceUnixMs == 0 || count != _count || nowUnixMs < _sinceUnixMs)
            {
                _count = count;
                _sinceUnixMs = nowUnixMs;
            }

            return nowUnixMs - _sinceUnixMs;
        }
    }
}
