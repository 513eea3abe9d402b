using NodeAgent.Placement.Policies;

namespace NodeAgent.Placement.Search;

/// <summary>All nodes that are in the same state, so that they are scored once.</summary>
internal sealed class StateGroup(NodeState state, int partition, int slot, uint generation, int universe)
{
    /// <summary>The state, lanes sorted.</summary>
    public NodeState State { get; } = state;

    /// <summary>Which partition holds it.</summary>
    public int Partition { get; } = partition;

    /// <summary>Place among the groups of its partition; re-used when the group empties.</summary>
    public int Slot { get; } = slot;

    /// <summary>Tells this group from an earlier one in the same slot.</summary>
    public uint Generation { get; } = generation;

    /// <summary>No node of the group has more memory left. Raised at once, lowered when a search has seen them all.</summary>
    public int MemoryBound { get; set; }

    public RankSet Nodes { get; } = new(universe);
}
