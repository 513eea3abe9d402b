using NodeAgent.Contracts.Series;
using NodeAgent.Tsdb.Live;
using NodeAgent.Tsdb.Query;

namespace NodeAgent.Tsdb;

/// <summary>Keeps the last hours in memory.</summary>
public sealed class MemoryStore(MemoryStoreOptions options) : ITimeSeriesStore
{
    public MemoryStoreOptions Options { get; } = options;

    public RegisterResult Register(string node, string sampler, int intervalMs, IReadOnlyList<SeriesDefinition> series) => throw new NotImplementedException();

    public AppendResult Append(SchemaHandle schema, long unixMs, ReadOnlySpan<double> values, ReadOnlySpan<ulong> present) => throw new NotImplementedException();

    public SeriesSelection Select(Selector selector, long fromUnixMs, long toUnixMs, int limit = int.MaxValue) => throw new NotImplementedException();

    public ISampleReader OpenReader() => throw new NotImplementedException();

    public IReadOnlyList<string> Nodes() => throw new NotImplementedException();

    public IReadOnlyList<SchemaHandle> Schemas(string node) => throw new NotImplementedException();

    public LiveSubscription Subscribe(Selector selector, LiveOptions options) => throw new NotImplementedException();

    public void Maintain(long nowUnixMs) => throw new NotImplementedException();

    public StoreStats Stats() => throw new NotImplementedException();

    public void Dispose() => throw new NotImplementedException();
}
