using NodeAgent.Placement.Fleet;
using NodeAgent.Placement.Requests;
using NodeAgent.Placement.Search;
using NodeAgent.Placement.Values;

namespace NodeAgent.Placement.Plans;

/// <summary>
/// Plans moves in the book itself and takes them back: drain (largest first, each where it scores best, with a second move where
/// one is not enough), room for a request, rebalance by threshold accepting with a price on every move.
/// </summary>
internal sealed class Planner(FleetBook book, PlacementSearch search, Func<long, string> jobName)
{
    private readonly List<Move> _moves = [];

    /// <summary>Empties a node.</summary>
    /// <param name="node">Which; it need not be out of service yet.</param>
    /// <param name="budget">Most moves.</param>
    public MovePlan Drain(int node, int budget)
    {
        int mark = Begin(out long version);
        NodeCondition before = book.State.Condition(node);
        book.SetCondition(node, before with { Filter = before.Filter == NodeFilter.None ? NodeFilter.Draining : before.Filter });
        var repair = new OneMoveRepair(book, search);
        var unplaced = new List<string>();
        int count = 0;
        foreach (int number in LargestFirst(book.Allocations.Of(node)))
        {
            count++;
            if (_moves.Count >= budget || !TryMoveAway(number, repair, budget))
            {
                unplaced.Add(jobName(book.Allocations[number].Owner));
            }
        }

        string name = book.State.Catalog.Nodes[node].Name;
        return End(mark, version, unplaced, 0, $"drain {name}: {count - unplaced.Count} of {count} replicas placed elsewhere with {_moves.Count} moves");
    }

    /// <summary>Makes a place for each of some replicas by moving others.</summary>
    public MovePlan Room(Demand demand, int replicas, int budget, string job)
    {
        int mark = Begin(out long version);
        int holes = 0;
        while (holes < replicas)
        {
            Choice place = search.Find(demand);
            if (!place.Found && !TryHole(demand, budget - _moves.Count, out place))
            {
                break;
            }

            book.Take(-1, place.Node, demand, place.Lanes);
            holes++;
        }

        string[] unplaced = holes == replicas ? [] : [job];
        return End(mark, version, unplaced, 0, $"room for {job}: {holes} of {replicas} replicas with {_moves.Count} moves");
    }

    /// <summary>Improves where things are.</summary>
    /// <param name="movePrice">GPU thousandths that a move must bring at least.</param>
    /// <param name="budget">Most moves.</param>
    /// <param name="steps">Moves tried: the deadline, in work.</param>
    /// <param name="seed">Of the choice of what to try.</param>
    public MovePlan Rebalance(double movePrice, int budget, int steps, ulong seed)
    {
        int mark = Begin(out long version);
        var random = new SplitMix(seed);
        double gain = 0;
        int[] numbers = [.. book.Allocations.All()];
        for (int step = 0; step < steps && numbers.Length > 0 && _moves.Count < budget; step++)
        {
            int at = random.Next(numbers.Length);

            // Threshold accepting (Dueck and Scheuer 1990): early on a move may bring as little as half its price, because it may open a
            // better one; towards the end only the full price will do.
            double threshold = movePrice * (1 - (0.5 * random.NextDouble() * (1 - ((double)step / steps))));
            if (TryImprove(numbers[at], Math.Max(threshold, 1e-3), out Move move, out double better))
            {
                numbers[at] = move.NewAllocation;
                gain += better - movePrice;
                _moves.Add(move);
            }
        }

        return End(mark, version, [], gain, $"rebalance: {_moves.Count} moves bring {gain:F0} thousandths of a GPU after {movePrice:F0} each");
    }

    private int Begin(out long version)
    {
        version = book.State.Version;
        _moves.Clear();
        return book.Mark();
    }

    private MovePlan End(int mark, long version, IReadOnlyList<string> unplaced, double gain, string summary)
    {
        FleetCatalog catalog = book.State.Catalog;
        PlannedMove[] moves = [.. _moves.Select(move => new PlannedMove(jobName(move.Owner), move.Allocation, catalog.Nodes[move.From].Name, catalog.Nodes[move.To].Name, Lanes.Numbers(move.Lanes)))];
        book.UndoTo(mark);
        return new MovePlan(moves, unplaced.Count == 0, unplaced, gain, version, summary);
    }

    private bool TryMoveAway(int number, OneMoveRepair repair, int budget)
    {
        Allocation held = book.Allocations[number];
        int mark = book.Mark();
        int moves = _moves.Count;
        book.Release(number);
        Choice place = search.Find(held.Demand);
        if (!place.Found && _moves.Count + 2 <= budget && repair.TryMakeRoom(held.Demand, out Move other, out place))
        {
            _moves.Add(other);
        }

        if (!place.Found)
        {
            book.UndoTo(mark);
            _moves.RemoveRange(moves, _moves.Count - moves);
            return false;
        }

        int again = book.Take(held.Owner, place.Node, held.Demand, place.Lanes);
        _moves.Add(new Move(number, held.Owner, held.Node, place.Node, place.Lanes, again));
        return true;
    }

    // The node that needs fewest moves to take the demand, each mover where it scores best.
    private bool TryHole(Demand demand, int budget, out Choice place)
    {
        var candidates = new List<(int Moves, long Milli, int Node)>();
        for (int node = 0; node < book.State.Count; node++)
        {
            if (TryCount(node, demand, out int moves, out long milli) && moves <= budget)
            {
                candidates.Add((moves, milli, node));
            }
        }

        candidates.Sort();
        foreach ((_, _, int node) in candidates.Take(32))
        {
            int mark = book.Mark();
            int before = _moves.Count;
            if (TryClear(node, demand, budget, out place))
            {
                return true;
            }

            book.UndoTo(mark);
            _moves.RemoveRange(before, _moves.Count - before);
        }

        place = Choice.None;
        return false;
    }

    private bool TryCount(int node, Demand demand, out int moves, out long milli)
    {
        FleetState state = book.State;
        (moves, milli) = (0, 0);
        if (state.Condition(node).Filter != NodeFilter.None || state.Catalog.Nodes[node].Mig || !demand.Accepts(state.Catalog.ModelOf[node]))
        {
            return false;
        }

        (int cpu, int memory, int nic, GpuLanes gpus) = (state.Cpu(node), state.Memory(node), state.Nic(node), FleetIndex.UsableGpus(state, node));
        foreach (int number in SmallestFirst(node))
        {
            if (memory >= demand.MemoryMiB && nic >= demand.NicMbps && demand.Fits(cpu, gpus))
            {
                return true;
            }

            Allocation held = book.Allocations[number];
            if (held.Owner < 0)
            {
                return false; // a hole made for an earlier replica
            }

            (cpu, memory, nic) = (cpu + held.Demand.CpuMilli, memory + held.Demand.MemoryMiB, nic + held.Demand.NicMbps);
            gpus = gpus.TakeEach(held.Lanes & ~(uint)state.Condition(node).DeratedLanes, -held.Demand.GpuMilli);
            moves++;
            milli += held.Demand.TotalGpuMilli;
        }

        return memory >= demand.MemoryMiB && nic >= demand.NicMbps && demand.Fits(cpu, gpus);
    }

    private bool TryClear(int node, Demand demand, int budget, out Choice place)
    {
        int start = _moves.Count;
        HashSet<int> except = [node];
        var rule = new Engine.ExceptRule(null, except);
        foreach (int number in SmallestFirst(node).ToArray())
        {
            if (search.TryScore(node, demand, out place))
            {
                return true;
            }

            Allocation held = book.Allocations[number];
            book.Release(number);
            Choice elsewhere = _moves.Count - start < budget && held.Owner >= 0 ? search.Find(held.Demand, rule) : Choice.None;
            if (!elsewhere.Found)
            {
                return false;
            }

            int again = book.Take(held.Owner, elsewhere.Node, held.Demand, elsewhere.Lanes);
            _moves.Add(new Move(number, held.Owner, node, elsewhere.Node, elsewhere.Lanes, again));
        }

        return search.TryScore(node, demand, out place);
    }

    private bool TryImprove(int number, double atLeast, out Move move, out double better)
    {
        Allocation held = book.Allocations[number];
        (move, better) = (default, 0);
        if (held.Demand.GpuMilli < 0)
        {
            return false;
        }

        int mark = book.Mark();
        book.Release(number);
        Choice place = search.Find(held.Demand);
        if (place.Found && place.Node != held.Node && search.TryScore(held.Node, held.Demand, out Choice stay) && place.Score - stay.Score >= atLeast)
        {
            better = place.Score - stay.Score;
            int again = book.Take(held.Owner, place.Node, held.Demand, place.Lanes);
            move = new Move(number, held.Owner, held.Node, place.Node, place.Lanes, again);
            return true;
        }

        book.UndoTo(mark);
        return false;
    }

    private int[] LargestFirst(IEnumerable<int> numbers) =>
        [.. numbers.OrderByDescending(number => book.Allocations[number].Demand.TotalGpuMilli).ThenByDescending(number => book.Allocations[number].Demand.CpuMilli).ThenBy(number => number)];

    private IEnumerable<int> SmallestFirst(int node) => LargestFirst(book.Allocations.Of(node)).Reverse();
}

/// <summary>Device masks as numbers.</summary>
internal static class Lanes
{
    /// <summary>The set bits, ascending.</summary>
    public static IReadOnlyList<int> Numbers(uint lanes) => [.. Enumerable.Range(0, GpuLanes.Max).Where(lane => (lanes >> lane & 1) != 0)];

    /// <summary>Back to a mask.</summary>
    public static uint Mask(IEnumerable<int> numbers) => numbers.Aggregate(0u, (mask, lane) => mask | 1u << lane);
}
