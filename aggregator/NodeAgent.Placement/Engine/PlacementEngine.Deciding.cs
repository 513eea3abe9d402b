using NodeAgent.Placement.Fleet;
using NodeAgent.Placement.Mig;
using NodeAgent.Placement.Plans;
using NodeAgent.Placement.Requests;
using NodeAgent.Placement.Search;

namespace NodeAgent.Placement.Engine;

/// <content>How one request is decided: as it is, then with moves, then with evictions.</content>
public sealed partial class PlacementEngine
{
    private PlacementDecision PlaceGpus(PlacementRequest request, Demand demand, DateTimeOffset now, bool dryRun, bool explain)
    {
        PlacementSearch search = SearchFor(request);
        var attempt = new Attempt(this, request, demand, search, explain);
        int mark = _book.Mark();
        long version = _book.State.Version;
        PlacementOutcome outcome = attempt.Run(now);
        if (outcome > PlacementOutcome.PlacedWithEvictions)
        {
            _book.UndoTo(mark);
            return NoPlace(request, demand, search, attempt.Rule, now, dryRun);
        }

        double cost = Math.Max(0, -attempt.FirstScore) / Math.Max(1, demand.TotalGpuMilli);
        if (request.BidPerGpuHour is { } bid && bid < cost * _options.MoneyPerGpuHour)
        {
            _book.UndoTo(mark);
            return Failed(request, PlacementOutcome.Refused, $"bid {bid:F3} is below the opportunity cost {cost * _options.MoneyPerGpuHour:F3} per GPU-hour", attempt.Why);
        }

        Assignment[] assignments = [.. attempt.Taken.Select((number, replica) => AssignmentOf(replica, number))];
        JobMove[] moves = [.. attempt.Moves.Select(move => new JobMove(NameOf(move.Owner), NodeName(move.From), NodeName(move.To), Lanes.Numbers(move.Lanes)))];
        Eviction[] evictions = [.. attempt.Evicted.Select(job => new Eviction(job.Request.Job, job.LostGpuHours(now)))];
        string reason = outcome switch
        {
            PlacementOutcome.PlacedWithMoves => $"{moves.Length} moves make room",
            PlacementOutcome.PlacedWithEvictions => $"{evictions.Length} less important jobs stop",
            _ => "",
        };
        string token = "";
        if (dryRun)
        {
            _book.UndoTo(mark);
        }
        else
        {
            token = Hold(request, demand, attempt, now);
        }

        return new PlacementDecision(request.Job, outcome, reason, assignments, moves, evictions, cost, attempt.Why, version, token, dryRun ? now : now + _options.TokenLife);
    }

    private PlacementDecision PlaceMig(PlacementRequest request, Demand demand, MigProfile profile, DateTimeOffset now, bool dryRun)
    {
        long version = _book.State.Version;
        MigChoice choice = _mig.Find(demand, MigProfile.All.ToList().IndexOf(profile));
        if (!choice.Found)
        {
            return Failed(request, PlacementOutcome.Wait, $"no device has room for {profile.Name}", Nothing);
        }

        Demand instance = MigSearch.Instance(demand, profile, choice.Start);
        string token = "";
        if (!dryRun)
        {
            var job = new JobRecord(_jobs.NextNumber(), request, instance, now);
            job.Allocations.Add(_book.Take(job.Number, choice.Node, instance, 1u << choice.Lane));
            token = Keep(job, now);
        }

        var why = new Explanation([new ScoreTerm("future waste avoided", choice.Score, "memory slices")], [], [], []);
        return new PlacementDecision(request.Job, PlacementOutcome.Placed, "", [new Assignment(0, NodeName(choice.Node), [choice.Lane], choice.Start)], [], [], 0, why, version, token, now + _options.TokenLife);
    }

    private string Hold(PlacementRequest request, Demand demand, Attempt attempt, DateTimeOffset now)
    {
        foreach (JobRecord evicted in attempt.Evicted)
        {
            // Its allocations are already given back in the book.
            _held.Remove(evicted.Token);
            _jobs.Remove(evicted);
        }

        ApplyToJobs(attempt.Moves);
        var job = new JobRecord(attempt.Owner, request, demand, now);
        job.Allocations.AddRange(attempt.Taken);
        return Keep(job, now);
    }

    private string Keep(JobRecord job, DateTimeOffset now)
    {
        _book.Settle();
        job.Token = $"{job.Number:x}-{_book.State.Version:x}";
        job.Expires = now + _options.TokenLife;
        _jobs.Add(job);
        _held.Add(job.Token, job);
        return job.Token;
    }

    private void ApplyToJobs(IEnumerable<Move> moves)
    {
        foreach (Move move in moves)
        {
            JobRecord job = _jobs.Find(move.Owner)!;
            job.Allocations[job.Allocations.IndexOf(move.Allocation)] = move.NewAllocation;
        }
    }

    private PlacementDecision NoPlace(PlacementRequest request, Demand demand, PlacementSearch search, GangRule rule, DateTimeOffset now, bool dryRun)
    {
        Explanation why = _explainer.OfFailure(search, demand, rule);
        bool ever = EverFits(request, demand);
        if (!dryRun)
        {
            _refused.Add(demand, request.Ask, request.Replicas, now);
        }

        if (!ever)
        {
            return Failed(request, PlacementOutcome.Refused, "would not fit on this fleet if it were empty", why);
        }

        string when = WhenFits(request, demand, search, rule) is { } until ? $"; room is expected at {until:O}" : "";
        return Failed(request, PlacementOutcome.Wait, $"no room for {request.Replicas} x {demand.GpuCount} GPUs now{when}", why);
    }

    // Whether enough nodes of the right shape are there at all, in one domain of the required level.
    private bool EverFits(PlacementRequest request, Demand demand)
    {
        FleetCatalog catalog = _book.State.Catalog;
        int needed = request.MinReplicas > 0 ? request.MinReplicas : request.Replicas;
        return _domains.At(request.Required).Any(nodes => nodes.Sum(node =>
        {
            NodeSpec spec = catalog.Nodes[node];
            if (spec.Mig || !demand.Accepts(catalog.ModelOf[node]) || spec.NicMbps < demand.NicMbps)
            {
                return 0L;
            }

            long copies = demand.Copies(spec.CpuMilli, GpuLanes.WholeGpus(spec.GpuCount));
            copies = demand.MemoryMiB > 0 ? Math.Min(copies, spec.MemoryMiB / demand.MemoryMiB) : copies;
            return request.MaxPerNode > 0 ? Math.Min(copies, request.MaxPerNode) : copies;
        }) >= needed);
    }

    // Lets jobs with a known end finish in order until the request fits: the latest time at which it will.
    private DateTimeOffset? WhenFits(PlacementRequest request, Demand demand, PlacementSearch search, GangRule rule)
    {
        const int mostTried = 256;
        int mark = _book.Mark();
        DateTimeOffset? fits = null;
        foreach (JobRecord job in _jobs.All.Where(job => job.Ends is not null).OrderBy(job => job.Ends).ThenBy(job => job.Number).Take(mostTried))
        {
            foreach (int number in job.Allocations)
            {
                _book.Release(number);
            }

            var taken = new List<int>();
            if (_gangs.TryPlace(search, request, demand, -1, rule, null, taken))
            {
                fits = job.Ends;
                break;
            }
        }

        _book.UndoTo(mark);
        return fits;
    }

    private PlacementDecision Failed(PlacementRequest request, PlacementOutcome outcome, string reason, Explanation why) =>
        new(request.Job, outcome, reason, [], [], [], 0, why, _book.State.Version, "", DateTimeOffset.UnixEpoch);

    private Assignment AssignmentOf(int replica, int number)
    {
        Allocation allocation = _book.Allocations[number];
        return new Assignment(replica, NodeName(allocation.Node), Lanes.Numbers(allocation.Lanes), MigStartOf(allocation.Demand));
    }

    // The demand of a partition is minus the bits that it takes of the device's state; its lowest memory slice is where it starts.
    private static int MigStartOf(in Demand demand) => demand.GpuMilli < 0 ? System.Numerics.BitOperations.TrailingZeroCount(-demand.GpuMilli) : -1;

    private string NodeName(int node) => _book.State.Catalog.Nodes[node].Name;

    private string NameOf(long owner) => _jobs.Find(owner)?.Request.Job ?? "";

    /// <summary>One try to place one request, in the book.</summary>
    private sealed class Attempt
    {
        private readonly PlacementEngine _engine;
        private readonly PlacementRequest _request;
        private readonly Demand _demand;
        private readonly PlacementSearch _search;
        private readonly bool _explain;

        public Attempt(PlacementEngine engine, PlacementRequest request, Demand demand, PlacementSearch search, bool explain)
        {
            (_engine, _request, _demand, _search, _explain) = (engine, request, demand, search, explain);
            HashSet<int> avoided = [.. request.AvoidJobs.Select(engine._jobs.Find).OfType<JobRecord>().SelectMany(job => job.Allocations).Select(number => engine._book.Allocations[number].Node)];
            Rule = new GangRule(request.MaxPerNode, avoided);
            Owner = engine._jobs.NextNumber();
        }

        public GangRule Rule { get; }

        public long Owner { get; }

        public List<int> Taken { get; } = [];

        public List<Move> Moves { get; } = [];

        public List<JobRecord> Evicted { get; } = [];

        public Explanation Why { get; private set; } = Nothing;

        public float FirstScore { get; private set; }

        public PlacementOutcome Run(DateTimeOffset now)
        {
            if (TryPlace())
            {
                return PlacementOutcome.Placed;
            }

            if (TryWithMoves())
            {
                return PlacementOutcome.PlacedWithMoves;
            }

            return _request.MayPreempt && TryWithEvictions(now) ? PlacementOutcome.PlacedWithEvictions : PlacementOutcome.Refused;
        }

        private bool TryPlace()
        {
            Taken.Clear();
            return _engine._gangs.TryPlace(_search, _request, _demand, Owner, Rule, Note, Taken);
        }

        private void Note(Choice first)
        {
            FirstScore = first.Score;
            if (_explain)
            {
                Why = _engine._explainer.OfChoice(_search, first, _demand, Rule.IsTrivial ? null : Rule);
            }
        }

        // One move at a time makes room for one replica; a guest keeps each hole until the gang as a whole is placed.
        private bool TryWithMoves()
        {
            FleetBook book = _engine._book;
            int mark = book.Mark();
            var repair = new OneMoveRepair(book, _search);
            var guests = new List<int>();
            for (int replica = 0; replica < _request.Replicas; replica++)
            {
                Choice place = _search.Find(_demand);
                if (!place.Found)
                {
                    if (Moves.Count == _request.MoveBudget || !repair.TryMakeRoom(_demand, out Move move, out place))
                    {
                        break;
                    }

                    Moves.Add(move);
                }

                guests.Add(book.Take(-1, place.Node, _demand, place.Lanes));
            }

            if (Moves.Count > 0 && guests.Count == _request.Replicas)
            {
                guests.ForEach(book.Release);
                if (TryPlace())
                {
                    return true;
                }
            }

            book.UndoTo(mark);
            Moves.Clear();
            return false;
        }

        private bool TryWithEvictions(DateTimeOffset now)
        {
            // Each round makes room for at least one more replica, or gives up.
            for (int round = 0; round < _request.Replicas; round++)
            {
                IReadOnlyList<JobRecord> victims = Preemption.Victims(_engine._book, _engine._jobs, _demand, _request.Priority, now, Rule);
                victims = [.. victims.Where(victim => !Evicted.Contains(victim))];
                if (victims.Count == 0)
                {
                    return false;
                }

                foreach (JobRecord victim in victims)
                {
                    Evicted.Add(victim);
                    victim.Allocations.ForEach(_engine._book.Release);
                }

                if (TryPlace())
                {
                    return true;
                }
            }

            return false;
        }
    }
}
