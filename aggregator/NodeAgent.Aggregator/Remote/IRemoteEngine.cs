using NodeAgent.Contracts.Series;
using NodeAgent.Tsdb.Query;

namespace NodeAgent.Aggregator.Remote;

/// <summary>A series' name and labels, sorted by name.</summary>
internal sealed record RemoteName(string Metric, Label[] Labels);

/// <summary>Samples of a series; an engine may give several stretches of one.</summary>
internal sealed record RemoteSamples(RemoteName Name, long[] UnixMs, double[] Values);

/// <summary>What is asked of another engine. Answers may have more than matches: the caller looks again.</summary>
internal interface IRemoteEngine
{
    /// <summary>Series that may have samples in the range, both ends inclusive.</summary>
    /// <exception cref="QueryException">The engine cannot answer this, or not now.</exception>
    IEnumerable<RemoteName> Match(Selector selector, long fromUnixMs, long toUnixMs);

    /// <summary>Their samples in the range.</summary>
    /// <exception cref="QueryException">As <see cref="Match"/>.</exception>
    IEnumerable<RemoteSamples> Read(Selector selector, long fromUnixMs, long toUnixMs);
}
