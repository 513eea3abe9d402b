using NodeAgent.Placement.Engine;
using NodeAgent.Placement.Fleet;
using NodeAgent.Placement.Policies;
using NodeAgent.Placement.Requests;
using NodeAgent.Placement.Values;

namespace NodeAgent.Placement.Tests.Engine;

public sealed class PlacementEngineTests
{
    private static readonly DateTimeOffset Noon = TestFleet.Noon;
    private static readonly ResourceAsk OneGpu = new(4000, 16384, 1);
    private static readonly ResourceAsk WholeHost = new(64000, 262144, 8);

    [Fact]
    public void Place_ThenCommit_HoldsUntilReleased()
    {
        var engine = new PlacementEngine(TestFleet.Hosts(1));

        PlacementDecision decision = engine.Place(new PlacementRequest("a", WholeHost), Noon);
        Assert.Equal(PlacementOutcome.Placed, decision.Outcome);
        Assert.Equal([0, 1, 2, 3, 4, 5, 6, 7], decision.Assignments.Single().Devices);
        Assert.Equal(CommitResult.Committed, engine.Commit(decision.Token, Noon));
        Assert.Equal(CommitResult.Unknown, engine.Commit(decision.Token, Noon));
        Assert.Equal(PlacementOutcome.Wait, engine.Place(new PlacementRequest("b", OneGpu), Noon.AddHours(5)).Outcome);

        Assert.True(engine.Release("a", Noon.AddHours(5)));
        Assert.False(engine.Release("a", Noon.AddHours(5)));
        Assert.True(engine.Place(new PlacementRequest("b", OneGpu), Noon.AddHours(5)).IsPlaced);
    }

    [Fact]
    public void Commit_TooLate_GivesThePlaceBack()
    {
        var engine = new PlacementEngine(TestFleet.Hosts(1));
        PlacementDecision late = engine.Place(new PlacementRequest("late", WholeHost), Noon);

        Assert.Equal(CommitResult.Expired, engine.Commit(late.Token, Noon.AddMinutes(1)));
        PlacementDecision forgotten = engine.Place(new PlacementRequest("forgotten", WholeHost), Noon.AddMinutes(1));
        Assert.True(forgotten.IsPlaced);
        Assert.True(engine.Place(new PlacementRequest("next", WholeHost), Noon.AddMinutes(2)).IsPlaced); // expired by itself
        Assert.Equal(CommitResult.Unknown, engine.Commit(forgotten.Token, Noon.AddMinutes(2)));
    }

    [Fact]
    public void Commit_NodeDiedSince_IsAConflict()
    {
        var engine = new PlacementEngine(TestFleet.Hosts(1));
        PlacementDecision decision = engine.Place(new PlacementRequest("a", OneGpu), Noon);
        engine.SetCondition("node-0", new NodeCondition(NodeFilter.Dead, 0, 0));

        Assert.Equal(CommitResult.Conflict, engine.Commit(decision.Token, Noon));
        Assert.Equal(0, engine.Allocations.Count);
    }

    [Fact]
    public void Place_DryRun_ChangesNothing()
    {
        var engine = new PlacementEngine(TestFleet.Hosts(2));
        PlacementDecision dry = engine.Place(new PlacementRequest("a", OneGpu) { Replicas = 3 }, Noon, dryRun: true);

        Assert.True(dry.IsPlaced);
        Assert.Equal("", dry.Token);
        Assert.Equal(0, engine.Allocations.Count);
        Assert.Equal(16000, Enumerable.Range(0, 2).Sum(node => engine.State.Gpus(node).Total));
    }

    [Fact]
    public void Place_Gang_StaysWithinTheRequiredDomainOrIsNotPlaced()
    {
        var engine = new PlacementEngine(TestFleet.Hosts(8)); // racks of four
        var gang = new PlacementRequest("gang", WholeHost) { Replicas = 4, Required = TopologyLevel.Rack, Preferred = TopologyLevel.Rack };
        PlacementDecision decision = engine.Place(gang, Noon);

        Assert.Equal(4, decision.Assignments.Count);
        Assert.Equal(1, engine.Domains.Spanned(TopologyLevel.Rack, decision.Assignments.Select(assignment => engine.State.Catalog.Find(assignment.Node))));
        engine.Place(new PlacementRequest("one", OneGpu), Noon);
        PlacementDecision second = engine.Place(gang with { Job = "gang2" }, Noon);
        Assert.Equal(PlacementOutcome.Wait, second.Outcome); // three whole hosts are left in the other rack
        Assert.Equal(3, engine.Place(gang with { Job = "gang3", MinReplicas = 2 }, Noon).Assignments.Count);
    }

    [Fact]
    public void Place_GangLargerThanADomain_SpansAsFewAsPossible()
    {
        var engine = new PlacementEngine(TestFleet.Hosts(16));
        PlacementDecision decision = engine.Place(new PlacementRequest("gang", WholeHost) { Replicas = 6, Preferred = TopologyLevel.Rack }, Noon);

        Assert.Equal(2, engine.Domains.Spanned(TopologyLevel.Rack, decision.Assignments.Select(assignment => engine.State.Catalog.Find(assignment.Node))));
    }

    [Fact]
    public void Place_MaxPerNodeAndAvoidedJobs_AreKept()
    {
        var engine = new PlacementEngine(TestFleet.Hosts(4));
        string first = engine.Place(new PlacementRequest("a", OneGpu), Noon).Assignments.Single().Node;
        PlacementDecision spread = engine.Place(new PlacementRequest("b", OneGpu) { Replicas = 3, MaxPerNode = 1, AvoidJobs = ["a"] }, Noon);

        Assert.Equal(3, spread.Assignments.Select(assignment => assignment.Node).Distinct().Count());
        Assert.DoesNotContain(first, spread.Assignments.Select(assignment => assignment.Node));
    }

    [Fact]
    public void Place_MoreImportant_StopsTheCheapestJobs()
    {
        var engine = new PlacementEngine(TestFleet.Hosts(2));
        engine.Place(new PlacementRequest("old", WholeHost), Noon.AddHours(-8));
        engine.Place(new PlacementRequest("young", WholeHost), Noon.AddHours(-8).AddSeconds(1), explain: false);
        Assert.Equal(0, engine.Allocations.Count - 2);
        engine = new PlacementEngine(TestFleet.Hosts(2));
        Hold(engine, new PlacementRequest("old", WholeHost), Noon.AddHours(-8));
        Hold(engine, new PlacementRequest("young", WholeHost), Noon.AddHours(-1));
        Hold(engine, new PlacementRequest("peer", OneGpu) { Priority = 5 }, Noon.AddMinutes(-1), placed: false);

        PlacementDecision decision = engine.Place(new PlacementRequest("urgent", WholeHost) { Priority = 5, MayPreempt = true }, Noon);

        Assert.Equal(PlacementOutcome.PlacedWithEvictions, decision.Outcome);
        Eviction eviction = decision.Evictions.Single();
        Assert.Equal(("young", 8.0), (eviction.Job, Math.Round(eviction.LostGpuHours, 6)));
        Assert.DoesNotContain("young", engine.Jobs);
        Assert.Equal(PlacementOutcome.Wait, engine.Place(new PlacementRequest("again", WholeHost) { Priority = 0, MayPreempt = true }, Noon).Outcome);
    }

    [Fact]
    public void Place_NoRoomButAMoveBudget_MovesOne()
    {
        var engine = new PlacementEngine(TestFleet.Hosts(2), new EngineOptions { Policy = PolicyName.Spread });
        Hold(engine, new PlacementRequest("a", OneGpu), Noon);
        Hold(engine, new PlacementRequest("b", OneGpu), Noon); // spread: one on each host

        Assert.Equal(PlacementOutcome.Wait, engine.Place(new PlacementRequest("big", WholeHost), Noon).Outcome);
        PlacementDecision decision = engine.Place(new PlacementRequest("big", WholeHost) { MoveBudget = 1 }, Noon);

        Assert.Equal(PlacementOutcome.PlacedWithMoves, decision.Outcome);
        Assert.Single(decision.Moves);
        Assert.True(engine.Release("a", Noon));
        Assert.True(engine.Release("b", Noon));
        Assert.Equal(1, engine.Allocations.Count);
    }

    [Fact]
    public void Place_QuotaDeadlineOrBid_IsRefusedWithTheReason()
    {
        var options = new EngineOptions { QuotaGpuMilli = new Dictionary<string, long> { ["blue"] = 2000 } };
        var engine = new PlacementEngine(TestFleet.Hosts(1), options);

        PlacementDecision quota = engine.Place(new PlacementRequest("a", OneGpu) { Replicas = 3, Tenant = "blue" }, Noon);
        PlacementDecision deadline = engine.Place(new PlacementRequest("b", OneGpu) { Deadline = Noon.AddHours(1), Expected = TimeSpan.FromHours(2) }, Noon);
        PlacementDecision impossible = engine.Place(new PlacementRequest("c", OneGpu with { Models = ["B200"] }), Noon);

        Assert.Equal((PlacementOutcome.Refused, true), (quota.Outcome, quota.Reason.Contains("quota of blue")));
        Assert.Equal((PlacementOutcome.Refused, true), (deadline.Outcome, deadline.Reason.Contains("cannot be met")));
        Assert.Equal((PlacementOutcome.Refused, true), (impossible.Outcome, impossible.Reason.Contains("if it were empty")));
        Assert.Contains("fits on H100 (1 nodes)", impossible.Why.Counterfactuals);
    }

    [Fact]
    public void Place_Explained_AccountsForTheScoreAndForEveryNode()
    {
        var engine = new PlacementEngine(TestFleet.Mixed(40), new EngineOptions { Policy = PolicyName.Blend });
        engine.SetCondition("node-4", new NodeCondition(NodeFilter.Stale, 0, 0));
        PlacementDecision decision = engine.Place(new PlacementRequest("a", OneGpu with { Models = ["G2"] }), Noon);

        Assert.Equal(3, decision.Why.RunnersUp.Count);
        Assert.All(decision.Why.RunnersUp, other => Assert.True(other.Score <= decision.Why.Terms.Sum(term => term.Value) + 0.01));
        Assert.Equal(31, decision.Why.Rejected.Sum(reject => reject.Nodes)); // 30 of other models, one stale
        Assert.Contains(new RejectCount("unavailable: stale", 1), decision.Why.Rejected);
    }

    [Fact]
    public void Place_TooMuchCpu_SaysHowMuchWouldFit()
    {
        var engine = new PlacementEngine(TestFleet.Hosts(3));
        for (int job = 0; job < 3; job++)
        {
            Hold(engine, new PlacementRequest($"filler-{job}", new ResourceAsk(86_200, 1000, 1)) { Expected = TimeSpan.FromHours(job + 1) }, Noon);
        }

        PlacementDecision decision = engine.Place(new PlacementRequest("a", new ResourceAsk(12_000, 1000, 2)), Noon);

        Assert.Equal(PlacementOutcome.Wait, decision.Outcome);
        Assert.Contains("fits with cpu <= 9,800m", decision.Why.Counterfactuals);
        Assert.Contains($"{Noon.AddHours(1):O}", decision.Reason);
    }

    [Fact]
    public void Replay_OfTheJournal_GivesTheSameDecisions()
    {
        var journal = new List<EngineCall>();
        var engine = new PlacementEngine(TestFleet.Mixed(60)) { Journal = journal.Add };
        string live = Drive(engine, 250);

        var replayed = new PlacementEngine(TestFleet.Mixed(60));
        string again = string.Join('\n', journal.Select(replayed.Replay).OfType<PlacementDecision>().Select(Describe));

        Assert.Equal(live, again);
        Assert.Equal(Enumerable.Range(0, 60).Select(node => engine.State.Gpus(node)), Enumerable.Range(0, 60).Select(node => replayed.State.Gpus(node)));
    }

    [Fact]
    public void Place_MigProfiles_FillDevicesWithoutOverlap()
    {
        var engine = new PlacementEngine(new FleetCatalog([new NodeSpec("mig", "H100", 2, 64000, 262144, Mig: true)]));
        var used = new Dictionary<int, int>();
        int placed = 0;
        for (int job = 0; job < 20; job++)
        {
            PlacementDecision decision = engine.Place(new PlacementRequest($"job-{job}", new ResourceAsk(1000, 1024, 1, MigProfile: "2g.20gb")), Noon);
            if (decision.IsPlaced)
            {
                placed++;
                int mask = 3 << decision.Assignments[0].MigStart;
                int device = decision.Assignments[0].Devices[0];
                Assert.Equal(0, used.GetValueOrDefault(device) & mask);
                used[device] = used.GetValueOrDefault(device) | mask;
            }
        }

        Assert.Equal(6, placed); // three a device: seven compute slices
        Assert.True(engine.Release("job-0", Noon));
        Assert.True(engine.Place(new PlacementRequest("again", new ResourceAsk(1000, 1024, 1, MigProfile: "1g.10gb")), Noon).IsPlaced);
    }

    private static void Hold(PlacementEngine engine, PlacementRequest request, DateTimeOffset now, bool placed = true)
    {
        PlacementDecision decision = engine.Place(request, now);
        Assert.Equal(placed, decision.IsPlaced);
        if (placed)
        {
            Assert.Equal(CommitResult.Committed, engine.Commit(decision.Token, now));
        }
    }

    private static string Drive(PlacementEngine engine, int steps)
    {
        var random = new SplitMix(21);
        var decisions = new List<string>();
        for (int step = 0; step < steps; step++)
        {
            DateTimeOffset now = Noon.AddSeconds(step * 7);
            var ask = new ResourceAsk(500 * (1 + random.Next(12)), 2048, 1, random.Next(2) == 0 ? 1000 : 100 * (1 + random.Next(9)));
            PlacementDecision decision = engine.Place(new PlacementRequest($"job-{step}", ask) { Replicas = 1 + random.Next(3), Priority = random.Next(3), MayPreempt = random.Next(4) == 0, MoveBudget = random.Next(2) }, now);
            decisions.Add(Describe(decision));
            if (decision.IsPlaced && random.Next(5) > 0)
            {
                engine.Commit(decision.Token, now);
            }

            if (random.Next(6) == 0)
            {
                engine.Release($"job-{random.Next(step + 1)}", now);
            }

            if (random.Next(20) == 0)
            {
                engine.SetCondition($"node-{random.Next(60)}", new NodeCondition((NodeFilter)random.Next(4), 0, (byte)random.Next(8)));
            }
        }

        return string.Join('\n', decisions);
    }

    private static string Describe(PlacementDecision decision) =>
        $"{decision.Job} {decision.Outcome} {decision.Reason} {string.Join(';', decision.Assignments.Select(one => $"{one.Node}:{string.Join('-', one.Devices)}"))} "
        + $"{string.Join(';', decision.Moves.Select(move => $"{move.Job}:{move.From}>{move.To}"))} {string.Join(';', decision.Evictions.Select(one => one.Job))} {decision.CostPerGpuHour:R} {decision.Version} {decision.Token} "
        + string.Join(';', decision.Why.Terms.Select(term => $"{term.Name}={term.Value:R}")) + string.Join(';', decision.Why.RunnersUp.Select(other => other.Node));
}
