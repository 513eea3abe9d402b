using NodeAgent.Placement.Engine;
using NodeAgent.Placement.Fleet;
using NodeAgent.Placement.Plans;
using NodeAgent.Placement.Requests;

namespace NodeAgent.Placement.Tests.Engine;

public sealed class AdoptTests
{
    private static readonly DateTimeOffset Noon = TestFleet.Noon;
    private static readonly ResourceAsk OneGpu = new(4000, 16384, 1);
    private static readonly ResourceAsk FourGpus = new(32000, 131072, 4);

    [Fact]
    public void Adopt_JobsOfAnotherEngine_AreWhereTheyWere()
    {
        PlacementEngine old = With(TestFleet.Hosts(3), "a", "b", "c");
        PlacementDecision held = old.Place(new PlacementRequest("held", OneGpu), Noon);

        PlacementEngine engine = Successor(old, TestFleet.Hosts(4));

        Assert.Equal(Text(old.PlacedJobs), Text(engine.PlacedJobs));
        Assert.Equal(CommitResult.Committed, engine.Commit(held.Token, Noon));
        Assert.True(engine.Release("a", Noon));
        Assert.Equal(3, engine.PlacedJobs.Count());
    }

    [Fact]
    public void Adopt_TokenThatNobodyCommits_Expires()
    {
        PlacementEngine old = new(TestFleet.Hosts(1));
        PlacementDecision held = old.Place(new PlacementRequest("held", OneGpu), Noon);
        PlacementEngine engine = Successor(old, TestFleet.Hosts(1));

        Assert.Equal(CommitResult.Expired, engine.Commit(held.Token, Noon.AddMinutes(1)));
        Assert.Empty(engine.PlacedJobs);
        Assert.Equal(0, engine.Allocations.Count);
    }

    [Fact]
    public void Adopt_NewTokens_AreNoneThatTheOldEngineGave()
    {
        PlacementEngine old = new(TestFleet.Hosts(2));
        string[] given = [.. Enumerable.Range(0, 5).Select(number => old.Place(new PlacementRequest($"old-{number}", OneGpu), Noon).Token)];
        PlacementEngine engine = Successor(old, TestFleet.Hosts(2));
        string[] more = [.. Enumerable.Range(0, 5).Select(number => engine.Place(new PlacementRequest($"new-{number}", OneGpu), Noon).Token)];
        Assert.Empty(given.Intersect(more));
    }

    [Fact]
    public void Adopt_NodeThatIsGone_KeepsTheJobAsLost()
    {
        PlacementEngine old = With(TestFleet.Hosts(2), "a");
        string node = old.Find("a")!.Assignments[0].Node;
        NodeSpec[] rest = [.. TestFleet.Hosts(2).Nodes.Where(spec => spec.Name != node)];
        PlacementEngine without = Successor(old, new FleetCatalog(rest));

        PlacedJob lost = Assert.Single(without.PlacedJobs);
        Assert.Equal($"node {node} is gone", lost.Lost);
        Assert.Equal(0, without.Allocations.Count);
        Assert.Throws<ArgumentException>(() => without.Place(new PlacementRequest("a", OneGpu), Noon));

        PlacementEngine back = Successor(without, TestFleet.Hosts(2));
        Assert.Null(back.Find("a")!.Lost);
        Assert.True(without.Release("a", Noon));
        Assert.Empty(without.PlacedJobs);
        Assert.False(without.Release("a", Noon));
    }

    [Fact]
    public void Adopt_GangWithOneDeviceGone_IsLostAsAWholeAndHoldsNothing()
    {
        PlacementEngine old = new(TestFleet.Hosts(2));
        Commit(old, old.Place(new PlacementRequest("gang", FourGpus) { Replicas = 4 }, Noon));
        NodeSpec[] smaller = [.. TestFleet.Hosts(2).Nodes.Select((spec, index) => index == 1 ? spec with { GpuCount = 7 } : spec)];
        PlacementEngine engine = Successor(old, new FleetCatalog(smaller));

        Assert.Equal("node node-1 has 7 GPUs now, device 7 is gone", engine.Find("gang")!.Lost);
        Assert.Equal(0, engine.Allocations.Count);
    }

    [Fact]
    public void Adopt_SickNode_KeepsItsJobs()
    {
        PlacementEngine old = With(TestFleet.Hosts(1), "a");
        var engine = new PlacementEngine(TestFleet.Hosts(1));
        engine.SetCondition("node-0", new NodeCondition(NodeFilter.Dead, 0xFF, 3));
        PlacedJob job = old.PlacedJobs.Single();
        Assert.Null(engine.Adopt(job.Request, job.Assignments, job.Since, job.Token, job.Expires));
    }

    [Fact]
    public void Adopt_Partition_KeepsItsSlices()
    {
        FleetCatalog fleet = new([new NodeSpec("mig-0", "H100", 2, 96000, 1_000_000, Mig: true, GpuMemoryMiB: 81920)]);
        PlacementEngine old = new(fleet);
        for (int number = 0; number < 4; number++)
        {
            Commit(old, old.Place(new PlacementRequest($"part-{number}", new ResourceAsk(1000, 1024, 1, MigProfile: "2g.20gb")), Noon));
        }

        PlacementEngine engine = Successor(old, fleet);
        Assert.Equal(Text(old.PlacedJobs), Text(engine.PlacedJobs));
        Assert.All(engine.PlacedJobs, job => Assert.True(job.Assignments[0].MigStart >= 0));
        Assert.Equal(old.State.Gpus(0), engine.State.Gpus(0));
        Assert.All(old.PlacedJobs.ToArray(), job => Assert.True(engine.Release(job.Request.Job, Noon)));
        Assert.Equal(default, engine.State.Gpus(0));
    }

    [Fact]
    public void Adopt_Replayed_DecidesTheSameAfterwards()
    {
        PlacementEngine old = With(TestFleet.Mixed(12), "a", "b", "c");
        var log = new List<EngineCall>();
        var engine = new PlacementEngine(TestFleet.Mixed(16), new EngineOptions { FirstJob = old.NextJob }) { Journal = log.Add };
        foreach (PlacedJob job in old.PlacedJobs)
        {
            engine.Adopt(job.Request, job.Assignments, job.Since, job.Token, job.Expires);
        }

        string[] decisions = [.. Enumerable.Range(0, 20).Select(number => Text(engine.Place(new PlacementRequest($"n{number}", OneGpu), Noon)))];
        var again = new PlacementEngine(TestFleet.Mixed(16), new EngineOptions { FirstJob = old.NextJob });
        Assert.Equal(decisions, log.Select(again.Replay).OfType<PlacementDecision>().Select(Text));
    }

    [Fact]
    public void Copy_PlansAndPlacements_LeaveNoTrace()
    {
        PlacementEngine engine = With(TestFleet.Hosts(2), "a", "b");
        long version = engine.State.Version;
        PlacementEngine copy = engine.Copy(Noon);
        copy.PlanDrain("node-0");
        copy.Place(new PlacementRequest("c", OneGpu), Noon);
        Assert.Equal(version, engine.State.Version);
        Assert.Null(engine.Find("c"));
    }

    [Theory]
    [InlineData("nowhere", 0)]
    [InlineData("node-1", 9)]
    [InlineData("node-1", -1)]
    [InlineData("node-2", 0)] // another model than the job accepts
    public void Apply_MoveThatCannotBe_DoesNothing(string to, int device)
    {
        FleetCatalog fleet = new([.. TestFleet.Hosts(2).Nodes, new NodeSpec("node-2", "T4", 2, 96000, 1_000_000)]);
        PlacementEngine engine = new(fleet);
        Commit(engine, engine.Place(new PlacementRequest("a", OneGpu with { Models = ["H100"] }), Noon));
        string before = Text(engine.PlacedJobs);
        int allocation = engine.Allocations.All().Single();
        string from = engine.Find("a")!.Assignments[0].Node;

        Assert.False(engine.Apply(new MovePlan([new PlannedMove("a", allocation, from, to, [device])], true, [], 0, 0, "")));
        Assert.False(engine.Apply(new MovePlan([new PlannedMove("a", allocation, from, "node-1", [0, 1])], true, [], 0, 0, "")));
        Assert.False(engine.Apply(new MovePlan([new PlannedMove("another", allocation, from, "node-1", [0])], true, [], 0, 0, "")));
        Assert.Equal(before, Text(engine.PlacedJobs));
    }

    private static PlacementEngine With(FleetCatalog fleet, params string[] jobs)
    {
        var engine = new PlacementEngine(fleet);
        foreach (string job in jobs)
        {
            Commit(engine, engine.Place(new PlacementRequest(job, OneGpu), Noon));
        }

        return engine;
    }

    private static void Commit(PlacementEngine engine, PlacementDecision decision) => Assert.Equal(CommitResult.Committed, engine.Commit(decision.Token, Noon));

    private static PlacementEngine Successor(PlacementEngine old, FleetCatalog fleet)
    {
        var engine = new PlacementEngine(fleet, new EngineOptions { FirstJob = old.NextJob });
        foreach (PlacedJob job in old.PlacedJobs)
        {
            engine.Adopt(job.Request, job.Assignments, job.Since, job.Token, job.Expires);
        }

        return engine;
    }

    private static string Text(object value) => System.Text.Json.JsonSerializer.Serialize(value);
}
