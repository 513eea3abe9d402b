using NodeAgent.Placement.Fleet;

namespace NodeAgent.Placement.Traces;

/// <summary>
/// Recomputes a run from its journal and the trace alone, with arithmetic of its own: no type of the engine decides here whether a
/// placement was allowed.
/// </summary>
public static class PlacementChecker
{
    /// <summary>What is wrong, in words; empty: nothing.</summary>
    /// <param name="nodes">Nodes by number.</param>
    /// <param name="pods">Requests by arrival.</param>
    /// <param name="journal">Placements and moves in order.</param>
    public static IReadOnlyList<string> Check(IReadOnlyList<NodeSpec> nodes, IReadOnlyList<TracePod> pods, IEnumerable<Placed> journal)
    {
        var faults = new List<string>();
        int[] cpu = new int[nodes.Count];
        int[] memory = new int[nodes.Count];
        int[,] gpus = new int[nodes.Count, 8];
        var where = new Dictionary<int, (int Node, uint Lanes)>();
        foreach (Placed placed in journal)
        {
            TracePod pod = pods[placed.Pod];
            if (placed.MovedFrom >= 0)
            {
                if (!where.Remove(placed.Pod, out (int Node, uint Lanes) old) || old.Node != placed.MovedFrom)
                {
                    faults.Add($"pod {placed.Pod} was moved from node {placed.MovedFrom}, where it was not");
                    continue;
                }

                Apply(old.Node, old.Lanes, pod, -1);
            }

            if (placed.Node < 0)
            {
                continue;
            }

            if (!where.TryAdd(placed.Pod, (placed.Node, placed.Lanes)))
            {
                faults.Add($"pod {placed.Pod} was placed twice");
                continue;
            }

            Apply(placed.Node, placed.Lanes, pod, +1);
            Judge(placed, pod);
        }

        return faults;

        void Apply(int node, uint lanes, TracePod pod, int sign)
        {
            cpu[node] += sign * pod.CpuMilli;
            memory[node] += sign * pod.MemoryMiB;
            for (int lane = 0; lane < 8; lane++)
            {
                gpus[node, lane] += (lanes >> lane & 1) == 1 ? sign * pod.GpuMilli : 0;
            }
        }

        void Judge(Placed placed, TracePod pod)
        {
            NodeSpec node = nodes[placed.Node];
            string what = $"pod {placed.Pod} on {node.Name}";
            if (cpu[placed.Node] > node.CpuMilli || memory[placed.Node] > node.MemoryMiB)
            {
                faults.Add($"{what}: {cpu[placed.Node]} of {node.CpuMilli}m CPU, {memory[placed.Node]} of {node.MemoryMiB} MiB");
            }

            int devices = 0;
            for (int lane = 0; lane < 8; lane++)
            {
                devices += (int)(placed.Lanes >> lane & 1);
                if (gpus[placed.Node, lane] > (lane < node.GpuCount ? 1000 : 0))
                {
                    faults.Add($"{what}: device {lane} holds {gpus[placed.Node, lane]}");
                }
            }

            if (devices != pod.GpuCount)
            {
                faults.Add($"{what}: {devices} devices instead of {pod.GpuCount}");
            }

            string[] models = pod.Models.Split('|', StringSplitOptions.RemoveEmptyEntries);
            if (models.Length > 0 && !models.Contains(node.Model))
            {
                faults.Add($"{what}: {node.Model} is not {pod.Models}");
            }
        }
    }
}
