using NodeAgent.Placement.Fleet;
using NodeAgent.Placement.Requests;
using NodeAgent.Placement.Values;

namespace NodeAgent.Placement.Policies;

// The scorers of the FGD authors' simulator (hkust-adsl/kubernetes-scheduler-simulator 8f3d641), re-derived from their definitions:
// integers from 0 to 100, truncated. The truncation matters: with exact scores FGD loses 2 to 6 points of allocation, because small
// differences spread the work, while coarse ties plus a fixed node order concentrate it.

/// <summary>Least free CPU and GPU after placement, both relative to the largest node (128 cores, 8 GPUs).</summary>
public sealed class BestFitPolicy : IPlacementPolicy
{
    internal const double LargestCpuMilli = 128000;
    internal const double LargestGpuMilli = 8000;

    public string Name => "BestFit";

    public float Score(in NodeState state, in Demand demand, uint lanes)
    {
        double free = (state.Cpu - demand.CpuMilli) / LargestCpuMilli * 0.5;
        free += (state.Gpus.Total - demand.TotalGpuMilli) / LargestGpuMilli * 0.5;
        return (long)((1.0 - free) * 100);
    }
}

/// <summary>Smallest dot product of what is free and what is asked (after Tetris, SIGCOMM 2014), GPUs merged to one dimension.</summary>
public sealed class DotProductPolicy : IPlacementPolicy
{
    public string Name => "DotProd";

    public float Score(in NodeState state, in Demand demand, uint lanes)
    {
        double product = state.Cpu / BestFitPolicy.LargestCpuMilli * (demand.CpuMilli / BestFitPolicy.LargestCpuMilli);
        product += state.Gpus.Total / BestFitPolicy.LargestGpuMilli * (demand.TotalGpuMilli / BestFitPolicy.LargestGpuMilli);
        return (long)(100.0 * (1 - product / 2));
    }
}

/// <summary>Shared devices first, then free devices of a used node, then a free node.</summary>
public sealed class GpuPackingPolicy : IPlacementPolicy
{
    public string Name => "GpuPacking";

    public float Score(in NodeState state, in Demand demand, uint lanes)
    {
        if (demand.TotalGpuMilli == 0)
        {
            return 0;
        }

        int whole = state.Gpus.WholeCount;
        if (whole == state.GpuCount)
        {
            return Math.Max((100 / 3) - whole, whole);
        }

        int wholeUsed = 0;
        int leftOnUsed = 0;
        for (uint rest = lanes; rest != 0; rest &= rest - 1)
        {
            int left = state.Gpus[System.Numerics.BitOperations.TrailingZeroCount(rest)];
            wholeUsed += left == GpuLanes.Whole ? 1 : 0;
            leftOnUsed += left * 100 / GpuLanes.Whole;
        }

        return wholeUsed > 0 ? Math.Max(50 - wholeUsed, 33) : Math.Max(100 - (leftOnUsed / 10), 50);
    }
}

/// <summary>Together with requests of the same kind (a share, one GPU, two, ...), fuller nodes first.</summary>
public sealed class GpuClusteringPolicy : IPlacementPolicy
{
    public string Name => "GpuClustering";

    public bool SeesTags => true;

    public float Score(in NodeState state, in Demand demand, uint lanes)
    {
        ushort tag = NodeState.TagOf(demand);
        if (tag == 0)
        {
            return 0;
        }

        int fullness = 25 * (8000 - state.Gpus.Total) / 8000;
        return fullness + ((state.Tags & tag) != 0 ? (state.Tags == tag ? 75 : 50) : state.Tags == 0 ? 25 : 0);
    }
}

/// <summary>
/// Fragmentation gradient descent: the placement that adds least to <see cref="FragmentMeasure"/>, as
/// trunc(100 x sigmoid(decrease / 1000)).
/// </summary>
public sealed class FgdPolicy(FragmentMeasure measure) : IPlacementPolicy
{
    private readonly Dictionary<(int Model, int Cpu, GpuLanes Sorted), double> _known = [];

    public string Name => "FGD";

    public bool ChoosesDevice => true;

    public float Score(in NodeState state, in Demand demand, uint lanes)
    {
        double before = Fragments(state.Model, state.Cpu, state.Gpus);
        double after = Fragments(state.Model, state.Cpu - demand.CpuMilli, state.Gpus.TakeEach(lanes, demand.GpuMilli));
        return (long)(1.0 / (1.0 + Math.Exp(-(before - after) / 1000)) * 100);
    }

    private double Fragments(int model, int cpu, GpuLanes gpus)
    {
        // Doubles, not the engine's floats: a score on the edge of an integer must fall as the reference's does.
        (int, int, GpuLanes) key = (model, cpu, gpus.Sorted());
        if (!_known.TryGetValue(key, out double value))
        {
            if (_known.Count > 1 << 20)
            {
                _known.Clear();
            }

            _known.Add(key, value = measure.Evaluate(model, cpu, gpus));
        }

        return value;
    }
}
