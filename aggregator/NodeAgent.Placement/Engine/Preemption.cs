using NodeAgent.Placement.Fleet;
using NodeAgent.Placement.Requests;
using NodeAgent.Placement.Search;

namespace NodeAgent.Placement.Engine;

/// <summary>
/// Which jobs to stop for a more important one: on each node the cheapest set of less important jobs whose leaving makes room, cheapest
/// node first. The cost is the work that is lost (since the last checkpoint, of the whole job: a gang without a member is of no use).
/// </summary>
internal static class Preemption
{
    /// <summary>Jobs to stop for one replica. Empty: no set helps.</summary>
    public static IReadOnlyList<JobRecord> Victims(FleetBook book, JobTable jobs, in Demand demand, int priority, DateTimeOffset now, INodeRule? rule)
    {
        IReadOnlyList<JobRecord> best = [];
        double bestCost = double.PositiveInfinity;
        FleetState state = book.State;
        for (int node = 0; node < state.Count; node++)
        {
            if (state.Condition(node).Filter == NodeFilter.None && !state.Catalog.Nodes[node].Mig && demand.Accepts(state.Catalog.ModelOf[node]) && rule?.Allows(node) != false
                && TryNode(book, jobs, demand, priority, now, node, bestCost, out List<JobRecord> victims, out double cost))
            {
                (best, bestCost) = (victims, cost);
            }
        }

        return best;
    }

    private static bool TryNode(
        FleetBook book, JobTable jobs, in Demand demand, int priority, DateTimeOffset now, int node, double bestCost, out List<JobRecord> victims, out double cost)
    {
        FleetState state = book.State;
        var candidates = new List<(int Priority, double Cost, long Number, JobRecord Job)>();
        foreach (int number in book.Allocations.Of(node))
        {
            if (jobs.Find(book.Allocations[number].Owner) is { } job && job.Request.Priority < priority && candidates.All(known => known.Job != job))
            {
                candidates.Add((job.Request.Priority, job.LostGpuHours(now), job.Number, job));
            }
        }

        candidates.Sort((left, right) => (left.Priority, left.Cost, left.Number).CompareTo((right.Priority, right.Cost, right.Number)));
        (int cpu, int memory, int nic, GpuLanes gpus) = (state.Cpu(node), state.Memory(node), state.Nic(node), FleetIndex.UsableGpus(state, node));
        (victims, cost) = ([], 0);
        foreach ((_, double lost, _, JobRecord job) in candidates)
        {
            victims.Add(job);
            cost += lost;
            if (cost >= bestCost)
            {
                return false;
            }

            foreach (int number in book.Allocations.Of(node))
            {
                Allocation held = book.Allocations[number];
                if (held.Owner == job.Number)
                {
                    cpu += held.Demand.CpuMilli;
                    memory += held.Demand.MemoryMiB;
                    nic += held.Demand.NicMbps;
                    gpus = gpus.TakeEach(held.Lanes & ~(uint)state.Condition(node).DeratedLanes, -held.Demand.GpuMilli);
                }
            }

            if (memory >= demand.MemoryMiB && nic >= demand.NicMbps && demand.Fits(cpu, gpus))
            {
                return true;
            }
        }

        return false;
    }
}
