namespace NodeAgent.Placement.Network;

/// <summary>A link with what it can carry.</summary>
public readonly record struct NetworkLink(string Name, double CapacityMbps);

/// <summary>Traffic between two groups, with the paths it may use.</summary>
/// <param name="Name">Whose.</param>
/// <param name="DemandMbps">What it would like.</param>
/// <param name="Weight">Its share where there is not enough.</param>
/// <param name="Paths">Each a list of link numbers.</param>
public sealed record NetworkFlow(string Name, double DemandMbps, double Weight, IReadOnlyList<int[]> Paths);

/// <summary>What a flow gets: the limit for its sender, and how it is split over its paths.</summary>
/// <param name="Name">Whose.</param>
/// <param name="LimitMbps">For the rate limit of the network command.</param>
/// <param name="PathShares">Adding up to one; the weights of its multi-path routes.</param>
public sealed record FlowLimit(string Name, double LimitMbps, IReadOnlyList<double> PathShares);

/// <summary>
/// Weighted max-min fair shares over several paths by water filling: all flows grow at the rate of their weights, each over its paths in
/// proportion to what the paths still have, until a link is full or a flow has what it wants.
/// </summary>
public static class NetworkPlan
{
    private const double Enough = 1e-9;

    // Steps per filling: splits follow the free capacity in this many small steps.
    private const int Steps = 1000;

    /// <summary>Limits for all flows. The sum on each link stays within its capacity.</summary>
    public static IReadOnlyList<FlowLimit> Share(IReadOnlyList<NetworkLink> links, IReadOnlyList<NetworkFlow> flows)
    {
        double[] free = [.. links.Select(link => link.CapacityMbps)];
        double[][] got = [.. flows.Select(flow => new double[flow.Paths.Count])];
        double totalWeight = flows.Sum(flow => flow.Weight);
        double quantum = totalWeight <= 0 ? 0 : links.Sum(link => link.CapacityMbps) / totalWeight / Steps;
        var open = new HashSet<int>(Enumerable.Range(0, flows.Count).Where(flow => flows[flow].Weight > 0 && flows[flow].Paths.Count > 0));
        while (open.Count > 0 && quantum > 0)
        {
            foreach (int flow in open.Order().ToArray())
            {
                double wanted = Math.Min(flows[flow].DemandMbps - got[flow].Sum(), quantum * flows[flow].Weight);
                if (wanted <= Enough || !Pour(free, flows[flow], got[flow], wanted))
                {
                    open.Remove(flow);
                }
            }
        }

        return [.. flows.Select((flow, index) => new FlowLimit(flow.Name, got[index].Sum(), Shares(got[index])))];
    }

    /// <summary>Bandwidth that crosses the domains' borders when a gang of equal members talks all to all: what a topology cut costs.</summary>
    /// <param name="membersPerDomain">Members in each domain.</param>
    /// <param name="mbpsPerPair">Between each two members.</param>
    public static double CutMbps(IReadOnlyList<int> membersPerDomain, double mbpsPerPair)
    {
        long all = membersPerDomain.Sum(count => (long)count);
        long inside = membersPerDomain.Sum(count => (long)count * (count - 1) / 2);
        return ((all * (all - 1) / 2) - inside) * mbpsPerPair;
    }

    // On the path with most room; false: none has any.
    private static bool Pour(double[] free, NetworkFlow flow, double[] got, double wanted)
    {
        int best = -1;
        double room = Enough;
        for (int path = 0; path < flow.Paths.Count; path++)
        {
            double least = flow.Paths[path].Min(link => free[link]);
            if (least > room)
            {
                (best, room) = (path, least);
            }
        }

        if (best < 0)
        {
            return false;
        }

        double amount = Math.Min(wanted, room);
        foreach (int link in flow.Paths[best])
        {
            free[link] -= amount;
        }

        got[best] += amount;
        return true;
    }

    private static double[] Shares(double[] got)
    {
        double sum = got.Sum();
        return [.. got.Select(part => sum <= 0 ? 1.0 / got.Length : part / sum)];
    }
}
