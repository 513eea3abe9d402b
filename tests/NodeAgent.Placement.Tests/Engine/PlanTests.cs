using NodeAgent.Placement.Engine;
using NodeAgent.Placement.Fleet;
using NodeAgent.Placement.Plans;
using NodeAgent.Placement.Policies;
using NodeAgent.Placement.Requests;
using NodeAgent.Placement.Values;

namespace NodeAgent.Placement.Tests.Engine;

public sealed class PlanTests
{
    private static readonly DateTimeOffset Noon = TestFleet.Noon;

    [Fact]
    public void PlanDrain_Applied_EmptiesTheNodeAndKeepsEveryJob()
    {
        PlacementEngine engine = Filled(TestFleet.Hosts(8), 40);
        string before = Describe(engine);
        int held = engine.Allocations.Count;

        MovePlan plan = engine.PlanDrain("node-0");

        Assert.Equal(before, Describe(engine)); // a plan changes nothing
        Assert.True(plan.Complete, plan.Summary);
        Assert.True(engine.Apply(plan));
        Assert.Equal(-1, engine.Allocations.First(0));
        Assert.Equal(held, engine.Allocations.Count);
        Assert.False(engine.Apply(plan)); // its replicas are elsewhere now
        Assert.All(engine.Jobs.ToArray(), job => Assert.True(engine.Release(job, Noon)));
        Assert.Equal(0, engine.Allocations.Count);
    }

    [Fact]
    public void PlanDrain_NoRoomElsewhere_SaysWhatStays()
    {
        PlacementEngine engine = Filled(TestFleet.Hosts(1), 5);

        MovePlan plan = engine.PlanDrain("node-0");

        Assert.False(plan.Complete);
        Assert.Equal(5, plan.Unplaced.Count);
        Assert.Empty(plan.Moves);
        Assert.Throws<ArgumentException>(() => engine.PlanDrain("node-99"));
    }

    [Fact]
    public void PlanRoom_ForWholeHosts_MakesThemBySmallMoves()
    {
        PlacementEngine engine = Filled(TestFleet.Hosts(6), 24, PolicyName.Spread); // four on each
        var gang = new PlacementRequest("gang", new ResourceAsk(64000, 200_000, 8)) { Replicas = 2 };
        Assert.False(engine.Place(gang, Noon, dryRun: true).IsPlaced);

        MovePlan plan = engine.PlanRoom(gang);

        Assert.True(plan.Complete, plan.Summary);
        Assert.Equal(8, plan.Moves.Count);
        Assert.True(engine.Apply(plan));
        Assert.True(engine.Place(gang, Noon).IsPlaced);
    }

    [Fact]
    public void PlanRebalance_OfASpreadFleet_GainsAndKeepsItsBudget()
    {
        PlacementEngine engine = Filled(TestFleet.Hosts(6), 24, PolicyName.Spread);
        PlacementEngine packer = Filled(TestFleet.Hosts(6), 24, PolicyName.Spread, PolicyName.Blend);

        MovePlan plan = packer.PlanRebalance(movePrice: 20, budget: 10);

        Assert.InRange(plan.Moves.Count, 1, 10);
        Assert.True(plan.Gain > 0);
        Assert.Equal(plan.Moves, packer.PlanRebalance(movePrice: 20, budget: 10).Moves, (left, right) => left!.Job == right!.Job && left.To == right.To);
        Assert.Empty(packer.PlanRebalance(movePrice: 1e9).Moves);
        Assert.Equal(24, engine.Allocations.Count);
    }

    [Fact]
    public void WhatIf_MoreNodesOrFewer_AnswersWithoutChangingTheFleet()
    {
        PlacementEngine engine = Filled(TestFleet.Hosts(2), 16);
        string before = Describe(engine);
        var request = new PlacementRequest("new", new ResourceAsk(64000, 200_000, 8));
        NodeSpec added = TestFleet.Hosts(3).Nodes[2];

        Assert.False(engine.WhatIf([request], [], Noon)[0].IsPlaced);
        Assert.Equal("node-2", engine.WhatIf([request], [new Mutation.AddNodes([added])], Noon)[0].Assignments.Single().Node);
        Assert.False(engine.WhatIf([request], [new Mutation.AddNodes([added]), new Mutation.NodeDown("node-2")], Noon)[0].IsPlaced);
        Assert.True(engine.WhatIf([request with { Ask = new ResourceAsk(1000, 1000, 1) }], [new Mutation.JobEnds("job-3")], Noon)[0].IsPlaced);
        Assert.Equal(before, Describe(engine));
    }

    [Fact]
    public void AdviseScale_AfterRefusals_NamesShapeCountAndShadowPrice()
    {
        PlacementEngine engine = Filled(TestFleet.Hosts(1), 8);
        for (int job = 0; job < 10; job++)
        {
            Assert.False(engine.Place(new PlacementRequest($"refused-{job}", new ResourceAsk(8000, 16384, 2)), Noon).IsPlaced);
        }

        ScaleAdvice advice = engine.AdviseScale(Noon.AddHours(-1)).Single();

        Assert.Equal((3, 20.0, 8.0), (advice.Nodes, Math.Round(advice.AdmittedGpus, 6), Math.Round(advice.GpusPerNode, 6)));
        Assert.Empty(engine.AdviseScale(Noon.AddHours(1)));
    }

    [Fact]
    public void Pareto_OfABatch_MarksOnlyDominatedRows()
    {
        PlacementEngine engine = Filled(TestFleet.Mixed(40), 30);
        PlacementRequest[] requests = [.. Enumerable.Range(0, 20).Select(number => new PlacementRequest($"new-{number}", new ResourceAsk(4000, 8192, 1, number % 2 == 0 ? 1000 : 400)))];

        IReadOnlyList<ParetoRow> rows = engine.Pareto(requests, Noon);

        Assert.Equal(5, rows.Count);
        Assert.Contains(rows, row => !row.Dominated);
        Assert.Equal(30, engine.Allocations.Count);
    }

    private static PlacementEngine Filled(FleetCatalog catalog, int jobs, PolicyName policy = PolicyName.Value, PolicyName? later = null)
    {
        var engine = new PlacementEngine(catalog, new EngineOptions { Policy = later ?? policy });
        for (int job = 0; job < jobs; job++)
        {
            PlacementDecision decision = engine.Place(new PlacementRequest($"job-{job}", new ResourceAsk(4000, 8192, 1)) { Policy = policy }, Noon, explain: false);
            Assert.Equal(CommitResult.Committed, engine.Commit(decision.Token, Noon));
        }

        return engine;
    }

    private static string Describe(PlacementEngine engine) =>
        string.Join('\n', engine.Allocations.All().Select(number => $"{number} {engine.Allocations[number]}")) + string.Join('\n', Enumerable.Range(0, engine.State.Count).Select(node => engine.State.Gpus(node)));
}
