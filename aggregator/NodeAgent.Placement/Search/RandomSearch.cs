using System.Numerics;
using NodeAgent.Placement.Fleet;
using NodeAgent.Placement.Requests;
using NodeAgent.Placement.Values;

namespace NodeAgent.Placement.Search;

/// <summary>Any node that fits, each as likely, and any device of it: the floor that every policy is measured against.</summary>
public sealed class RandomSearch(FleetState state, ulong seed)
{
    private SplitMix _random = new(seed);

    /// <summary>A place, or none.</summary>
    public Choice Find(in Demand demand)
    {
        int chosen = -1;
        int seen = 0;
        for (int node = 0; node < state.Count; node++)
        {
            if (!state.Catalog.Nodes[node].Mig && state.Condition(node).Filter == NodeFilter.None && demand.Accepts(state.Catalog.ModelOf[node])
                && state.Memory(node) >= demand.MemoryMiB && state.Nic(node) >= demand.NicMbps
                && demand.Fits(state.Cpu(node), FleetIndex.UsableGpus(state, node)) && _random.Next(++seen) == 0)
            {
                chosen = node;
            }
        }

        return chosen < 0 ? Choice.None : new Choice(chosen, Lanes(demand, FleetIndex.UsableGpus(state, chosen)), 0);
    }

    private uint Lanes(in Demand demand, GpuLanes gpus)
    {
        if (!demand.IsShare)
        {
            return demand.GpuCount == 0 ? 0 : demand.TightestLanes(gpus);
        }

        uint fitting = gpus.LanesWith(demand.GpuMilli);
        for (int skip = _random.Next(BitOperations.PopCount(fitting)); skip > 0; skip--)
        {
            fitting &= fitting - 1;
        }

        return fitting & (uint)-(int)fitting;
    }
}
