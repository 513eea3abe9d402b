using System.Collections.Concurrent;

namespace NodeAgent.Aggregator.Fleet;

/// <summary>All nodes ever seen. Nodes are made on their first connection and stay; there are as many as certificates were issued.</summary>
internal sealed class FleetRegistry(TimeProvider time)
{
    private readonly Lock _sessions = new();
    private readonly ConcurrentDictionary<string, FleetNode> _nodes = new(StringComparer.Ordinal);

    internal int Count => _nodes.Count;

    internal IEnumerable<FleetNode> Nodes => _nodes.Values;

    internal long NowUnixMs => time.GetUtcNow().ToUnixTimeMilliseconds();

    internal FleetNode? Find(string name) => _nodes.GetValueOrDefault(name);

    internal FleetNode GetOrAdd(string name) =>
        _nodes.GetOrAdd(name, static (key, now) => new FleetNode(key, now), NowUnixMs);

    /// <summary>Makes this the node's one session and gives back the one before it, which must end.</summary>
    internal LinkSession? Attach(FleetNode node, LinkSession session)
    {
        lock (_sessions)
        {
            LinkSession? former = node.Session;
            node.Session = session;
            return former;
        }
    }

    /// <summary>The session ended; a newer one stays attached.</summary>
    internal void Detach(FleetNode node, LinkSession session)
    {
        lock (_sessions)
        {
            if (node.Session == session)
            {
                node.Session = null;
            }
        }
    }
}
