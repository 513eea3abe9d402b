using NodeAgent.Placement.Requests;

namespace NodeAgent.Placement.Fleet;

/// <summary>
/// The one writer of a fleet: what is free, who holds it, and everybody who must hear of a change. Every change can be taken back in
/// reverse order (<see cref="Mark"/>, <see cref="UndoTo"/>), which is how gangs and plans are tried out without a copy.
/// </summary>
public sealed class FleetBook
{
    private readonly List<Action<int>> _listeners = [];
    private readonly Stack<Change> _changes = new();

    public FleetBook(FleetCatalog catalog)
        : this(new FleetState(catalog), new Allocations(catalog.Nodes.Length))
    {
    }

    private FleetBook(FleetState state, Allocations allocations) => (State, Allocations) = (state, allocations);

    /// <summary>What is free.</summary>
    public FleetState State { get; }

    /// <summary>Who holds what.</summary>
    public Allocations Allocations { get; }

    /// <summary>Calls back with the number of each node that changes, after the change.</summary>
    public void Listen(Action<int> changed) => _listeners.Add(changed);

    /// <summary>Ends <see cref="Listen"/>.</summary>
    public void Forget(Action<int> changed) => _listeners.Remove(changed);

    /// <summary>A copy to try things on; it has no listeners.</summary>
    public FleetBook Fork() => new(State.Snapshot(), Allocations.Copy());

    /// <summary>Takes what a request needs. The caller has checked that it fits.</summary>
    /// <returns>The number of the allocation.</returns>
    /// <exception cref="InvalidOperationException">It does not fit: a bug of the caller.</exception>
    public int Take(long owner, int node, in Demand demand, uint lanes)
    {
        GpuLanes gpus = State.Gpus(node);
        if (System.Numerics.BitOperations.PopCount(lanes) != demand.GpuCount || (lanes & ~gpus.LanesWith(demand.GpuMilli)) != 0)
        {
            throw new InvalidOperationException($"BUG: devices {lanes:b} of {State.Catalog.Nodes[node].Name} ({gpus}) cannot give {demand.GpuCount} x {demand.GpuMilli}");
        }

        State.Add(node, -demand.CpuMilli, -demand.MemoryMiB, -demand.NicMbps, gpus.TakeEach(lanes, demand.GpuMilli));
        int number = Allocations.Add(new Allocation(owner, node, demand, lanes));
        _changes.Push(new Change(ChangeKind.Taken, number, default, default));
        Tell(node);
        return number;
    }

    /// <summary>Gives back an allocation.</summary>
    public void Release(int number)
    {
        Allocation allocation = Allocations[number];
        _changes.Push(new Change(ChangeKind.Released, number, allocation, default));
        GiveBack(number, allocation);
    }

    /// <summary>Sets the health of a node.</summary>
    public void SetCondition(int node, NodeCondition condition)
    {
        _changes.Push(new Change(ChangeKind.Condition, node, default, State.Condition(node)));
        State.SetCondition(node, condition);
        Tell(node);
    }

    /// <summary>A point to come back to.</summary>
    public int Mark() => _changes.Count;

    /// <summary>Takes back everything since a mark. Allocations that were released come back under their own numbers.</summary>
    public void UndoTo(int mark)
    {
        while (_changes.Count > mark)
        {
            Change change = _changes.Pop();
            switch (change.Kind)
            {
                case ChangeKind.Taken:
                    GiveBack(change.Number, Allocations[change.Number]);
                    break;
                case ChangeKind.Released:
                    TakeAgain(change);
                    break;
                default:
                    State.SetCondition(change.Number, change.Condition);
                    Tell(change.Number);
                    break;
            }
        }
    }

    /// <summary>Forgets how to take back what was done so far.</summary>
    public void Settle() => _changes.Clear();

    private void TakeAgain(in Change change)
    {
        Allocation allocation = change.Allocation;
        Demand demand = allocation.Demand;
        State.Add(allocation.Node, -demand.CpuMilli, -demand.MemoryMiB, -demand.NicMbps, State.Gpus(allocation.Node).TakeEach(allocation.Lanes, demand.GpuMilli));

        // Numbers are handed out last in, first out, so undoing in reverse order finds the same one.
        int number = Allocations.Add(allocation);
        if (number != change.Number)
        {
            throw new InvalidOperationException($"BUG: allocation {change.Number} came back as {number}");
        }

        Tell(allocation.Node);
    }

    private void GiveBack(int number, in Allocation allocation)
    {
        Demand demand = allocation.Demand;
        Allocations.Remove(number);
        State.Add(allocation.Node, demand.CpuMilli, demand.MemoryMiB, demand.NicMbps, State.Gpus(allocation.Node).TakeEach(allocation.Lanes, -demand.GpuMilli));
        Tell(allocation.Node);
    }

    private void Tell(int node)
    {
        foreach (Action<int> listener in _listeners)
        {
            listener(node);
        }
    }

    private enum ChangeKind : byte
    {
        Taken,
        Released,
        Condition,
    }

    private readonly record struct Change(ChangeKind Kind, int Number, Allocation Allocation, NodeCondition Condition);
}
