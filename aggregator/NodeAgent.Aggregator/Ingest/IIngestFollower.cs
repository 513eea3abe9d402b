using NodeAgent.Tsdb;
using NodeAgent.V1;

namespace NodeAgent.Aggregator.Ingest;

/// <summary>
/// Somebody who sees what was just taken in, on the threads of ingest and under the node's gate: it must copy what it wants and return at once.
/// What the log brings back after a restart is not shown.
/// </summary>
internal interface IIngestFollower
{
    /// <summary>A row of a live stream was stored. The spans are the decoder's own.</summary>
    void OnRow(SchemaHandle schema, long unixMs, ReadOnlySpan<double> values, ReadOnlySpan<ulong> present);

    /// <summary>An event was taken, of either lane.</summary>
    void OnEvent(string node, Event record, long receivedUnixMs);
}

/// <summary>Where a follower is hung on while ingest runs.</summary>
internal sealed class IngestTap
{
    /// <summary>Null: nobody follows.</summary>
    internal IIngestFollower? Follower { get; set; }
}
