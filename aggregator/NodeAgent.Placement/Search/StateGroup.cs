using NodeAgent.Placement.Policies;

namespace NodeAgent.Placement.Search;

/// <summary>All nodes that are in the same state, so that they are scored once.</summary>
internal sealed class StateGroup(NodeState state, int slot, uint generation, int universe)
{
    /// <summary>The state, lanes sorted.</summary>
    public NodeState State { get; } = state;

    /// <summary>Place among the groups of its model; re-used when the group empties.</summary>
    public int Slot { get; } = slot;

    /// <summary>Tells this group from an earlier one in the same slot.</summary>
    public uint Generation { get; } = generation;

    public RankSet Nodes { get; } = new(universe);
}
