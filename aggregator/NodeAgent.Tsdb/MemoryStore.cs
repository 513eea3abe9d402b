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
/// Locks: the registry's guards who exists; each schema has its own writer lock; retention has its own. Append takes only its schema's;
/// reading samples takes none.
/// </summary>
public sealed class MemoryStore : ITimeSeriesStore
{
    private readonly StoreAccounts _accounts;
    private readonly SeriesRegistry _registry;
    private readonly BlockRetention _retention;
    private readonly Lock _maintenance = new();
    private readonly List<MemorySchema> _tended = []; // of one round of maintenance, kept so that a round allocates nothing

    public MemoryStore(MemoryStoreOptions options)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.HeadRows, 8);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.HeadRows, IntegerCodec.MaxCount);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.RetentionMs, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.MaxBytes, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(options.MaxAheadMs);
        Options = options;
        _accounts = new StoreAccounts(options);
        _registry = new SeriesRegistry(_accounts);
        _retention = new BlockRetention(_accounts);
    }

    public MemoryStoreOptions Options { get; }

    /// <inheritdoc/>
    public RegisterResult Register(string node, string sampler, int intervalMs, IReadOnlyList<SeriesDefinition> series) =>
        _registry.Register(node, sampler, intervalMs, series);

    /// <inheritdoc/>
    public AppendResult Append(SchemaHandle schema, long unixMs, ReadOnlySpan<double> values, ReadOnlySpan<ulong> present)
    {
        AppendResult result = ((MemorySchema)schema).Append(unixMs, values, present);
        _retention.TryEnforceBytes(_registry.IndexBytes);
        return result;
    }

    /// <inheritdoc/>
    public SeriesSelection Select(Selector selector, long fromUnixMs, long toUnixMs, int limit = int.MaxValue) =>
        SeriesSelection.Of(Match(selector, fromUnixMs, toUnixMs), limit);

    /// <inheritdoc/>
    public SeriesInfo[] Match(Selector selector, long fromUnixMs, long toUnixMs) => _registry.Match(selector);

    /// <inheritdoc/>
    public ISampleReader OpenReader() => new MemorySampleReader();

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
            _retention.Enforce(nowUnixMs - Options.RetentionMs, _registry.IndexBytes);
            _registry.CopySchemas(_tended);
            _tended.RemoveAll(schema => !schema.Tend(nowUnixMs));
            if (_tended.Count > 0)
            {
                _registry.Forget(_tended);
            }
        }
    }

    /// <inheritdoc/>
    public StoreStats Stats() => _registry.Stats(schema => schema.OldestUnixMs) with
    {
        SamplesEvictedByAge = _retention.EvictedByAge,
        SamplesEvictedByBytes = _retention.EvictedByBytes,
        Bytes = _accounts.HeadBytes + _accounts.BlockBytes + _registry.IndexBytes,
        HeadBytes = _accounts.HeadBytes,
        BlockBytes = _accounts.BlockBytes,
        MaxBytes = Options.MaxBytes,
    };

    /// <summary>Ends all subscriptions. Appends and queries must have ended.</summary>
    public void Dispose() => _registry.Dispose();
}
