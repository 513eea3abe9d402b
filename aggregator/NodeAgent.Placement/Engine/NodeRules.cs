using NodeAgent.Placement.Fleet;
using NodeAgent.Placement.Search;

namespace NodeAgent.Placement.Engine;

/// <summary>What a request asks of nodes beyond room: not these, not more than so many each, only in this domain.</summary>
internal sealed class GangRule(int maxPerNode, HashSet<int> avoided) : INodeRule
{
    private readonly Dictionary<int, int> _used = [];

    /// <summary>Only these nodes; null: all.</summary>
    public HashSet<int>? Domain { get; set; }

    public bool Allows(int node) =>
        (Domain is null || Domain.Contains(node)) && !avoided.Contains(node) && (maxPerNode == 0 || _used.GetValueOrDefault(node) < maxPerNode);

    public void Used(int node) => _used[node] = _used.GetValueOrDefault(node) + 1;

    public void Clear() => _used.Clear();

    /// <summary>Whether the rule can be left out of a search.</summary>
    public bool IsTrivial => Domain is null && maxPerNode == 0 && avoided.Count == 0;
}

/// <summary>Everything but a few nodes.</summary>
internal sealed class ExceptRule(INodeRule? inner, HashSet<int> except) : INodeRule
{
    public bool Allows(int node) => !except.Contains(node) && inner?.Allows(node) != false;
}

/// <summary>Why a node does not take a demand.</summary>
internal static class Rejection
{
    /// <summary>The first reason; null: it would take it.</summary>
    public static string? Of(FleetState state, int node, in Requests.Demand demand, INodeRule? rule)
    {
        NodeFilter filter = state.Condition(node).Filter;
        if (filter != NodeFilter.None)
        {
            return "unavailable: " + filter.ToString().ToLowerInvariant();
        }

        if (state.Catalog.Nodes[node].Mig || !demand.Accepts(state.Catalog.ModelOf[node]))
        {
            return "other GPU model";
        }

        GpuLanes gpus = FleetIndex.UsableGpus(state, node);
        return state.Cpu(node) < demand.CpuMilli ? "cpu"
            : demand.GpuCount > 0 && System.Numerics.BitOperations.PopCount(gpus.LanesWith(demand.GpuMilli)) < demand.GpuCount ? "gpu"
            : state.Memory(node) < demand.MemoryMiB ? "memory"
            : state.Nic(node) < demand.NicMbps ? "network bandwidth"
            : rule?.Allows(node) == false ? "placement rule" : null;
    }
}
