using NodeAgent.Tsdb.Live;

namespace NodeAgent.Tsdb;

/// <summary>
/// Everything the aggregator asks of a time-series store. Two implementations: <see cref="MemoryStore"/> keeps the last hours,
/// the durable store takes its place behind the same interface.
/// </summary>
public interface ITimeSeriesStore : ISeriesWriter, ISeriesReader, ILiveSource, IDisposable
{
    /// <summary>
    /// Tells the store the time (it reads no clock): drops what is too old, frees the heads of silent schemas, forgets dead series.
    /// Call it about once a second from one place; it does a bounded amount of work and never blocks appends.
    /// </summary>
    /// <param name="nowUnixMs">The aggregator's clock, milliseconds since 1970 UTC.</param>
    void Maintain(long nowUnixMs);

    /// <summary>Counters and sizes. Exact while nothing is appended; consistent to within the rows in flight otherwise.</summary>
    StoreStats Stats();
}
