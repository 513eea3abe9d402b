using NodeAgent.Placement.Fleet;
using NodeAgent.Placement.Policies;
using NodeAgent.Placement.Requests;
using NodeAgent.Placement.Values;

namespace NodeAgent.Placement.Search;

/// <summary>Where a request goes. <see cref="Node"/> −1: nowhere.</summary>
/// <param name="Node">Number of the node.</param>
/// <param name="Lanes">Devices, a bit each, in device order.</param>
/// <param name="Score">Score after prices.</param>
public readonly record struct Choice(int Node, uint Lanes, float Score)
{
    /// <summary>Nothing fits.</summary>
    public static readonly Choice None = new(-1, 0, float.NegativeInfinity);

    /// <summary>Whether there is a place.</summary>
    public bool Found => Node >= 0;
}

/// <summary>
/// Finds the node with the highest score, exactly as a scan of all nodes would, in the time of a few tree levels. Per request type and GPU
/// model a tournament over the live states holds scores before prices. Prices only lower a score, so states are visited from the best
/// downwards until the next could not win even free of charge. One thread at a time.
/// </summary>
public sealed class PlacementSearch
{
    // A type's trees cost up to 16 bytes a state. Types beyond this many are rebuilt when they come back: slower, never wrong.
    private const int MaxTypes = 512;

    private readonly Dictionary<Demand, TypeIndex> _types = [];
    private readonly FleetState _state;
    private readonly Allocations _allocations;
    private readonly FleetIndex _index;
    private readonly PriorityStack _open = new();
    private long _asked;

    /// <param name="state">The fleet; tell <see cref="Changed"/> about every change.</param>
    /// <param name="allocations">Who is on it.</param>
    /// <param name="policy">How to score.</param>
    /// <param name="prices">Scarcity prices; null, or for policies that do not use them: none.</param>
    public PlacementSearch(FleetState state, Allocations allocations, IPlacementPolicy policy, ScarcityPrices? prices = null)
    {
        (_state, _allocations, Policy) = (state, allocations, policy);
        Prices = policy.UsesPrices ? prices : null;
        _index = new FleetIndex(state, allocations, policy.SeesTags, Prices);
    }

    public IPlacementPolicy Policy { get; }

    /// <summary>The prices in use.</summary>
    public ScarcityPrices? Prices { get; }

    /// <summary>States that a decision looked at beyond the first, so far: how far from free the exactness was.</summary>
    public long Visited { get; private set; }

    /// <summary>Different node states now.</summary>
    public int LiveStates => _index.GroupCount;

    /// <summary>A node's free amounts or condition changed.</summary>
    public void Changed(int node) => _index.Refresh(node);

    /// <summary>The best node, or none.</summary>
    internal Choice Find(in Demand demand, INodeRule? rule = null)
    {
        Prices?.Refresh();
        TypeIndex type = TypeOf(demand);
        _open.Clear();
        for (int number = 0; number < _index.Partitions.Count; number++)
        {
            Partition partition = _index.Partitions[number];
            if (!demand.Accepts(partition.Model))
            {
                continue;
            }

            ScoreTree tree = type.Current(partition, number);
            if (tree[1] != 0)
            {
                type.LeastPrice[number] = LeastPrice(partition, demand);
                _open.Push(ScoreTree.Lower(tree[1], type.LeastPrice[number]), number, 1);
            }
        }

        return Search(type, demand, rule);
    }

    private Choice Search(TypeIndex type, in Demand demand, INodeRule? rule)
    {
        ulong best = 0;
        NodeState bestState = default;
        while (_open.TryPop(out ulong bound, out int number, out int at) && bound > best)
        {
            ScoreTree tree = type.Trees[number];
            if (at < tree.Capacity)
            {
                Push(tree, 2 * at, number, type);
                Push(tree, (2 * at) + 1, number, type);
                continue;
            }

            Visited++;
            Partition partition = _index.Partitions[number];
            StateGroup group = partition[at - tree.Capacity]!;
            int node = FirstThatTakes(group, demand, rule);
            if (node < 0)
            {
                continue;
            }

            // Without large hosts at stake the bound is the score itself.
            bool exact = partition.Whole == 0 || Prices is not { AnyBig: true };
            float score = exact ? ScoreTree.Score(bound) : Priced(group.State, demand, out _);

            ulong key = ScoreTree.Key(score, node);
            if (key > best)
            {
                (best, bestState) = (key, group.State);
            }
        }

        if (best == 0)
        {
            return Choice.None;
        }

        return new Choice(ScoreTree.Node(best), LanesOn(ScoreTree.Node(best), demand, bestState), ScoreTree.Score(best));
    }

    /// <summary>The score of one node after prices, with the devices it would use. False: it does not fit there.</summary>
    internal bool TryScore(int node, in Demand demand, out Choice choice)
    {
        choice = Choice.None;
        if (!FleetIndex.TryState(_state, _allocations, Policy.SeesTags, node, out NodeState state) || !demand.Accepts(state.Model)
            || _state.Memory(node) < demand.MemoryMiB || _state.Nic(node) < demand.NicMbps || !demand.Fits(state.Cpu, state.Gpus))
        {
            return false;
        }

        float score = Priced(state, demand, out _);
        choice = new Choice(node, LanesOn(node, demand, state), score);
        return true;
    }

    /// <summary>What the score of a request on a node is made of, in the unit of the policy. The request fits there.</summary>
    internal IReadOnlyList<ScoreTerm> Terms(in Choice choice, in Demand demand)
    {
        if (!FleetIndex.TryState(_state, _allocations, Policy.SeesTags, choice.Node, out NodeState state))
        {
            return [];
        }

        if (Policy is not ValuePolicy value)
        {
            return [new ScoreTerm("score", choice.Score, Policy.Name)];
        }

        NodeState actual = state with { Gpus = FleetIndex.UsableGpus(_state, choice.Node) };
        GpuLanes after = actual.Gpus.TakeEach(choice.Lanes, demand.GpuMilli);
        const string unit = "GPU thousandths";
        return
        [
            new ScoreTerm("future waste avoided", value.Value.Of(state.Model, state.Cpu, state.Gpus) - value.Value.Of(state.Model, state.Cpu - demand.CpuMilli, after.Sorted()), unit),
            new ScoreTerm("whole devices kept together", -value.FreeDevicePrice * state.Gpus.WholeCount, unit),
            new ScoreTerm("risk of the node", -value.RiskCost(state.Risk, demand), unit),
            new ScoreTerm("price of the GPU model", -(Prices?.OfModel(state.Model, demand) ?? 0), unit),
            new ScoreTerm("price of large hosts", -(Prices?.OfHosts(state.Model, state.Cpu, state.Gpus, state.Cpu - demand.CpuMilli, after) ?? 0), unit),
        ];
    }

    /// <summary>The same answer by scanning every node: what the index is tested against.</summary>
    internal Choice Scan(in Demand demand, INodeRule? rule = null)
    {
        Prices?.Refresh();
        Choice best = Choice.None;
        for (int node = 0; node < _state.Count; node++)
        {
            if (rule?.Allows(node) != false && TryScore(node, demand, out Choice choice) && (!best.Found || choice.Score > best.Score))
            {
                best = choice;
            }
        }

        return best;
    }

    private void Push(ScoreTree tree, int at, int number, TypeIndex type)
    {
        ulong key = tree[at];
        if (key != 0)
        {
            _open.Push(ScoreTree.Lower(key, type.LeastPrice[number]), number, at);
        }
    }

    private double LeastPrice(Partition partition, in Demand demand)
    {
        if (Prices is null)
        {
            return 0;
        }

        double price = Prices.OfModel(partition.Model, demand);
        if (partition.Whole == 0 || !Prices.AnyBig)
        {
            return price;
        }

        // A share may go to a device already in use; whole devices must come from the whole ones.
        int taken = demand.GpuMilli == GpuLanes.Whole ? demand.GpuCount : 0;
        return price + Prices.LeastOfHosts(partition.Copies, Math.Max(0, partition.Whole - taken));
    }

    private int FirstThatTakes(StateGroup group, in Demand demand, INodeRule? rule)
    {
        if (group.MemoryBound < demand.MemoryMiB)
        {
            return -1;
        }

        int most = 0;
        for (int node = group.Nodes.First; node != int.MaxValue; node = group.Nodes.Next(node))
        {
            int memory = _state.Memory(node);
            most = Math.Max(most, memory);
            if (memory >= demand.MemoryMiB && _state.Nic(node) >= demand.NicMbps && rule?.Allows(node) != false)
            {
                return node;
            }
        }

        group.MemoryBound = most;
        return -1;
    }

    // The best score over the choices of device, each with its own price of hosts.
    private float Priced(in NodeState state, in Demand demand, out uint lanes)
    {
        double modelPrice = Prices?.OfModel(state.Model, demand) ?? 0;
        if (Prices is not { AnyBig: true })
        {
            float score = DeviceChoice.Best(Policy, state, demand, out lanes);
            return modelPrice == 0 ? score : (float)(score - modelPrice);
        }

        lanes = 0;
        float best = float.NegativeInfinity;
        uint choices = Policy.ChoosesDevice && demand.IsShare ? DeviceChoice.DistinctLanes(state.Gpus, demand.GpuMilli) : 1;
        for (uint rest = choices; rest != 0; rest &= rest - 1)
        {
            uint chosen = demand.IsShare ? rest & (uint)-(int)rest : demand.GpuCount == 0 ? 0 : demand.TightestLanes(state.Gpus);
            if (demand.IsShare && !Policy.ChoosesDevice)
            {
                chosen = demand.TightestLanes(state.Gpus);
            }

            double price = modelPrice + Prices.OfHosts(state.Model, state.Cpu, state.Gpus, state.Cpu - demand.CpuMilli, state.Gpus.TakeEach(chosen, demand.GpuMilli));
            float score = (float)(Policy.Score(state, demand, chosen) - price);
            if (score > best)
            {
                (best, lanes) = (score, chosen);
            }
        }

        return best;
    }

    // The group knows sorted lanes; the node has them in device order, and ties between devices go to the first device.
    private uint LanesOn(int node, in Demand demand, in NodeState state)
    {
        if (demand.GpuCount == 0)
        {
            return 0;
        }

        NodeState actual = state with { Gpus = FleetIndex.UsableGpus(_state, node) };
        Priced(actual, demand, out uint lanes);
        return lanes;
    }

    private TypeIndex TypeOf(in Demand demand)
    {
        Demand shape = WorkloadMix.ShapeOf(demand);
        if (!_types.TryGetValue(shape, out TypeIndex? type))
        {
            if (_types.Count == MaxTypes)
            {
                _types.Remove(_types.MinBy(entry => entry.Value.LastAsked).Key);
            }

            _types.Add(shape, type = new TypeIndex(shape, Policy));
        }

        type.LastAsked = ++_asked;
        return type;
    }
}
