using NodeAgent.Placement.Requests;

namespace NodeAgent.Placement.Policies;

/// <summary>Load balancing: the node that stays emptiest in its scarcer resource, in thousandths. For services that share hosts by choice.</summary>
public sealed class SpreadPolicy : IPlacementPolicy
{
    public string Name => "Spread";

    public float Score(in NodeState state, in Demand demand, uint lanes)
    {
        double cpu = (state.Cpu - demand.CpuMilli) / BestFitPolicy.LargestCpuMilli;
        double gpu = (state.Gpus.Total - demand.TotalGpuMilli) / BestFitPolicy.LargestGpuMilli;
        return (float)(1000 * (demand.GpuCount == 0 ? cpu : Math.Min(cpu, gpu)));
    }
}
