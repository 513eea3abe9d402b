using NodeAgent.Tsdb.Query;

namespace NodeAgent.Tsdb;

/// <summary>The read side of a store: what the query engine and the aggregator's lists stand on. Safe from any thread.</summary>
public interface ISeriesReader
{
    /// <summary>
    /// The series that match and may have samples in the range (some may turn out to have none), sorted by metric, then by labels.
    /// </summary>
    /// <param name="selector">Which series.</param>
    /// <param name="fromUnixMs">Oldest time of interest, inclusive.</param>
    /// <param name="toUnixMs">Newest time of interest, inclusive.</param>
    /// <param name="limit">At most this many come back; <see cref="SeriesSelection.Total"/> still counts all.</param>
    SeriesSelection Select(Selector selector, long fromUnixMs, long toUnixMs, int limit = int.MaxValue);

    /// <summary>As <see cref="Select"/>, all of them in no particular order: for queries, which sort their results instead.</summary>
    SeriesInfo[] Match(Selector selector, long fromUnixMs, long toUnixMs);

    /// <summary>Opens a reader for one query. Not thread-safe; dispose it when the query ends.</summary>
    ISampleReader OpenReader();

    /// <summary>As <see cref="OpenReader()"/>, with somebody who watches over what it costs.</summary>
    ISampleReader OpenReader(IScanMeter meter) => new MeteredReader(OpenReader(), meter);

    /// <summary>Names of the nodes that have a schema, sorted.</summary>
    IReadOnlyList<string> Nodes();

    /// <summary>The current schemas of a node, sorted by sampler; empty for an unknown node.</summary>
    IReadOnlyList<SchemaHandle> Schemas(string node);
}

/// <summary>What <see cref="ISeriesReader.Select"/> found.</summary>
/// <param name="Series">Sorted, cut at the limit.</param>
/// <param name="Total">How many matched, also when the limit cut the list.</param>
public readonly record struct SeriesSelection(SeriesInfo[] Series, int Total)
{
    /// <summary>Sorts what matched and cuts it at the limit.</summary>
    internal static SeriesSelection Of(SeriesInfo[] matching, int limit)
    {
        Array.Sort(matching, SeriesInfo.Order);
        return new SeriesSelection(limit < matching.Length ? matching[..limit] : matching, matching.Length);
    }
}
