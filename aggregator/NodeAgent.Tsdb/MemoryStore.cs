using NodeAgent.Contracts.Series;
using NodeAgent.Tsdb.Chunks;
using NodeAgent.Tsdb.Head;
using NodeAgent.Tsdb.Index;
using NodeAgent.Tsdb.Live;
using NodeAgent.Tsdb.Query;
using NodeAgent.Tsdb.Retention;

namespace NodeAgent.Tsdb;

/// <summary>
/// Keeps the last hours in memory: row-major heads, compressed blocks behind them, an inverted index over labels.
/// Locks: the registration lock guards who exists (register, select, subscribe, forget); each schema has its own writer lock;
/// retention has its own. Append takes only its schema's; reading samples takes none.
/// </summary>
public sealed class MemoryStore : ITimeSeriesStore
{
    private readonly ReaderWriterLockSlim _registration = new();
    private readonly StoreAccounts _accounts;
    private readonly SeriesCatalog _catalog;
    private readonly BlockRetention _retention;
    private readonly List<LiveSubscription> _subscriptions = [];
    private long _indexBytes;
    private long _refused;

    public MemoryStore(MemoryStoreOptions options)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.HeadRows, 8);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.HeadRows, IntegerCodec.MaxCount);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.RetentionMs, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.MaxBytes, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(options.MaxAheadMs);
        Options = options;
        _accounts = new StoreAccounts(options);
        _catalog = new SeriesCatalog(_accounts);
        _retention = new BlockRetention(_accounts);
    }

    public MemoryStoreOptions Options { get; }

    /// <inheritdoc/>
    public RegisterResult Register(string node, string sampler, int intervalMs, IReadOnlyList<SeriesDefinition> series)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(intervalMs);
        if (!SchemaRules.TryResolve(node, series, out SeriesKey[] keys, out string problem))
        {
            Interlocked.Increment(ref _refused);
            return RegisterResult.Refuse(RegisterStatus.Invalid, problem);
        }

        _registration.EnterWriteLock();
        try
        {
            int maxSeries = Options.Quota.MaxSeries(node);
            MemorySchema? schema = _catalog.Register(node, sampler, intervalMs, series, keys, maxSeries, out bool isNew);
            if (schema is null)
            {
                Interlocked.Increment(ref _refused);
                return RegisterResult.Refuse(
                    RegisterStatus.QuotaExceeded,
                    $"Node {node} may have {maxSeries} series; the {series.Count} of sampler {sampler} would make more.");
            }

            if (isNew)
            {
                schema.Taps = [.. TapsFor(schema)];
                Volatile.Write(ref _indexBytes, _catalog.EstimatedBytes);
            }

            return RegisterResult.Accept(schema);
        }
        finally
        {
            _registration.ExitWriteLock();
        }
    }

    /// <inheritdoc/>
    public AppendResult Append(SchemaHandle schema, long unixMs, ReadOnlySpan<double> values, ReadOnlySpan<ulong> present)
    {
        AppendResult result = ((MemorySchema)schema).Append(unixMs, values, present);
        _retention.TryEnforceBytes(Volatile.Read(ref _indexBytes));
        return result;
    }

    /// <inheritdoc/>
    public SeriesSelection Select(Selector selector, long fromUnixMs, long toUnixMs, int limit = int.MaxValue)
    {
        SeriesInfo[] matching = Match(selector, fromUnixMs, toUnixMs);
        Array.Sort(matching, SeriesInfo.Order);
        return new SeriesSelection(limit < matching.Length ? matching[..limit] : matching, matching.Length);
    }

    /// <inheritdoc/>
    public SeriesInfo[] Match(Selector selector, long fromUnixMs, long toUnixMs)
    {
        _registration.EnterReadLock();
        try
        {
            return _catalog.Select(selector);
        }
        finally
        {
            _registration.ExitReadLock();
        }
    }

    /// <inheritdoc/>
    public ISampleReader OpenReader() => new MemorySampleReader();

    /// <inheritdoc/>
    public IReadOnlyList<string> Nodes()
    {
        _registration.EnterReadLock();
        try
        {
            return [.. _catalog.Nodes];
        }
        finally
        {
            _registration.ExitReadLock();
        }
    }

    /// <inheritdoc/>
    public IReadOnlyList<SchemaHandle> Schemas(string node)
    {
        _registration.EnterReadLock();
        try
        {
            return _catalog.CurrentSchemas(node);
        }
        finally
        {
            _registration.ExitReadLock();
        }
    }

    /// <inheritdoc/>
    public LiveSubscription Subscribe(Selector selector, LiveOptions options)
    {
        LiveSubscription subscription = new(selector, options, Unsubscribe);
        _registration.EnterWriteLock();
        try
        {
            _subscriptions.Add(subscription);
            foreach (MemorySchema schema in _catalog.Schemas)
            {
                if (LiveTap.Create(subscription, schema.Series) is { } tap)
                {
                    schema.Taps = [.. schema.Taps, tap];
                }
            }
        }
        finally
        {
            _registration.ExitWriteLock();
        }

        return subscription;
    }

    /// <inheritdoc/>
    public void Maintain(long nowUnixMs)
    {
        _accounts.SetNow(nowUnixMs);
        _retention.Enforce(nowUnixMs - Options.RetentionMs, Volatile.Read(ref _indexBytes));
        List<MemorySchema>? dead = null;
        foreach (MemorySchema schema in AllSchemas())
        {
            if (schema.Tend(nowUnixMs))
            {
                (dead ??= []).Add(schema);
            }
        }

        if (dead is not null)
        {
            Forget(dead);
        }
    }

    /// <inheritdoc/>
    public StoreStats Stats()
    {
        _registration.EnterReadLock();
        try
        {
            RowCounters rows = new();
            rows.Add(_catalog.Forgotten);
            long oldest = long.MaxValue;
            int schemas = 0;
            foreach (MemorySchema schema in _catalog.Schemas)
            {
                schemas++;
                rows.Add(schema.Counters);
                oldest = Math.Min(oldest, schema.OldestUnixMs);
            }

            return new StoreStats
            {
                Nodes = _catalog.NodeCount,
                Schemas = schemas,
                Series = _catalog.SeriesCount,
                SamplesTotal = rows.Samples,
                RowsTotal = rows.Stored,
                RowsDuplicate = rows.Of(AppendResult.Duplicate),
                RowsOutOfOrder = rows.Of(AppendResult.OutOfOrder),
                RowsLate = rows.Of(AppendResult.Late),
                RowsTooOld = rows.Of(AppendResult.TooOld),
                RowsTooNew = rows.Of(AppendResult.TooNew),
                RowsExpired = rows.Of(AppendResult.Expired),
                SamplesEvictedByAge = _retention.EvictedByAge,
                SamplesEvictedByBytes = _retention.EvictedByBytes,
                SchemasRefused = Interlocked.Read(ref _refused),
                Bytes = _accounts.HeadBytes + _accounts.BlockBytes + _catalog.EstimatedBytes,
                HeadBytes = _accounts.HeadBytes,
                BlockBytes = _accounts.BlockBytes,
                MaxBytes = Options.MaxBytes,
                OldestUnixMs = oldest == long.MaxValue ? 0 : oldest,
                Subscriptions = _subscriptions.Count,
            };
        }
        finally
        {
            _registration.ExitReadLock();
        }
    }

    /// <summary>Ends all subscriptions. Appends and queries must have ended.</summary>
    public void Dispose()
    {
        foreach (LiveSubscription subscription in _subscriptions.ToArray())
        {
            subscription.Dispose();
        }

        _registration.Dispose();
    }

    private void Unsubscribe(LiveSubscription subscription)
    {
        _registration.EnterWriteLock();
        try
        {
            _subscriptions.Remove(subscription);
            foreach (MemorySchema schema in _catalog.Schemas)
            {
                schema.Taps = Array.FindAll(schema.Taps, tap => tap.Subscription != subscription);
            }
        }
        finally
        {
            _registration.ExitWriteLock();
        }
    }

    private void Forget(List<MemorySchema> dead)
    {
        _registration.EnterWriteLock();
        try
        {
            _catalog.Forget(dead);
            Volatile.Write(ref _indexBytes, _catalog.EstimatedBytes);
        }
        finally
        {
            _registration.ExitWriteLock();
        }
    }

    private MemorySchema[] AllSchemas()
    {
        _registration.EnterReadLock();
        try
        {
            return [.. _catalog.Schemas];
        }
        finally
        {
            _registration.ExitReadLock();
        }
    }

    private IEnumerable<LiveTap> TapsFor(MemorySchema schema) =>
        _subscriptions.Select(subscription => LiveTap.Create(subscription, schema.Series)).OfType<LiveTap>();
}
