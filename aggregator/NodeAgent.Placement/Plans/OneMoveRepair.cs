using NodeAgent.Placement.Fleet;
using NodeAgent.Placement.Requests;
using NodeAgent.Placement.Search;

namespace NodeAgent.Placement.Plans;

/// <summary>A replica that goes elsewhere.</summary>
/// <param name="Allocation">Its number before the move.</param>
/// <param name="Owner">Whose it is.</param>
/// <param name="From">Node it leaves.</param>
/// <param name="To">Node it goes to; may be the same, to another device.</param>
/// <param name="Lanes">Devices there.</param>
/// <param name="NewAllocation">Its number after the move.</param>
public readonly record struct Move(int Allocation, long Owner, int From, int To, uint Lanes, int NewAllocation);

/// <summary>
/// Makes room for a request that fits nowhere by moving one replica. Looks at every replica whose departure would make the request fit,
/// smallest first, and keeps the move after which both score best.
/// </summary>
internal sealed class OneMoveRepair(FleetBook book, PlacementSearch search)
{
    // Past this many tried, the best found is as good as it gets: measured on openb, 64 instead of 24 changes allocation by < 0.01 points.
    private const int Tried = 24;

    // A scan of this many nodes takes about a millisecond; a larger fleet is scanned in turns.
    private const int NodesPerCall = 8192;

    private readonly List<(int Size, int Number)> _candidates = [];
    private int _start;
    private int _guest;

    /// <summary>
    /// The move, done in the book, together with the place of the request (not yet taken). False: no single move helps.
    /// </summary>
    public bool TryMakeRoom(in Demand demand, out Move move, out Choice place)
    {
        Collect(demand);
        (move, place) = (default, Choice.None);
        int best = -1;
        float bestScore = float.NegativeInfinity;
        for (int at = 0; at < _candidates.Count && at < Tried; at++)
        {
            int mark = book.Mark();
            if (TryMove(_candidates[at].Number, demand, out _, out _, out float score) && score > bestScore)
            {
                (best, bestScore) = (_candidates[at].Number, score);
            }

            book.UndoTo(mark);
        }

        if (best < 0)
        {
            return false;
        }

        TryMove(best, demand, out move, out place, out _);
        book.Release(_guest);
        return true;
    }

    private bool TryMove(int number, in Demand demand, out Move move, out Choice place, out float score)
    {
        Allocation moved = book.Allocations[number];
        (move, score) = (default, 0);
        book.Release(number);
        if (!search.TryScore(moved.Node, demand, out place))
        {
            return false;
        }

        _guest = book.Take(-1, moved.Node, demand, place.Lanes);
        Choice elsewhere = search.Find(moved.Demand);
        if (!elsewhere.Found)
        {
            return false;
        }

        int again = book.Take(moved.Owner, elsewhere.Node, moved.Demand, elsewhere.Lanes);
        move = new Move(number, moved.Owner, moved.Node, elsewhere.Node, elsewhere.Lanes, again);
        score = place.Score + elsewhere.Score;
        return true;
    }

    private void Collect(in Demand demand)
    {
        _candidates.Clear();
        FleetState state = book.State;
        int nodes = Math.Min(state.Count, NodesPerCall);
        for (int step = 0; step < nodes; step++)
        {
            int node = (_start + step) % state.Count;
            if (!demand.Accepts(state.Catalog.ModelOf[node]) || state.Condition(node).Filter != NodeFilter.None)
            {
                continue;
            }

            GpuLanes gpus = FleetIndex.UsableGpus(state, node);
            for (int number = book.Allocations.First(node); number >= 0; number = book.Allocations.Next(number))
            {
                Allocation held = book.Allocations[number];
                if (held.Demand.TotalGpuMilli < Math.Max(1000, demand.TotalGpuMilli) && WouldFit(state, node, gpus, held, demand))
                {
                    _candidates.Add((held.Demand.TotalGpuMilli, number));
                }
            }
        }

        _start = state.Count <= NodesPerCall ? 0 : (_start + nodes) % state.Count;
        _candidates.Sort();
    }

    private static bool WouldFit(FleetState state, int node, GpuLanes gpus, in Allocation held, in Demand demand) =>
        state.Memory(node) + held.Demand.MemoryMiB >= demand.MemoryMiB && state.Nic(node) + held.Demand.NicMbps >= demand.NicMbps
        && demand.Fits(state.Cpu(node) + held.Demand.CpuMilli, gpus.TakeEach(held.Lanes & ~(uint)state.Condition(node).DeratedLanes, -held.Demand.GpuMilli));
}
