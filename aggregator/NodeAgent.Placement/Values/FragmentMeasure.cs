using System.Numerics;
using System.Runtime.Intrinsics;
using NodeAgent.Placement.Fleet;
using NodeAgent.Placement.Requests;

namespace NodeAgent.Placement.Values;

/// <summary>
/// F(s): the expected GPU thousandths of a node that one typical arrival could not use (Weng et al., "Beware of Fragmentation",
/// USENIX ATC 2023, section 4). The sums are formed per case and in the order of the authors' simulator, so that the truncated scores
/// of <see cref="Policies.FgdPolicy"/> are theirs bit by bit.
/// </summary>
public sealed class FragmentMeasure
{
    private readonly MixEntry[] _typical;

    /// <param name="typical">Frequent shapes, most frequent first, shares adding up to one.</param>
    public FragmentMeasure(IEnumerable<MixEntry> typical) => _typical = [.. typical];

    /// <summary>Expected unusable thousandths.</summary>
    public double Evaluate(int model, int cpuLeft, GpuLanes gpus)
    {
        int total = gpus.Total;
        double lackBoth = 0, lackGpu = 0, lackCpu = 0, cpuOnlyFits = 0, cpuOnlyLacks = 0, wrongModel = 0;
        foreach (ref readonly MixEntry typical in _typical.AsSpan())
        {
            Demand demand = typical.Demand;
            bool cpuFits = cpuLeft >= demand.CpuMilli;
            double all = typical.Share * total;
            if (demand.GpuMilli == 0)
            {
                // An arrival without GPU uses none, so to it every free GPU is a fragment.
                (cpuOnlyFits, cpuOnlyLacks) = cpuFits ? (cpuOnlyFits + all, cpuOnlyLacks) : (cpuOnlyFits, cpuOnlyLacks + all);
            }
            else if (!demand.Accepts(model))
            {
                wrongModel += all;
            }
            else if (BitOperations.PopCount(gpus.LanesWith(demand.GpuMilli)) >= demand.GpuCount)
            {
                if (cpuFits)
                {
                    lackGpu += typical.Share * TooSmall(gpus, demand.GpuMilli);
                }
                else
                {
                    lackCpu += all;
                }
            }
            else if (cpuFits)
            {
                lackGpu += all;
            }
            else
            {
                lackBoth += all;
            }
        }

        return lackBoth + lackGpu + lackCpu + cpuOnlyFits + cpuOnlyLacks + wrongModel;
    }

    private static int TooSmall(GpuLanes gpus, int milli)
    {
        Vector128<ushort> small = Vector128.LessThan(gpus.Vector, Vector128.Create((ushort)milli)) & gpus.Vector;
        return new GpuLanes(small).Total;
    }
}
