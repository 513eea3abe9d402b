using Grpc.Core;
using NodeAgent.Aggregator.Placement;
using NodeAgent.Aggregator.Tests.Ingest;
using NodeAgent.Contracts.Identity;
using NodeAgent.V1;

namespace NodeAgent.Aggregator.Tests.Placement;

public sealed class PlacementServiceTests : IDisposable
{
    private readonly PlacementBench _bench = new();
    private readonly FakeContext _operator = new("op", FleetRole.Operator);
    private readonly FakeContext _viewer = new("me", FleetRole.Viewer);
    private readonly PlacementService _service;

    public PlacementServiceTests()
    {
        _bench.Add("n1");
        _bench.Add("n2");
        _service = new PlacementService(_bench.Desk);
    }

    public void Dispose()
    {
        _service.Dispose();
        _bench.Dispose();
    }

    [Fact]
    public async Task Place_Commit_List_Release_GoTogether()
    {
        Decision decision = (await _service.Place(new PlaceRequest { Request = Job("a", gpus: 2) }, _operator)).Decision;
        Assert.Equal((PlacementOutcome.Placed, 2, 2), (decision.Outcome, decision.Assignments.Single().Devices.Count, decision.Assignments.Single().DeviceUuids.Count));
        Assert.NotEmpty(decision.Why.Terms);
        Assert.Single(decision.Why.RunnersUp);
        Assert.Equal(_bench.Now + 30_000, decision.ExpiresUnixMs);

        Job held = Assert.Single((await _service.ListJobs(new ListJobsRequest(), _operator)).Jobs);
        Assert.Equal((JobState.Held, decision.Token), (held.State, held.Token));
        Assert.Equal("", (await _service.ListJobs(new ListJobsRequest(), _viewer)).Jobs.Single().Token);

        CommitResponse committed = await _service.Commit(new CommitRequest { Token = decision.Token }, _operator);
        Assert.Equal((CommitVerdict.Committed, "a"), (committed.Verdict, committed.Job));
        Assert.Equal(JobState.Committed, (await _service.ListJobs(new ListJobsRequest { Job = "a" }, _viewer)).Jobs.Single().State);
        await _service.Release(new ReleaseRequest { Job = "a" }, _operator);
        Assert.Equal(StatusCode.NotFound, (await RefusalAsync(_service.Release(new ReleaseRequest { Job = "a" }, _operator))).StatusCode);
        Assert.Equal(StatusCode.NotFound, (await RefusalAsync(_service.ListJobs(new ListJobsRequest { Job = "a" }, _viewer))).StatusCode);
    }

    [Fact]
    public async Task Place_DryRunAndQuestions_LeaveNoTrace()
    {
        ListJobsResponse before = await _service.ListJobs(new ListJobsRequest(), _viewer);
        long calls = _bench.Desk.Books().Version;
        Decision dry = (await _service.Place(new PlaceRequest { Request = Job("a"), DryRun = true }, _operator)).Decision;
        await _service.WhatIf(new WhatIfRequest { Requests = { Job("a"), Job("b") }, ComparePolicies = true }, _viewer);
        await _service.PlanDrain(new PlanDrainRequest { Node = "n1" }, _viewer);
        await _service.PlanRebalance(new PlanRebalanceRequest(), _viewer);
        await _service.PlanRoom(new PlanRoomRequest { Request = Job("a", gpus: 8) }, _viewer);
        await _service.RankNodes(new RankNodesRequest { Request = Job("a") }, _viewer);
        await _service.AdviseScale(new AdviseScaleRequest(), _viewer);
        Assert.Equal((PlacementOutcome.Placed, "", 0L), (dry.Outcome, dry.Token, dry.ExpiresUnixMs));
        Assert.Equal(before, await _service.ListJobs(new ListJobsRequest(), _viewer));
        Assert.Equal(calls, _bench.Desk.Books().Version);
    }

    [Fact]
    public async Task WhatIf_WithChanges_AssumesThem()
    {
        JobRequest twoHosts = Job("a", gpus: 8);
        twoHosts.Replicas = 3;
        Assert.Equal(PlacementOutcome.Refused, (await Decide()).Outcome);
        Decision grown = await Decide(new Mutation { AddNodes = new Mutation.Types.AddNodes { Like = "n1", Count = 1 } });
        Assert.Equal((PlacementOutcome.Placed, ["n1", "n1+1", "n2"]), (grown.Outcome, grown.Assignments.Select(assignment => assignment.Node).Order().ToArray()), Same);
        twoHosts.Replicas = 2;
        Assert.Equal(PlacementOutcome.Placed, (await Decide()).Outcome);
        Assert.Equal(PlacementOutcome.Wait, (await Decide(new Mutation { NodeDown = "n2" })).Outcome);
        Assert.Equal(PlacementOutcome.Wait, (await Decide(new Mutation { Cordon = "n2" })).Outcome);
        Assert.Equal(StatusCode.NotFound, (await RefusalAsync(Decide(new Mutation { NodeDown = "n9" }))).StatusCode);
        Assert.Equal(StatusCode.NotFound, (await RefusalAsync(Decide(new Mutation { JobEnds = "x" }))).StatusCode);
        Assert.Equal(StatusCode.InvalidArgument, (await RefusalAsync(Decide(new Mutation()))).StatusCode);

        async Task<Decision> Decide(params Mutation[] mutations) => (await _service.WhatIf(new WhatIfRequest { Requests = { twoHosts }, Mutations = { mutations } }, _viewer)).Decisions.Single();

        static bool Same((PlacementOutcome Outcome, string[] Nodes) left, (PlacementOutcome Outcome, string[] Nodes) right) => left.Outcome == right.Outcome && left.Nodes.SequenceEqual(right.Nodes);
    }

    [Fact]
    public async Task WhatIf_ComparingPolicies_HasARowEach()
    {
        WhatIfResponse answer = await _service.WhatIf(new WhatIfRequest { Requests = { Job("a"), Job("b", gpus: 8) }, ComparePolicies = true }, _viewer);
        Assert.Equal(["bestfit", "blend", "gpupacking", "spread", "value"], answer.Policies.Select(row => row.Policy).Order());
        Assert.All(answer.Policies, row => Assert.Equal(9, row.PlacedGpus));
    }

    [Fact]
    public async Task PlanDrain_ThenApply_MovesTheJob()
    {
        Decision decision = (await _service.Place(new PlaceRequest { Request = Job("a") }, _operator)).Decision;
        await _service.Commit(new CommitRequest { Token = decision.Token }, _operator);
        string from = decision.Assignments[0].Node;
        await _service.Cordon(new CordonRequest { Node = from, Cordoned = true }, _operator);
        MovePlan plan = await _service.PlanDrain(new PlanDrainRequest { Node = from }, _viewer);
        Assert.Equal(("a", from), (plan.Moves.Single().Job, plan.Moves.Single().From));
        Assert.Equal(1U, (await _service.Apply(new ApplyRequest { Plan = plan }, _operator)).Moved);
        Assert.Equal(StatusCode.FailedPrecondition, (await RefusalAsync(_service.Apply(new ApplyRequest { Plan = plan }, _operator))).StatusCode);
        ListJobsResponse jobs = await _service.ListJobs(new ListJobsRequest(), _viewer);
        Assert.Equal((plan.Moves[0].To, from), (jobs.Jobs.Single().Assignments[0].Node, jobs.Cordoned.Single()));
    }

    [Fact]
    public async Task RankNodes_AmongSome_RanksThoseAndSaysWhyNotTheOthers()
    {
        _bench.Add("small", gpus: 1);
        _bench.Pass();
        RankNodesResponse ranked = await _service.RankNodes(new RankNodesRequest { Request = Job("a", gpus: 4), Nodes = { "n1", "small", "nobody" } }, _viewer);
        Assert.Equal("n1", Assert.Single(ranked.Nodes).Node);
        Assert.Equal(4, ranked.Nodes[0].Devices.Count);
        Assert.Equal(["nobody: unknown node", "small: gpu"], ranked.Rejected.Select(node => $"{node.Node}: {node.Reason}").Order());
    }

    [Fact]
    public async Task AdviseScale_AfterARefusal_NamesTheShape()
    {
        JobRequest large = Job("a", gpus: 8);
        large.Replicas = 5;
        Assert.Equal(PlacementOutcome.Refused, (await _service.Place(new PlaceRequest { Request = large }, _operator)).Decision.Outcome);
        ScaleAdvice advice = Assert.Single((await _service.AdviseScale(new AdviseScaleRequest(), _viewer)).Advice);
        Assert.Equal((5U, 40.0), (advice.Nodes, advice.AdmittedGpus));
    }

    [Fact]
    public async Task Place_NodeThatIsNotKnown_IsCountedWithItsReason()
    {
        _bench.Add("silent").Inventory = null;
        _bench.Pass();
        Decision decision = (await _service.Place(new PlaceRequest { Request = Job("a") }, _operator)).Decision;
        Assert.Contains(decision.Why.Rejected, reject => reject.Reason == "not known: no inventory yet" && reject.Nodes == 1);
    }

    [Fact]
    public async Task Place_RequestsThatMeanNothing_AreInvalidAndSayWhat()
    {
        (JobRequest? Request, string What)[] requests =
        [
            (null, "a request is needed"), (new JobRequest(), "job: a name"), (new JobRequest { Job = "a\nb" }, "job: a name"),
            (With(job => job.Gpus = 9), "out of range"), (With(job => job.GpuMilli = 1001), "out of range"), (With(job => job.MinReplicas = 2), "2 to 1 replicas"),
            (With(job => job.Policy = "best"), "policy 'best' is none of"), (With(job => job.Policy = "3"), "policy '3' is none of"), (With(job => job.MigProfile = "9g"), "MIG profile 9g"),
            (With(job => job.CpuMilli = uint.MaxValue), "cpu_milli"), (With(job => job.BidPerGpuHour = double.NaN), "bid_per_gpu_hour"),
            (With(job => job.DeadlineUnixMs = long.MaxValue), "deadline_unix_ms"), (With(job => job.ExpectedMs = ulong.MaxValue), "expected_ms"), (With(job => job.Required = (TopologyLevel)77), "topology level 77"),
        ];
        foreach ((JobRequest? request, string what) in requests)
        {
            Status status = await RefusalAsync(_service.Place(new PlaceRequest { Request = request }, _operator));
            Assert.Equal(StatusCode.InvalidArgument, status.StatusCode);
            Assert.Contains(what, status.Detail, StringComparison.Ordinal);
        }

        Assert.Equal(StatusCode.FailedPrecondition, (await RefusalAsync(_service.Place(new PlaceRequest { Request = With(job => job.Required = TopologyLevel.Rack) }, _operator))).StatusCode);
        Assert.Empty(_bench.Desk.Books().Jobs);
    }

    [Fact]
    public async Task Request_EveryField_ComesBackInTheList()
    {
        JobRequest request = new()
        {
            Job = "a", CpuMilli = 1500, MemoryMib = 2048, Gpus = 1, GpuMilli = 250, Models = { PlacementBench.Model }, MinGpuMemoryMib = 40_000, NicMbps = 100, Replicas = 2, MinReplicas = 1,
            Required = TopologyLevel.Host, Preferred = TopologyLevel.Host, MaxPerNode = 2, AvoidJobs = { "z" }, Priority = -3, Tenant = "t", DeadlineUnixMs = _bench.Now + 9_000_000,
            ExpectedMs = 3_600_000, CheckpointEveryMs = 60_000, BidPerGpuHour = 99, MayPreempt = true, MoveBudget = 2, Policy = "spread",
        };
        await _service.Place(new PlaceRequest { Request = request }, _operator);
        Assert.Equal(request, (await _service.ListJobs(new ListJobsRequest(), _viewer)).Jobs.Single().Request);
    }

    [Fact]
    public async Task Commit_DiskThatFails_IsUnavailable()
    {
        Decision decision = (await _service.Place(new PlaceRequest { Request = Job("a") }, _operator)).Decision;
        _bench.Disk.Fault = new Testing.Disk.DiskFault(Testing.Disk.DiskFaultKind.Error, 1, NodeAgent.Journal.Files.Errno.InputOutput, int.MaxValue);
        Status status = await RefusalAsync(_service.Commit(new CommitRequest { Token = decision.Token }, _operator));
        Assert.Equal(StatusCode.Unavailable, status.StatusCode);
        Assert.Single((await _service.ListJobs(new ListJobsRequest(), _viewer)).Jobs);

        _bench.Disk.Fault = null;
        _bench.Pass(6);
        Assert.Equal(CommitVerdict.Committed, (await _service.Commit(new CommitRequest { Token = decision.Token }, _operator)).Verdict);
    }

    [Fact]
    public async Task Calls_AllAtOnce_NeverPromiseADeviceTwice()
    {
        await Task.WhenAll(Enumerable.Range(0, 32).Select(async number =>
        {
            await _service.WhatIf(new WhatIfRequest { Requests = { Job($"if-{number}", gpus: 8) } }, _viewer);
            Decision decision = (await _service.Place(new PlaceRequest { Request = Job($"job-{number}") }, _operator)).Decision;
            if (decision.Token.Length > 0)
            {
                await _service.PlanDrain(new PlanDrainRequest { Node = decision.Assignments[0].Node }, _viewer);
                await _service.Commit(new CommitRequest { Token = decision.Token }, _operator);
            }
        }));
        ListJobsResponse jobs = await _service.ListJobs(new ListJobsRequest(), _viewer);
        Assert.Equal(16, jobs.Jobs.Count(job => job.State == JobState.Committed));
        Assert.Equal(16, jobs.Jobs.SelectMany(job => job.Assignments).SelectMany(place => place.Devices.Select(device => (place.Node, device))).Distinct().Count());
    }

    private static JobRequest Job(string name, uint gpus = 1) => new() { Job = name, CpuMilli = 4000, MemoryMib = 16384, Gpus = gpus };

    private static JobRequest With(Action<JobRequest> change)
    {
        JobRequest job = Job("a");
        change(job);
        return job;
    }

    private static async Task<Status> RefusalAsync(Task call) => (await Assert.ThrowsAsync<RpcException>(() => call)).Status;
}
