using System.Numerics;
using NodeAgent.Placement.Fleet;
using NodeAgent.Placement.Requests;

namespace NodeAgent.Placement.Policies;

/// <summary>Which devices of a node a request takes.</summary>
internal static class DeviceChoice
{
    /// <summary>The best score on a node and the devices that give it: the first of equal scores, in device order.</summary>
    public static float Best(IPlacementPolicy policy, in NodeState state, in Demand demand, out uint lanes)
    {
        if (!policy.ChoosesDevice || !demand.IsShare)
        {
            lanes = demand.GpuCount == 0 ? 0 : demand.TightestLanes(state.Gpus);
            return policy.Score(state, demand, lanes);
        }

        lanes = 0;
        float best = float.NegativeInfinity;
        for (uint rest = DistinctLanes(state.Gpus, demand.GpuMilli); rest != 0; rest &= rest - 1)
        {
            uint lane = rest & (uint)-(int)rest;
            float score = policy.Score(state, demand, lane);
            if (lanes == 0 || score > best)
            {
                (best, lanes) = (score, lane);
            }
        }

        return best;
    }

    /// <summary>One device of each amount that is enough: equal devices are equal choices, the first stands for all.</summary>
    public static uint DistinctLanes(GpuLanes gpus, int milli)
    {
        uint distinct = 0;
        for (uint rest = gpus.LanesWith(milli); rest != 0; rest &= rest - 1)
        {
            int lane = BitOperations.TrailingZeroCount(rest);
            bool seen = false;
            for (uint before = distinct; before != 0 && !seen; before &= before - 1)
            {
                seen = gpus[BitOperations.TrailingZeroCount(before)] == gpus[lane];
            }

            distinct |= seen ? 0 : 1u << lane;
        }

        return distinct;
    }
}
