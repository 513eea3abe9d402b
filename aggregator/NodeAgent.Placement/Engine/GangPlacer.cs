using NodeAgent.Placement.Fleet;
using NodeAgent.Placement.Requests;
using NodeAgent.Placement.Search;

namespace NodeAgent.Placement.Engine;

/// <summary>
/// Places the replicas of one job, all or none (or at least the minimum): from the preferred topology level outwards, the smallest
/// domain that holds the gang first; where the gang may span, the fewest domains. Tries in the book itself and takes back what fails.
/// </summary>
internal sealed class GangPlacer(FleetBook book, TopologyDomains domains)
{
    // Smallest first: the first few that count enough copies nearly always hold the gang.
    private const int DomainsTried = 16;

    // Up to here a scan of the domain is cheaper than walking an index of the whole fleet past all other nodes.
    private const int ScanUpTo = 4096;

    /// <summary>Places the gang in the book. False: the book is as before.</summary>
    /// <param name="search">Policy.</param>
    /// <param name="request">The job.</param>
    /// <param name="demand">Of each replica.</param>
    /// <param name="owner">Number of the job.</param>
    /// <param name="rule">Anti-affinity.</param>
    /// <param name="first">Told the first choice before it is taken.</param>
    /// <param name="taken">Numbers of the allocations.</param>
    public bool TryPlace(PlacementSearch search, PlacementRequest request, Demand demand, long owner, GangRule rule, Action<Choice>? first, List<int> taken)
    {
        for (TopologyLevel level = request.Preferred; level <= request.Required; level++)
        {
            if (level == TopologyLevel.Fleet
                ? TrySpan(search, request, demand, owner, rule, first, taken, request.Replicas)
                : TryWithin(search, request, demand, owner, rule, first, taken, level, request.Replicas))
            {
                return true;
            }
        }

        // A smaller gang is better than none only where the job says so; the largest that fits, by halving.
        for (int replicas = request.Replicas - 1; request.MinReplicas > 0 && replicas >= request.MinReplicas; replicas--)
        {
            if (request.Required == TopologyLevel.Fleet
                ? TrySpan(search, request, demand, owner, rule, first, taken, replicas)
                : TryWithin(search, request, demand, owner, rule, first, taken, request.Required, replicas))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Copies of a demand that a node has room for now.</summary>
    public int Copies(int node, in Demand demand, GangRule rule, int maxPerNode)
    {
        if (!rule.Allows(node) || book.State.Condition(node).Filter != NodeFilter.None || !demand.Accepts(book.State.Catalog.ModelOf[node]))
        {
            return 0;
        }

        int copies = demand.Copies(book.State.Cpu(node), FleetIndex.UsableGpus(book.State, node));
        copies = demand.MemoryMiB > 0 ? Math.Min(copies, book.State.Memory(node) / demand.MemoryMiB) : copies;
        copies = demand.NicMbps > 0 ? Math.Min(copies, book.State.Nic(node) / demand.NicMbps) : copies;
        return maxPerNode > 0 ? Math.Min(copies, maxPerNode) : copies;
    }

    private bool TryWithin(
        PlacementSearch search, PlacementRequest request, Demand demand, long owner, GangRule rule, Action<Choice>? first, List<int> taken, TopologyLevel level, int replicas)
    {
        rule.Clear();
        var fitting = new List<(long Free, int Domain)>();
        IReadOnlyList<int[]> all = domains.At(level);
        for (int domain = 0; domain < all.Count; domain++)
        {
            long copies = 0, free = 0;
            foreach (int node in all[domain])
            {
                copies += Copies(node, demand, rule, request.MaxPerNode);
                free += book.State.Gpus(node).Total;
            }

            if (copies >= replicas)
            {
                fitting.Add((free, domain));
            }
        }

        fitting.Sort();
        foreach ((_, int domain) in fitting.Take(DomainsTried))
        {
            if (TryFill(search, demand, owner, rule, first, taken, all[domain], replicas) == replicas)
            {
                return true;
            }
        }

        return false;
    }

    private bool TrySpan(PlacementSearch search, PlacementRequest request, Demand demand, long owner, GangRule rule, Action<Choice>? first, List<int> taken, int replicas)
    {
        rule.Clear();
        rule.Domain = null;
        if (replicas == 1 || request.Preferred == TopologyLevel.Fleet)
        {
            return TryFill(search, demand, owner, rule, first, taken, null, replicas) == replicas;
        }

        // Fewest domains: the roomiest first, and for the rest the smallest that holds it (as Slurm's tree plug-in does).
        int mark = book.Mark();
        var rooms = domains.At(request.Preferred).Select(nodes => (Nodes: nodes, Copies: nodes.Sum(node => (long)Copies(node, demand, rule, request.MaxPerNode)))).Where(room => room.Copies > 0).ToList();
        int rest = replicas;
        while (rest > 0 && rooms.Count > 0)
        {
            var holding = rooms.Where(room => room.Copies >= rest).ToList();
            (int[] nodes, long copies) room = holding.Count > 0 ? holding.MinBy(candidate => candidate.Copies) : rooms.MaxBy(candidate => candidate.Copies);
            rooms.Remove(room);
            rest -= TryFill(search, demand, owner, rule, rest == replicas ? first : null, taken, room.nodes, (int)Math.Min(rest, room.copies), partly: true);
        }

        if (rest == 0)
        {
            return true;
        }

        book.UndoTo(mark);
        taken.Clear();
        return false;
    }

    // Takes up to so many; unless partly, all or none. Returns how many.
    private int TryFill(
        PlacementSearch search, Demand demand, long owner, GangRule rule, Action<Choice>? first, List<int> taken, int[]? nodes, int replicas, bool partly = false)
    {
        int mark = book.Mark();
        int before = taken.Count;
        rule.Domain = nodes is { Length: > ScanUpTo } ? [.. nodes] : null;
        for (int replica = 0; replica < replicas; replica++)
        {
            Choice choice = nodes is { Length: <= ScanUpTo } ? Best(search, demand, nodes, rule) : search.Find(demand, rule.IsTrivial ? null : rule);
            if (!choice.Found)
            {
                break;
            }

            if (taken.Count == 0)
            {
                first?.Invoke(choice);
            }

            taken.Add(book.Take(owner, choice.Node, demand, choice.Lanes));
            rule.Used(choice.Node);
        }

        int got = taken.Count - before;
        if (got < replicas && !partly)
        {
            book.UndoTo(mark);
            taken.RemoveRange(before, got);
            rule.Clear();
            return 0;
        }

        return got;
    }

    private static Choice Best(PlacementSearch search, Demand demand, int[] nodes, GangRule rule)
    {
        search.Prices?.Refresh();
        Choice best = Choice.None;
        foreach (int node in nodes)
        {
            if (rule.Allows(node) && search.TryScore(node, demand, out Choice choice) && (!best.Found || choice.Score > best.Score))
            {
                best = choice;
            }
        }

        return best;
    }
}
