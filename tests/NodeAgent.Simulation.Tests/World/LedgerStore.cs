using System.Runtime.InteropServices;
using NodeAgent.Contracts.Series;
using NodeAgent.Tsdb;
using NodeAgent.Tsdb.Live;
using NodeAgent.Tsdb.Query;

namespace NodeAgent.Simulation.Tests.World;

/// <summary>
/// The real store in memory, with a ledger of what was appended: each record of a simulated agent carries its own number as a value, so
/// that a record stored twice, lost or changed shows, whatever time the clocks gave it.
/// </summary>
internal sealed class LedgerStore : ITimeSeriesStore
{
    private readonly MemoryStore _inner = new(new MemoryStoreOptions { HeadRows = 8, RetentionMs = 1000L * 86_400_000, MaxAheadMs = 1000L * 86_400_000 });
    private readonly Dictionary<string, Dictionary<long, int>> _counts = [];

    /// <summary>How often the record with this number was appended.</summary>
    internal int CountOf(string node, long number) => _counts.GetValueOrDefault(node)?.GetValueOrDefault(number) ?? 0;

    /// <summary>Records of a node that are there.</summary>
    internal IReadOnlyDictionary<long, int> Of(string node) => _counts.GetValueOrDefault(node) ?? [];

    public RegisterResult Register(string node, string sampler, int intervalMs, IReadOnlyList<SeriesDefinition> series) =>
        _inner.Register(node, sampler, intervalMs, series);

    public AppendResult Append(SchemaHandle schema, long unixMs, ReadOnlySpan<double> values, ReadOnlySpan<ulong> present)
    {
        AppendResult result = _inner.Append(schema, unixMs, values, present);
        if (schema.Sampler == SimulatedAgent.Sampler && result is AppendResult.Appended or AppendResult.Duplicate or AppendResult.OutOfOrder or AppendResult.Late)
        {
            if (!_counts.TryGetValue(schema.Node, out Dictionary<long, int>? counts))
            {
                _counts[schema.Node] = counts = [];
            }

            CollectionsMarshal.GetValueRefOrAddDefault(counts, (long)values[0], out _)++;
        }

        return result;
    }

    public SeriesSelection Select(Selector selector, long fromUnixMs, long toUnixMs, int limit = int.MaxValue) =>
        _inner.Select(selector, fromUnixMs, toUnixMs, limit);

    public SeriesInfo[] Match(Selector selector, long fromUnixMs, long toUnixMs) => _inner.Match(selector, fromUnixMs, toUnixMs);

    public ISampleReader OpenReader() => _inner.OpenReader();

    public IReadOnlyList<string> Nodes() => _inner.Nodes();

    public IReadOnlyList<SchemaHandle> Schemas(string node) => _inner.Schemas(node);

    public LiveSubscription Subscribe(Selector selector, LiveOptions options) => _inner.Subscribe(selector, options);

    public void Maintain(long nowUnixMs) => _inner.Maintain(nowUnixMs);

    public StoreStats Stats() => _inner.Stats();

    public void Dispose() => _inner.Dispose();
}
