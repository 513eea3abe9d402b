using NodeAgent.V1;

namespace NodeAgent.Ctl.Tests.Harness;

/// <summary>What a placement service says, with every field in use.</summary>
internal static class SamplePlacement
{
    public static Decision Placed() => new()
    {
        Job = "train-7",
        Outcome = PlacementOutcome.PlacedWithMoves,
        Reason = "1 moves make room",
        Assignments =
        {
            new Assignment { Replica = 0, Node = "gpu-02", Devices = { 0, 1 }, DeviceUuids = { "GPU-0a", "GPU-0b" } },
            new Assignment { Replica = 1, Node = "gpu-01", Devices = { 4, 5 }, MigStart = 2 },
        },
        Moves = { new JobMove { Job = "old", From = "gpu-02", To = "gpu-03", Devices = { 7 } } },
        Evictions = { new Eviction { Job = "spot", LostGpuHours = 1.25 } },
        CostPerGpuHour = 0.125,
        Why = new Explanation
        {
            Terms = { new ScoreTerm { Name = "future waste", Value = -12.5, Unit = "GPU thousandths" } },
            RunnersUp = { new Explanation.Types.RunnerUp { Node = "gpu-04", Score = -20, Decided = new ScoreTerm { Name = "fault risk", Value = -7.5, Unit = "GPU thousandths" } } },
            Rejected = { new Explanation.Types.Reject { Reason = "unavailable: dead", Nodes = 3 } },
            Counterfactuals = { "fits with cpu <= 9,800m" },
        },
        Version = 42,
        Token = "1f-2a",
        ExpiresUnixMs = HandTime.StartUnixMs + 30_000,
    };

    public static PlaceResponse Place() => new() { Decision = Placed() };

    public static CommitResponse Commit() => new() { Verdict = CommitVerdict.Committed, Job = "train-7" };

    public static ReleaseResponse Release() => new();

    public static WhatIfResponse WhatIf()
    {
        Decision decision = Placed();
        (decision.Token, decision.ExpiresUnixMs) = ("", 0);
        return new WhatIfResponse { Decisions = { decision }, Policies = { new ParetoRow { Policy = "value", PlacedGpus = 4, UnusableGpus = 0.5, ExpectedLoss = 0.0001, NodesInUse = 2, Dominated = true } } };
    }

    public static MovePlan PlanDrain() => new()
    {
        Moves = { new PlannedMove { Job = "old", Allocation = 3, From = "gpu-02", To = "gpu-03", Devices = { 7 } } },
        Complete = true, GainMilli = 12.5, Version = 42, Summary = "drain gpu-02: 1 of 1 replicas placed elsewhere with 1 moves",
    };

    public static MovePlan PlanRebalance() => PlanDrain();

    public static MovePlan PlanRoom()
    {
        MovePlan plan = PlanDrain();
        plan.Complete = false;
        plan.Unplaced.Add("train-7");
        return plan;
    }

    public static ApplyResponse Apply() => new() { Moved = 1 };

    public static AdviseScaleResponse AdviseScale() => new() { Advice = { new ScaleAdvice { Like = "gpu-01", Nodes = 3, AdmittedGpus = 24, GpusPerNode = 8, Summary = "+3 nodes like gpu-01" } } };

    public static ListJobsResponse ListJobs() => new()
    {
        Jobs =
        {
            new Job
            {
                Request = new JobRequest { Job = "train-7", Gpus = 2, GpuMilli = 1000, CpuMilli = 16_500, MemoryMib = 131_072, Replicas = 2, Priority = 3, Tenant = "vision" },
                State = JobState.Held, SinceUnixMs = HandTime.StartUnixMs, Token = "1f-2a", ExpiresUnixMs = HandTime.StartUnixMs + 30_000,
                Assignments = { Placed().Assignments },
            },
            new Job
            {
                Request = new JobRequest { Job = "notebook", Gpus = 1, GpuMilli = 250, MigProfile = "1g.10gb" }, State = JobState.Lost, LostReason = "node gpu-09 is gone",
                SinceUnixMs = HandTime.StartUnixMs, Assignments = { new Assignment { Node = "gpu-09", Devices = { 1 } } },
            },
        },
        UnknownNodes = { new UnknownNode { Name = "gpu-05", Reason = "no inventory yet" } },
        Cordoned = { "gpu-06", "gpu-07" },
        Nodes = 4, Version = 42, WallUnixMs = HandTime.StartUnixMs,
    };

    public static RankNodesResponse RankNodes() => new()
    {
        Nodes =
        {
            new RankNodesResponse.Types.RankedNode { Node = "gpu-02", Score = -10, Devices = { 0 } }, new RankNodesResponse.Types.RankedNode { Node = "gpu-01", Score = -12 },
            new RankNodesResponse.Types.RankedNode { Node = "gpu-03", Score = -30 },
        },
    };

    public static CordonResponse Cordon() => new();
}
