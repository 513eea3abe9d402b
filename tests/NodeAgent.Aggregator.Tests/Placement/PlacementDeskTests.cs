using NodeAgent.Aggregator.Placement;
using NodeAgent.Placement.Engine;
using NodeAgent.Placement.Plans;
using NodeAgent.Placement.Requests;

namespace NodeAgent.Aggregator.Tests.Placement;

public sealed class PlacementDeskTests : IDisposable
{
    private readonly PlacementBench _bench = new();

    public void Dispose() => _bench.Dispose();

    [Fact]
    public void Place_NoNodeKnown_SaysWhoIsSeenAndWhatIsMissing()
    {
        _bench.Add("n1").Inventory = null;
        FleetUnknownException refused = Assert.Throws<FleetUnknownException>(() => _bench.Desk.Place(new PlacementRequest("a", PlacementBench.OneGpu)));
        Assert.Equal("placement knows no node yet; 1 are seen, the first: n1: no inventory yet", refused.Message);
    }

    [Fact]
    public void Place_NodeThatJoined_IsUsedAndJobsStay()
    {
        _bench.Add("n1", gpus: 1);
        _bench.Run("a");
        Assert.Equal(PlacementOutcome.Wait, _bench.Desk.Place(new PlacementRequest("b", PlacementBench.OneGpu)).Outcome);
        string before = _bench.Jobs();

        _bench.Add("n2", gpus: 1);
        _bench.Pass();
        Assert.Equal(before, _bench.Jobs());
        Assert.Equal("n2", _bench.Run("b").Assignments.Single().Node);
    }

    [Fact]
    public void Place_NodeThatIsDownLateOrCordoned_TakesNothingAndSaysWhy()
    {
        _bench.Add("down").OpenStreams = 0;
        _bench.Add("late");
        _bench.Add("cordoned");
        _bench.Add("fine", gpus: 1);
        _bench.Fleet.Find("down")!.OpenStreams = 1;
        Assert.True(_bench.Desk.Cordon("cordoned", true));
        Assert.False(_bench.Desk.Cordon("nobody", true));
        _bench.Fleet.Find("down")!.OpenStreams = 0;
        _bench.Time.Advance(TimeSpan.FromSeconds(9));
        _bench.Live("fine", "cordoned");
        _bench.Gpus("fine", [new GpuSeries(0)]);
        _bench.Gpus("cordoned", [.. Enumerable.Range(0, 8).Select(number => new GpuSeries(number))]);

        Assert.Equal("fine", _bench.Run("a").Assignments.Single().Node);
        PlacementDecision second = _bench.Desk.Place(new PlacementRequest("b", PlacementBench.OneGpu));
        Assert.Equal(PlacementOutcome.Wait, second.Outcome);
        Assert.Equal(["gpu", "unavailable: cordoned", "unavailable: dead", "unavailable: stale"], second.Why.Rejected.Select(reject => reject.Reason).Order());

        Assert.True(_bench.Desk.Cordon("cordoned", false));
        Assert.Equal("cordoned", _bench.Run("b").Assignments.Single().Node);
    }

    [Fact]
    public void Books_NodeThatLostAGpu_ShowsTheJobAsLostUntilItIsBack()
    {
        _bench.Add("n1", gpus: 2);
        _bench.Run("pair", PlacementBench.OneGpu with { GpuCount = 2 });
        _bench.Pass(601);
        _bench.Gpus("n1", [new GpuSeries(0)]);
        Assert.Equal("node n1 has 1 GPUs now, device 1 is gone", Assert.Single(_bench.Desk.Books().Jobs).Lost);
        Assert.Contains("PlacementJobLost", _bench.Events);

        _bench.Gpus("n1", [new GpuSeries(0), new GpuSeries(1)]);
        _bench.Pass();
        Assert.Null(Assert.Single(_bench.Desk.Books().Jobs).Lost);
        Assert.Equal(PlacementOutcome.Wait, _bench.Desk.Place(new PlacementRequest("b", PlacementBench.OneGpu)).Outcome);
        Assert.True(_bench.Desk.Release("pair"));
    }

    [Fact]
    public void Books_AskedOften_LooksAtTheFleetOnceASecond()
    {
        _bench.Add("n1");
        Assert.Equal(1, _bench.Desk.Books().Nodes);
        _bench.Add("n2");
        Assert.Equal(1, _bench.Desk.Books().Nodes);
        _bench.Pass(1);
        Assert.Equal(2, _bench.Desk.Books().Nodes);
    }

    [Fact]
    public void PlaceBatch_OneRequestIsWrong_PlacesNone()
    {
        _bench.Add("n1");
        PlacementRequest fine = new("a", PlacementBench.OneGpu);
        Assert.Throws<ArgumentException>(() => _bench.Desk.PlaceBatch([fine, fine with { Job = "b", MinReplicas = 3 }], explain: false));
        Assert.Throws<ArgumentException>(() => _bench.Desk.PlaceBatch([fine, fine], explain: false));
        Assert.Empty(_bench.Desk.Books().Jobs);
    }

    [Fact]
    public void Commit_AskedAgain_AnswersTheSameAlsoAfterARestart()
    {
        _bench.Add("n1");
        string token = _bench.Run("a").Token;
        Assert.Equal((CommitResult.Committed, "a"), _bench.Desk.Commit(token));
        _bench.Kill();
        Assert.Equal((CommitResult.Committed, "a"), _bench.Desk.Commit(token));
        _bench.Desk.Release("a");
        Assert.Equal(CommitResult.Unknown, _bench.Desk.Commit(token).Result);
        _bench.Pass();
        _bench.Run("a");
        Assert.Equal(CommitResult.Unknown, _bench.Desk.Commit(token).Result);
    }

    [Fact]
    public void Apply_DrainPlan_EmptiesTheNode()
    {
        _bench.Add("n1", gpus: 4);
        _bench.Add("n2", gpus: 4);
        string node = _bench.Run("a").Assignments.Single().Node;
        _bench.Desk.Cordon(node, true);
        MovePlan plan = _bench.Desk.Ask().Engine.PlanDrain(node);
        Assert.True(plan.Complete);

        Assert.True(_bench.Desk.Apply(plan));
        Assert.NotEqual(node, Assert.Single(_bench.Desk.Books().Jobs).Assignments.Single().Node);
        Assert.False(_bench.Desk.Apply(plan));
    }

    [Fact]
    public void Place_ModelByAPartOfItsName_IsThatModel()
    {
        _bench.Add("a100", model: "NVIDIA A100-SXM4-80GB");
        _bench.Add("h100");
        Assert.Equal("h100", _bench.Run("a", PlacementBench.OneGpu with { Models = ["h100"] }).Assignments.Single().Node);
        Assert.Equal("a100", _bench.Run("b", PlacementBench.OneGpu with { Models = ["A100"] }).Assignments.Single().Node);
        Assert.Equal(PlacementOutcome.Refused, _bench.Desk.Place(new PlacementRequest("c", PlacementBench.OneGpu with { Models = ["B200"] })).Outcome);
    }

    [Fact]
    public void AdviseScale_AfterANewNodeAndARestart_StillKnowsWhatWasRefused()
    {
        _bench.Add("n1", gpus: 2);
        for (int refusal = 0; refusal < 3; refusal++)
        {
            Assert.False(_bench.Desk.Place(new PlacementRequest($"r{refusal}", PlacementBench.OneGpu with { GpuCount = 2 }) { Replicas = 2 }).IsPlaced);
        }

        double before = _bench.Desk.AdviseScale(TimeSpan.FromHours(1)).Single().AdmittedGpus;
        _bench.Add("n2", gpus: 2);
        _bench.Pass();
        Assert.Equal(before, _bench.Desk.AdviseScale(TimeSpan.FromHours(1)).Single().AdmittedGpus);
        _bench.Run("a");
        _bench.Kill();
        Assert.Equal((12.0, before), (before, _bench.Desk.AdviseScale(TimeSpan.FromHours(1)).Single().AdmittedGpus));
        _bench.Pass(4000);
        Assert.Empty(_bench.Desk.AdviseScale(TimeSpan.FromHours(1)));
    }
}
