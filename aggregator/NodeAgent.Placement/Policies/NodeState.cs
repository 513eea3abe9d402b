using NodeAgent.Placement.Fleet;

namespace NodeAgent.Placement.Policies;

/// <summary>All that a policy may know about a node. Nodes in equal states get equal scores, which is what makes the index possible.</summary>
/// <param name="Model">GPU model number.</param>
/// <param name="GpuCount">Devices, used or not.</param>
/// <param name="Cpu">Thousandths of a core left.</param>
/// <param name="Gpus">Thousandths left of each device.</param>
/// <param name="Risk">Class of <see cref="RiskScale"/>.</param>
/// <param name="Tags">Kinds of GPU requests running there, a bit each (<see cref="TagOf"/>); 0 unless the policy asks for them.</param>
public readonly record struct NodeState(int Model, int GpuCount, int Cpu, GpuLanes Gpus, byte Risk, ushort Tags)
{
    /// <summary>The kind of a request: a share of a device, or 1, 2, ... whole ones. 0: no GPU.</summary>
    public static ushort TagOf(Requests.Demand demand) =>
        demand.GpuCount == 0 ? (ushort)0 : demand.IsShare ? (ushort)1 : (ushort)(1 << demand.GpuCount);
}
