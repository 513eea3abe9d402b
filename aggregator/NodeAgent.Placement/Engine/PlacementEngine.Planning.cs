using NodeAgent.Placement.Fleet;
using NodeAgent.Placement.Plans;
using NodeAgent.Placement.Policies;
using NodeAgent.Placement.Requests;
using NodeAgent.Placement.Search;
using NodeAgent.Placement.Values;

namespace NodeAgent.Placement.Engine;

/// <summary>A change that a what-if assumes.</summary>
public abstract record Mutation
{
    private Mutation()
    {
    }

    /// <summary>A node out of service; what runs there is lost.</summary>
    public sealed record NodeDown(string Node) : Mutation;

    /// <summary>More nodes; names must be new.</summary>
    public sealed record AddNodes(IReadOnlyList<NodeSpec> Nodes) : Mutation;

    /// <summary>A job that ends.</summary>
    public sealed record JobEnds(string Job) : Mutation;

    /// <summary>Telemetry.</summary>
    public sealed record Condition(string Node, NodeCondition Value) : Mutation;

    /// <summary>Another policy.</summary>
    public sealed record UsePolicy(PolicyName Policy) : Mutation;
}

/// <summary>What a set of requests would come to under one policy.</summary>
/// <param name="Policy">Which.</param>
/// <param name="PlacedGpus">GPUs placed.</param>
/// <param name="UnusableGpus">Free GPUs that the expected workload could not use afterwards (fragment measure).</param>
/// <param name="ExpectedLoss">GPU-hours an hour lost to the risk of the nodes chosen.</param>
/// <param name="NodesInUse">Nodes with anything on them: a stand-in for energy.</param>
/// <param name="Dominated">Another row is no worse in all and better in one.</param>
public sealed record ParetoRow(PolicyName Policy, double PlacedGpus, double UnusableGpus, double ExpectedLoss, int NodesInUse, bool Dominated);

/// <content>Plans and what-ifs: they change nothing until they are applied.</content>
public sealed partial class PlacementEngine
{
    /// <summary>Empties a node: largest replicas first, each where it scores best.</summary>
    /// <exception cref="ArgumentException">There is no such node.</exception>
    public MovePlan PlanDrain(string node, int budget = int.MaxValue) => NewPlanner().Drain(NodeNumber(node), budget);

    /// <summary>Makes room for a request by moving others.</summary>
    public MovePlan PlanRoom(PlacementRequest request, int budget = 64) => NewPlanner().Room(request.Ask.On(_book.State.Catalog), request.Replicas, budget, request.Job);

    /// <summary>Moves what is better elsewhere by more than a price.</summary>
    /// <param name="movePrice">GPU thousandths that each move must bring.</param>
    /// <param name="budget">Most moves.</param>
    /// <param name="steps">Moves tried: the deadline, in work, so that the answer does not depend on the machine.</param>
    /// <param name="seed">Of the order in which they are tried.</param>
    public MovePlan PlanRebalance(double movePrice = 100, int budget = 50, int steps = 2000, ulong seed = 1) => NewPlanner().Rebalance(movePrice, budget, steps, seed);

    /// <summary>
    /// Carries out a plan. False: a replica is no longer where the plan has it, or its target no longer takes it; then nothing was done.
    /// Other changes since do not matter.
    /// </summary>
    public bool Apply(MovePlan plan)
    {
        Journal?.Invoke(new EngineCall.Apply(plan.Summary, plan.Moves));
        return ApplyMoves(plan.Moves);
    }

    /// <summary>The requests on a copy of the fleet with changes: nothing of it happens.</summary>
    public IReadOnlyList<PlacementDecision> WhatIf(IReadOnlyList<PlacementRequest> requests, IReadOnlyList<Mutation> mutations, DateTimeOffset now, bool explain = false) =>
        Fork(mutations, now).PlaceBatch(requests, now, dryRun: false, explain);

    /// <summary>The requests under each policy, side by side.</summary>
    public IReadOnlyList<ParetoRow> Pareto(IReadOnlyList<PlacementRequest> requests, DateTimeOffset now)
    {
        ParetoRow[] rows = [.. new[] { PolicyName.Value, PolicyName.Blend, PolicyName.BestFit, PolicyName.GpuPacking, PolicyName.Spread }.Select(policy => RowOf(policy, requests, now))];
        return [.. rows.Select(row => row with { Dominated = rows.Any(other => Dominates(other, row)) })];
    }

    /// <summary>More nodes that refused demand would pay for, by shape of node.</summary>
    /// <param name="since">Refusals from this time on.</param>
    public IReadOnlyList<ScaleAdvice> AdviseScale(DateTimeOffset since) => ScaleAdvisor.Advise(_book.State.Catalog, _refused.Since(since));

    /// <summary>The nodes that would take one replica of a request, in the order in which they would be chosen.</summary>
    /// <param name="request">One replica of it is asked for; its gang is not.</param>
    /// <param name="among">Only these; null: all. Names that no node has are passed over.</param>
    /// <param name="limit">At most so many.</param>
    /// <exception cref="ArgumentException">The request contradicts itself, or asks for a partition: those are not ranked.</exception>
    public IReadOnlyList<RankedNode> Rank(PlacementRequest request, IReadOnlyCollection<string>? among, int limit)
    {
        Demand demand = Rankable(request);
        PlacementSearch search = SearchFor(request);
        var rule = new GangRule(0, []) { Domain = among?.Select(_book.State.Catalog.Find).Where(node => node >= 0).ToHashSet() };
        HashSet<int> seen = [];
        var ranked = new List<RankedNode>();
        while (ranked.Count < limit && search.Find(demand, new ExceptRule(rule, seen)) is { Found: true } choice)
        {
            seen.Add(choice.Node);
            ranked.Add(new RankedNode(NodeName(choice.Node), choice.Score, Lanes.Numbers(choice.Lanes)));
        }

        return ranked;
    }

    /// <summary>Why a node does not take one replica of a request. Null: it does.</summary>
    /// <exception cref="ArgumentException">As for <see cref="Rank"/>.</exception>
    public string? Rejects(PlacementRequest request, string node) =>
        _book.State.Catalog.Find(node) is var number && number < 0 ? "unknown node" : Rejection.Of(_book.State, number, Rankable(request), null);

    private Demand Rankable(PlacementRequest request) => request.Ask.MigProfile is null
        ? Checked(request)
        : throw new ArgumentException($"job {request.Job}: nodes are not ranked for partitions");

    private bool ApplyMoves(IReadOnlyList<PlannedMove> moves)
    {
        int mark = _book.Mark();
        var done = new List<Move>();
        var renamed = new Dictionary<int, int>();
        foreach (PlannedMove planned in moves)
        {
            int number = renamed.GetValueOrDefault(planned.Allocation, planned.Allocation);
            int to = _book.State.Catalog.Find(planned.To);
            if (to < 0 || !_book.Allocations.Contains(number) || NodeName(_book.Allocations[number].Node) != planned.From
                || NameOf(_book.Allocations[number].Owner) != planned.Job || _book.State.Condition(to).Filter != NodeFilter.None)
            {
                _book.UndoTo(mark);
                return false;
            }

            Allocation held = _book.Allocations[number];
            _book.Release(number);
            uint lanes = planned.Devices.All(device => device is >= 0 and < GpuLanes.Max) ? Lanes.Mask(planned.Devices) : uint.MaxValue;
            if (!Takes(to, held.Demand, lanes))
            {
                _book.UndoTo(mark);
                return false;
            }

            int again = _book.Take(held.Owner, to, held.Demand, lanes);
            renamed[planned.Allocation] = again;
            done.Add(new Move(number, held.Owner, held.Node, to, lanes, again));
        }

        ApplyToJobs(done);
        _book.Settle();
        return true;
    }

    // A plan may have come a long way (over the network, from a file): nothing in it is taken on trust. Partitions do not move.
    private bool Takes(int node, in Demand demand, uint lanes) =>
        System.Numerics.BitOperations.PopCount(lanes) == demand.GpuCount && demand.GpuMilli >= 0 && !_book.State.Catalog.Nodes[node].Mig && demand.Accepts(_book.State.Catalog.ModelOf[node])
        && _book.State.Cpu(node) >= demand.CpuMilli && _book.State.Memory(node) >= demand.MemoryMiB && _book.State.Nic(node) >= demand.NicMbps
        && (lanes & ~FleetIndex.UsableGpus(_book.State, node).LanesWith(demand.GpuMilli)) == 0;

    private Planner NewPlanner() => new(_book, SearchFor(), NameOf);

    private int NodeNumber(string node)
    {
        int number = _book.State.Catalog.Find(node);
        return number >= 0 ? number : throw new ArgumentException($"there is no node {node}", nameof(node));
    }

    /// <summary>An engine of its own with the same fleet and jobs, to ask without leaving a trace: planning moves this one's version on.</summary>
    public PlacementEngine Copy(DateTimeOffset now) => Fork([], now);

    private PlacementEngine Fork(IReadOnlyList<Mutation> mutations, DateTimeOffset now)
    {
        NodeSpec[] added = [.. mutations.OfType<Mutation.AddNodes>().SelectMany(mutation => mutation.Nodes)];
        EngineOptions options = mutations.OfType<Mutation.UsePolicy>().LastOrDefault() is { } use ? _options with { Policy = use.Policy } : _options;
        FleetBook book = added.Length == 0 ? _book.Fork() : Grown(added);
        var fork = new PlacementEngine(book, options, null) { _mix = _mix };
        foreach (JobRecord job in _jobs.All)
        {
            var copy = new JobRecord(job.Number, job.Request, job.Demand, job.Since);
            copy.Allocations.AddRange(job.Allocations);
            fork._jobs.Add(copy);
        }

        fork._jobs.StartAt(_jobs);
        fork._chooser.StartAs(_chooser);
        foreach (Mutation mutation in mutations)
        {
            fork.Suffer(mutation, now);
        }

        return fork;
    }

    // The same allocations, under the same numbers, on a larger catalog. Old nodes keep their numbers; sets of models keep their bits.
    private FleetBook Grown(NodeSpec[] added)
    {
        var book = new FleetBook(new FleetCatalog([.. _book.State.Catalog.Nodes, .. added]));
        int expected = 0;
        var holes = new List<int>();
        foreach (int number in _book.Allocations.All())
        {
            // Numbers that are free here are taken by placeholders for a moment, so that every allocation keeps its own.
            for (; expected < number; expected++)
            {
                holes.Add(book.Take(-1, 0, default, 0));
            }

            Allocation held = _book.Allocations[number];
            book.Take(held.Owner, held.Node, held.Demand, held.Lanes);
            expected++;
        }

        holes.ForEach(book.Release);
        for (int node = 0; node < _book.State.Count; node++)
        {
            if (_book.State.Condition(node) != default)
            {
                book.SetCondition(node, _book.State.Condition(node));
            }
        }

        book.Settle();
        return book;
    }

    private void Suffer(Mutation mutation, DateTimeOffset now)
    {
        switch (mutation)
        {
            case Mutation.NodeDown down:
                int node = NodeNumber(down.Node);
                foreach (JobRecord job in _jobs.All.Where(job => job.Allocations.Any(number => _book.Allocations[number].Node == node)).ToArray())
                {
                    Remove(job);
                }

                SetCondition(down.Node, new NodeCondition(NodeFilter.Dead, 0, 0));
                break;
            case Mutation.JobEnds ends:
                Release(ends.Job, now);
                break;
            case Mutation.Condition condition:
                SetCondition(condition.Node, condition.Value);
                break;
            default:
                break; // more nodes and policies are there from the start
        }
    }

    private ParetoRow RowOf(PolicyName policy, IReadOnlyList<PlacementRequest> requests, DateTimeOffset now)
    {
        PlacementEngine fork = Fork([new Mutation.UsePolicy(policy)], now);
        IReadOnlyList<PlacementDecision> decisions = fork.PlaceBatch([.. requests.Select(request => request with { Policy = policy })], now);
        double placed = 0, loss = 0, unusable = 0;
        int inUse = 0;
        foreach ((PlacementDecision decision, PlacementRequest request) in decisions.Zip(requests))
        {
            double gpus = request.Ask.GpuCount * request.Ask.GpuMilli / 1000.0;
            placed += gpus * decision.Assignments.Count;
            loss += decision.Assignments.Sum(assignment => gpus * RiskScale.LossRatio(fork.State.Condition(fork.NodeNumber(assignment.Node)).Risk));
        }

        var fragments = new FragmentMeasure(_mix.Entries);
        for (int node = 0; node < fork.State.Count; node++)
        {
            inUse += fork.Allocations.First(node) >= 0 ? 1 : 0;
            unusable += fork.State.Catalog.Nodes[node].Mig ? 0 : fragments.Evaluate(fork.State.Catalog.ModelOf[node], fork.State.Cpu(node), FleetIndex.UsableGpus(fork.State, node)) / 1000;
        }

        return new ParetoRow(policy, placed, Math.Round(unusable, 2), loss, inUse, false);
    }

    private static bool Dominates(ParetoRow left, ParetoRow right) =>
        left.PlacedGpus >= right.PlacedGpus && left.UnusableGpus <= right.UnusableGpus && left.ExpectedLoss <= right.ExpectedLoss && left.NodesInUse <= right.NodesInUse
        && (left.PlacedGpus > right.PlacedGpus || left.UnusableGpus < right.UnusableGpus || left.ExpectedLoss < right.ExpectedLoss || left.NodesInUse < right.NodesInUse);
}
