namespace NodeAgent.Placement.Fleet;

/// <summary>What a node is: what never changes while it is in the fleet. Amounts are what placement may use (allocatable).</summary>
/// <param name="Name">Unique.</param>
/// <param name="Model">GPU model; empty on a node without GPUs.</param>
/// <param name="GpuCount">0 to <see cref="GpuLanes.Max"/>.</param>
/// <param name="CpuMilli">Thousandths of a core.</param>
/// <param name="MemoryMiB">Host memory.</param>
/// <param name="NicMbps">Network bandwidth that placement may promise; 0: not accounted, and no request with bandwidth fits.</param>
/// <param name="Place">Where it stands in the network.</param>
/// <param name="Mig">True: its GPUs are partitioned (MIG) and take profiles instead of thousandths.</param>
/// <param name="GpuMemoryMiB">Memory of one GPU; 0: unknown, and no request with a minimum fits.</param>
public sealed record NodeSpec(
    string Name,
    string Model,
    int GpuCount,
    int CpuMilli,
    int MemoryMiB,
    int NicMbps = 0,
    NetworkPlace Place = default,
    bool Mig = false,
    int GpuMemoryMiB = 0);

/// <summary>Position in the network, by number from the inside out. Nodes with equal numbers share the switch or domain.</summary>
/// <param name="NvlinkDomain">Nodes joined by NVLink (a rack-scale system); a single host is its own domain.</param>
/// <param name="Rack">Power and cooling.</param>
/// <param name="Leaf">The leaf switch.</param>
public readonly record struct NetworkPlace(int NvlinkDomain, int Rack, int Leaf);

/// <summary>How far the members of a gang may be apart, nearest first.</summary>
public enum TopologyLevel
{
    Host = 0,
    NvlinkDomain = 1,
    Rack = 2,
    Leaf = 3,
    Fleet = 4,
}
