using System.Collections.Concurrent;

namespace NodeAgent.Aggregator.Fleet;

/// <summary>All nodes ever seen. Nodes are made on their first connection and stay; there are as many as certificates were issued.</summary>
internal sealed class FleetRegistry
{
    private readonly ConcurrentDictionary<string, FleetNode> _nodes = new(StringComparer.Ordinal);

    internal int Count => _nodes.Count;

    internal IEnumerable<FleetNode> Nodes => _nodes.Values;

    internal FleetNode? Find(string name) => _nodes.GetValueOrDefault(name);

    internal FleetNode GetOrAdd(string name, long nowUnixMs) =>
        _nodes.GetOrAdd(name, static (key, now) => new FleetNode(key, now), nowUnixMs);
}
