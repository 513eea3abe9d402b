using NodeAgent.Placement.Engine;
using NodeAgent.Placement.Plans;
using NodeAgent.Placement.Policies;
using NodeAgent.Placement.Requests;
using Wire = NodeAgent.V1;

namespace NodeAgent.Aggregator.Placement;

/// <summary>Between the contract and the engine. What the contract leaves out gets its default here.</summary>
internal static class PlacementMapping
{
    private const int MostNameLength = 253; // of a DNS name, which is what job systems give
    private const int MostReplicas = 10_000;

    /// <exception cref="ArgumentException">A field out of range; the text names it.</exception>
    internal static PlacementRequest ToRequest(Wire.JobRequest? wire)
    {
        Check(wire is not null, "a request is needed");
        Check(wire!.Job.Length is > 0 and <= MostNameLength && !wire.Job.Any(char.IsControl), $"job: a name of 1 to {MostNameLength} characters is needed");
        Check(wire.Replicas <= MostReplicas, $"replicas: {wire.Replicas} are more than {MostReplicas}");
        bool isPartition = wire.MigProfile.Length > 0;
        var ask = new ResourceAsk(
            Whole(wire.CpuMilli, "cpu_milli"), Whole(wire.MemoryMib, "memory_mib"), isPartition ? 1 : Whole(wire.Gpus, "gpus"),
            wire.GpuMilli == 0 ? 1000 : Whole(wire.GpuMilli, "gpu_milli"), wire.Models.Count == 0 ? null : [.. wire.Models], Whole(wire.MinGpuMemoryMib, "min_gpu_memory_mib"),
            Whole(wire.NicMbps, "nic_mbps"), isPartition ? wire.MigProfile : null);
        TopologyLevelOf(wire.Required, out NodeAgent.Placement.Fleet.TopologyLevel required, NodeAgent.Placement.Fleet.TopologyLevel.Fleet);
        TopologyLevelOf(wire.Preferred, out NodeAgent.Placement.Fleet.TopologyLevel preferred, required);
        return new PlacementRequest(wire.Job, ask)
        {
            Replicas = wire.Replicas == 0 ? 1 : (int)wire.Replicas,
            MinReplicas = Whole(wire.MinReplicas, "min_replicas"),
            Required = required,
            Preferred = preferred,
            MaxPerNode = Whole(wire.MaxPerNode, "max_per_node"),
            AvoidJobs = [.. wire.AvoidJobs],
            Priority = wire.Priority,
            Tenant = wire.Tenant,
            Deadline = wire.DeadlineUnixMs == 0 ? null : Moment(wire.DeadlineUnixMs),
            Expected = Span(wire.ExpectedMs, "expected_ms"),
            CheckpointEvery = Span(wire.CheckpointEveryMs, "checkpoint_every_ms"),
            BidPerGpuHour = wire.HasBidPerGpuHour ? Finite(wire.BidPerGpuHour) : null,
            MayPreempt = wire.MayPreempt,
            MoveBudget = Whole(wire.MoveBudget, "move_budget"),
            Policy = wire.Policy.Length == 0 ? null : Policy(wire.Policy),
        };
    }

    internal static PolicyName Policy(string name) => Enum.TryParse(name, ignoreCase: true, out PolicyName policy) && Enum.IsDefined(policy) && !char.IsDigit(name[0])
        ? policy
        : throw new ArgumentException($"policy '{name}' is none of {string.Join(", ", Enum.GetNames<PolicyName>().Select(known => known.ToLowerInvariant()))}");

    internal static Wire.JobRequest ToWire(PlacementRequest request)
    {
        Wire.JobRequest wire = new()
        {
            Job = request.Job,
            CpuMilli = (uint)request.Ask.CpuMilli,
            MemoryMib = (uint)request.Ask.MemoryMiB,
            Gpus = (uint)request.Ask.GpuCount,
            GpuMilli = request.Ask.GpuCount == 0 ? 0 : (uint)request.Ask.GpuMilli,
            MinGpuMemoryMib = (uint)request.Ask.MinGpuMemoryMiB,
            NicMbps = (uint)request.Ask.NicMbps,
            MigProfile = request.Ask.MigProfile ?? "",
            Replicas = (uint)request.Replicas,
            MinReplicas = (uint)request.MinReplicas,
            Required = ToWire(request.Required),
            Preferred = ToWire(request.Preferred),
            MaxPerNode = (uint)request.MaxPerNode,
            Priority = request.Priority,
            Tenant = request.Tenant,
            DeadlineUnixMs = request.Deadline?.ToUnixTimeMilliseconds() ?? 0,
            ExpectedMs = (ulong)(request.Expected?.TotalMilliseconds ?? 0),
            CheckpointEveryMs = (ulong)(request.CheckpointEvery?.TotalMilliseconds ?? 0),
            MayPreempt = request.MayPreempt,
            MoveBudget = (uint)request.MoveBudget,
            Policy = request.Policy is { } policy ? policy.ToString().ToLowerInvariant() : "",
        };
        wire.Models.AddRange(request.Ask.Models ?? []);
        wire.AvoidJobs.AddRange(request.AvoidJobs);
        if (request.BidPerGpuHour is { } bid)
        {
            wire.BidPerGpuHour = bid;
        }

        return wire;
    }

    internal static Wire.Decision ToWire(PlacementDecision decision, Func<string, IReadOnlyList<int>, IReadOnlyList<string>> uuids, IReadOnlyList<RejectCount> unknown)
    {
        Wire.Decision wire = new()
        {
            Job = decision.Job,
            Outcome = (Wire.PlacementOutcome)((int)decision.Outcome + 1),
            Reason = decision.Reason,
            CostPerGpuHour = decision.CostPerGpuHour,
            Why = ToWire(decision.Why, unknown),
            Version = (ulong)decision.Version,
            Token = decision.Token,
            ExpiresUnixMs = decision.Token.Length == 0 ? 0 : decision.Expires.ToUnixTimeMilliseconds(),
        };
        wire.Assignments.AddRange(decision.Assignments.Select(assignment => ToWire(assignment, uuids)));
        wire.Moves.AddRange(decision.Moves.Select(move => new Wire.JobMove { Job = move.Job, From = move.From, To = move.To, Devices = { Unsigned(move.Devices) } }));
        wire.Evictions.AddRange(decision.Evictions.Select(eviction => new Wire.Eviction { Job = eviction.Job, LostGpuHours = eviction.LostGpuHours }));
        return wire;
    }

    internal static Wire.Job ToWire(PlacedJob job, bool withToken, Func<string, IReadOnlyList<int>, IReadOnlyList<string>> uuids)
    {
        Wire.Job wire = new()
        {
            Request = ToWire(job.Request),
            State = job.Lost is not null ? Wire.JobState.Lost : job.Token.Length > 0 ? Wire.JobState.Held : Wire.JobState.Committed,
            SinceUnixMs = job.Since.ToUnixTimeMilliseconds(),
            Token = withToken ? job.Token : "",
            ExpiresUnixMs = job.Token.Length > 0 ? job.Expires.ToUnixTimeMilliseconds() : 0,
            LostReason = job.Lost ?? "",
        };
        wire.Assignments.AddRange(job.Assignments.Select(assignment => ToWire(assignment, uuids)));
        return wire;
    }

    internal static Wire.MovePlan ToWire(MovePlan plan)
    {
        Wire.MovePlan wire = new() { Complete = plan.Complete, GainMilli = plan.Gain, Version = (ulong)plan.Version, Summary = plan.Summary };
        wire.Unplaced.AddRange(plan.Unplaced);
        wire.Moves.AddRange(plan.Moves.Select(move => new Wire.PlannedMove
        {
            Job = move.Job, Allocation = (uint)move.Allocation, From = move.From, To = move.To, Devices = { Unsigned(move.Devices) },
        }));
        return wire;
    }

    internal static MovePlan ToPlan(Wire.MovePlan? wire)
    {
        Check(wire is { Moves.Count: > 0 }, "a plan with at least one move is needed");
        return new MovePlan(
            [.. wire!.Moves.Select(move => new PlannedMove(move.Job, Whole(move.Allocation, "allocation"), move.From, move.To, [.. move.Devices.Select(device => Whole(device, "devices"))]))],
            wire.Complete, [.. wire.Unplaced], wire.GainMilli, (long)wire.Version, wire.Summary);
    }

    internal static Wire.ParetoRow ToWire(ParetoRow row) => new()
    {
        Policy = row.Policy.ToString().ToLowerInvariant(),
        PlacedGpus = row.PlacedGpus,
        UnusableGpus = row.UnusableGpus,
        ExpectedLoss = row.ExpectedLoss,
        NodesInUse = (uint)row.NodesInUse,
        Dominated = row.Dominated,
    };

    internal static Wire.ScaleAdvice ToWire(ScaleAdvice advice) => new()
    {
        Like = advice.Like, Nodes = (uint)advice.Nodes, AdmittedGpus = advice.AdmittedGpus, GpusPerNode = advice.GpusPerNode, Summary = advice.Summary,
    };

    internal static IEnumerable<uint> Unsigned(IEnumerable<int> numbers) => numbers.Select(number => (uint)number);

    internal static void Check(bool isFine, string message)
    {
        if (!isFine)
        {
            throw new ArgumentException(message);
        }
    }

    private static Wire.Assignment ToWire(Assignment assignment, Func<string, IReadOnlyList<int>, IReadOnlyList<string>> uuids)
    {
        Wire.Assignment wire = new() { Replica = (uint)assignment.Replica, Node = assignment.Node, Devices = { Unsigned(assignment.Devices) } };
        wire.DeviceUuids.AddRange(uuids(assignment.Node, assignment.Devices));
        if (assignment.MigStart >= 0)
        {
            wire.MigStart = (uint)assignment.MigStart;
        }

        return wire;
    }

    private static Wire.Explanation ToWire(Explanation why, IReadOnlyList<RejectCount> unknown)
    {
        Wire.Explanation wire = new();
        wire.Terms.AddRange(why.Terms.Select(ToWire));
        wire.RunnersUp.AddRange(why.RunnersUp.Select(other => new Wire.Explanation.Types.RunnerUp { Node = other.Node, Score = other.Score, Decided = ToWire(other.Decided) }));
        wire.Rejected.AddRange(why.Rejected.Concat(unknown).OrderByDescending(reject => reject.Nodes)
            .Select(reject => new Wire.Explanation.Types.Reject { Reason = reject.Reason, Nodes = (uint)reject.Nodes }));
        wire.Counterfactuals.AddRange(why.Counterfactuals);
        return wire;
    }

    private static Wire.ScoreTerm ToWire(ScoreTerm term) => new() { Name = term.Name, Value = term.Value, Unit = term.Unit };

    private static Wire.TopologyLevel ToWire(NodeAgent.Placement.Fleet.TopologyLevel level) =>
        level == NodeAgent.Placement.Fleet.TopologyLevel.Fleet ? Wire.TopologyLevel.Unspecified : (Wire.TopologyLevel)((int)level + 1);

    private static void TopologyLevelOf(Wire.TopologyLevel wire, out NodeAgent.Placement.Fleet.TopologyLevel level, NodeAgent.Placement.Fleet.TopologyLevel otherwise)
    {
        Check(Enum.IsDefined(wire), $"topology level {(int)wire} is not known");
        level = wire == Wire.TopologyLevel.Unspecified ? otherwise : (NodeAgent.Placement.Fleet.TopologyLevel)((int)wire - 1);
        if (level is NodeAgent.Placement.Fleet.TopologyLevel.Rack or NodeAgent.Placement.Fleet.TopologyLevel.Leaf)
        {
            throw new FleetUnknownException("no node says in which rack or at which leaf switch it stands; host and nvlink_domain are known");
        }
    }

    private static int Whole(uint value, string field) =>
        value <= int.MaxValue ? (int)value : throw new ArgumentException($"{field}: {value} is more than {int.MaxValue}");

    private static double Finite(double bid) => double.IsFinite(bid) && bid >= 0 ? bid : throw new ArgumentException($"bid_per_gpu_hour: {bid} is no amount of money");

    private static TimeSpan? Span(ulong milliseconds, string field)
    {
        Check(milliseconds <= 100UL * 366 * 24 * 3_600_000, $"{field}: more than a hundred years");
        return milliseconds == 0 ? null : TimeSpan.FromMilliseconds(milliseconds);
    }

    private static DateTimeOffset Moment(long unixMs)
    {
        Check(unixMs is > 0 and < 253_402_300_800_000, "deadline_unix_ms: not a time of the years 1970 to 9999");
        return DateTimeOffset.FromUnixTimeMilliseconds(unixMs);
    }
}
