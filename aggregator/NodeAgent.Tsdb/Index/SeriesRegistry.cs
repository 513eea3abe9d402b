using NodeAgent.Contracts.Series;
using NodeAgent.Tsdb.Head;
using NodeAgent.Tsdb.Live;
using NodeAgent.Tsdb.Query;

namespace NodeAgent.Tsdb.Index;

/// <summary>
/// Who exists and who listens, behind one lock: register, select, subscribe, forget. Appends and reads of samples never come here.
/// </summary>
internal sealed class SeriesRegistry : IDisposable
{
    private readonly ReaderWriterLockSlim _lock = new();
    private readonly SeriesCatalog _catalog;
    private readonly ISeriesQuota _quota;
    private readonly List<LiveSubscription> _subscriptions = [];
    private long _indexBytes;
    private long _refused;

    public SeriesRegistry(StoreAccounts accounts)
    {
        _catalog = new SeriesCatalog(accounts);
        _quota = accounts.Options.Quota;
    }

    /// <summary>Estimated memory of identities and index.</summary>
    public long IndexBytes => Volatile.Read(ref _indexBytes);

    /// <summary>See <see cref="SeriesCatalog.NextIds"/>.</summary>
    public (int Series, int Metric, int Schema) NextIds
    {
        get => Read(catalog => catalog.NextIds);
        set => Read(catalog => catalog.NextIds = value);
    }

    public RegisterResult Register(string node, string sampler, int intervalMs, IReadOnlyList<SeriesDefinition> series)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(intervalMs);
        if (!SchemaRules.TryResolve(node, series, out SeriesKey[] keys, out string problem))
        {
            Interlocked.Increment(ref _refused);
            return RegisterResult.Refuse(RegisterStatus.Invalid, problem);
        }

        _lock.EnterWriteLock();
        try
        {
            int maxSeries = _quota.MaxSeries(node);
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
                schema.Taps = [.. _subscriptions.Select(subscription => LiveTap.Create(subscription, schema.Series)).OfType<LiveTap>()];
                Volatile.Write(ref _indexBytes, _catalog.EstimatedBytes);
            }

            return RegisterResult.Accept(schema);
        }
        finally
        {
            _lock.ExitWriteLock();
        }
    }

    /// <summary>Brings back a schema under the ids that it had; null: it breaks today's rules, and its samples cannot be served.</summary>
    public MemorySchema? Restore(
        int id, string node, string sampler, int intervalMs, IReadOnlyList<SeriesDefinition> series, (int Series, int Metric)[] ids)
    {
        if (!SchemaRules.TryResolve(node, series, out SeriesKey[] keys, out _))
        {
            return null;
        }

        _lock.EnterWriteLock();
        try
        {
            MemorySchema schema = _catalog.Restore(id, node, sampler, intervalMs, series, keys, ids);
            Volatile.Write(ref _indexBytes, _catalog.EstimatedBytes);
            return schema;
        }
        finally
        {
            _lock.ExitWriteLock();
        }
    }

    /// <summary>To be called after the last <see cref="Restore"/>, before anything is matched.</summary>
    public void EndRestore() => Write(catalog => catalog.EndRestore());

    public MemorySeries[] Match(Selector selector) => Read(catalog => catalog.Select(selector));

    /// <summary>A series by its id; null: it is forgotten.</summary>
    public MemorySeries? Find(int seriesId) => Read(catalog => catalog.Find(seriesId));

    public IReadOnlyList<string> Nodes() => Read<IReadOnlyList<string>>(catalog => [.. catalog.Nodes]);

    public IReadOnlyList<SchemaHandle> Schemas(string node) => Read(catalog => catalog.CurrentSchemas(node));

    /// <summary>Every schema, replaced ones included.</summary>
    public void CopySchemas(List<MemorySchema> into)
    {
        into.Clear();
        _lock.EnterReadLock();
        try
        {
            into.AddRange(_catalog.Schemas);
        }
        finally
        {
            _lock.ExitReadLock();
        }
    }

    public LiveSubscription Subscribe(Selector selector, LiveOptions options)
    {
        LiveSubscription subscription = new(selector, options, Unsubscribe);
        _lock.EnterWriteLock();
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
            _lock.ExitWriteLock();
        }

        return subscription;
    }

    /// <summary>Takes schemas out of the index, and the series that were only theirs.</summary>
    public void Forget(List<MemorySchema> dead) => Write(catalog => catalog.Forget(dead));

    /// <summary>Series that nobody feeds any more.</summary>
    public int InactiveCount => Read(catalog => catalog.InactiveCount);

    /// <summary>See <see cref="SeriesCatalog.Retire"/>.</summary>
    public void Retire(List<MemorySchema> retired) => Write(catalog => catalog.Retire(retired));

    /// <summary>See <see cref="SeriesCatalog.ForgetInactive"/>.</summary>
    public List<int> ForgetInactive(long oldestUnixMs, int most, out int early)
    {
        List<int> ids = [];
        int count = 0;
        Write(catalog => ids = catalog.ForgetInactive(oldestUnixMs, most, _quota, out count));
        early = count;
        return ids;
    }

    /// <summary>See <see cref="SeriesCatalog.InactiveSchemas"/>.</summary>
    public List<(MemorySchema Schema, SchemaState State)> InactiveSchemas()
    {
        List<(MemorySchema, SchemaState)> schemas = [];
        Write(catalog => schemas = catalog.InactiveSchemas());
        return schemas;
    }

    /// <summary>What the registry and the schemas' counters know; sizes and evictions are the store's to add.</summary>
    public StoreStats Stats(Func<MemorySchema, long> oldestUnixMs) => Read(catalog =>
    {
        RowCounters rows = new();
        rows.Add(catalog.Forgotten);
        long oldest = long.MaxValue;
        int schemas = 0;
        foreach (MemorySchema schema in catalog.Schemas)
        {
            schemas++;
            rows.Add(schema.Counters);
            oldest = Math.Min(oldest, oldestUnixMs(schema));
        }

        return new StoreStats
        {
            Nodes = catalog.NodeCount,
            Schemas = schemas,
            Series = catalog.SeriesCount,
            SamplesTotal = rows.Samples,
            RowsTotal = rows.Stored,
            RowsDuplicate = rows.Of(AppendResult.Duplicate),
            RowsOutOfOrder = rows.Of(AppendResult.OutOfOrder),
            RowsLate = rows.Of(AppendResult.Late),
            RowsTooOld = rows.Of(AppendResult.TooOld),
            RowsTooNew = rows.Of(AppendResult.TooNew),
            RowsExpired = rows.Of(AppendResult.Expired),
            SchemasRefused = Interlocked.Read(ref _refused),
            OldestUnixMs = oldest == long.MaxValue ? 0 : oldest,
            Subscriptions = _subscriptions.Count,
        };
    });

    public void Dispose()
    {
        foreach (LiveSubscription subscription in _subscriptions.ToArray())
        {
            subscription.Dispose();
        }

        _lock.Dispose();
    }

    private void Unsubscribe(LiveSubscription subscription)
    {
        _lock.EnterWriteLock();
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
            _lock.ExitWriteLock();
        }
    }

    private void Write(Action<SeriesCatalog> write)
    {
        _lock.EnterWriteLock();
        try
        {
            write(_catalog);
            Volatile.Write(ref _indexBytes, _catalog.EstimatedBytes);
        }
        finally
        {
            _lock.ExitWriteLock();
        }
    }

    private T Read<T>(Func<SeriesCatalog, T> read)
    {
        _lock.EnterReadLock();
        try
        {
            return read(_catalog);
        }
        finally
        {
            _lock.ExitReadLock();
        }
    }
}
