using NodeAgent.Ctl.Tests.Harness;
using NodeAgent.Ctl.Text;
using NodeAgent.V1;

namespace NodeAgent.Ctl.Tests.Commands;

public sealed class PlacementTests
{
    [Theory]
    [InlineData("place", "place", "train-7", "--gpus", "2", "--replicas", "2")]
    [InlineData("jobs", "jobs")]
    [InlineData("plan", "plan", "drain", "gpu-02")]
    [InlineData("policies", "what-if", "train-7", "--gpus", "2", "--compare")]
    [InlineData("scale", "scale")]
    public async Task Output_InEveryForm_IsAsAgreed(string name, params string[] command)
    {
        foreach (string form in new[] { "table", "wide", "json", "jsonl", "csv" })
        {
            Bench bench = new();
            Assert.Equal(ExitCode.Ok, await bench.RunAsync([.. command, "-o", form]));
            GoldenFile.Check($"{name}.{form}.txt", bench.Output);
        }
    }

    [Fact]
    public async Task Place_EveryOption_GoesIntoTheRequest()
    {
        Bench bench = new();
        await bench.RunAsync(
        [
            "place", "a", "--gpus", "1", "--gpu-milli", "250", "--cpu", "1.5", "--memory", "64GiB", "--model", "h100,h200", "--gpu-memory", "80G", "--nic", "1000", "--mig", "1g.10gb",
            "--replicas", "3", "--min-replicas", "2", "--within", "nvlink", "--max-per-node", "1", "--avoid", "b,c", "--priority", "7", "--tenant", "t", "--expected", "1h",
            "--checkpoint-every", "10m", "--bid", "2.5", "--preempt", "--moves", "4", "--policy", "spread",
        ]);
        Assert.Equal(
            new JobRequest
            {
                Job = "a", Gpus = 1, GpuMilli = 250, CpuMilli = 1500, MemoryMib = 65_536, Models = { "h100", "h200" }, MinGpuMemoryMib = 81_920, NicMbps = 1000, MigProfile = "1g.10gb",
                Replicas = 3, MinReplicas = 2, Required = TopologyLevel.NvlinkDomain, MaxPerNode = 1, AvoidJobs = { "b", "c" }, Priority = 7, Tenant = "t", ExpectedMs = 3_600_000,
                CheckpointEveryMs = 600_000, BidPerGpuHour = 2.5, MayPreempt = true, MoveBudget = 4, Policy = "spread",
            },
            bench.Fleet.Last<PlaceRequest>().Request);
        Assert.Equal("1f-2a", bench.Fleet.Last<CommitRequest>().Token);
    }

    [Fact]
    public async Task Place_DryRun_OnlyAsks()
    {
        Bench bench = new();
        Assert.Equal(ExitCode.Ok, await bench.RunAsync(["place", "a", "--gpus", "1", "--dry-run"]));
        Assert.IsType<WhatIfRequest>(Assert.Single(bench.Fleet.Requests));
        Assert.DoesNotContain("committed", bench.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Place_Hold_PrintsTheTokenAndCommitTakesIt()
    {
        Bench bench = new();
        Assert.Equal(ExitCode.Ok, await bench.RunAsync(["place", "a", "--hold"]));
        Assert.Contains("1f-2a", bench.Output, StringComparison.Ordinal);
        Assert.IsType<PlaceRequest>(Assert.Single(bench.Fleet.Requests));
        Assert.Equal(ExitCode.Ok, await bench.RunAsync(["commit", "1f-2a"]));
        Assert.Equal("1f-2a", bench.Fleet.Last<CommitRequest>().Token);
    }

    [Theory]
    [InlineData(CommitVerdict.Expired, "expired")]
    [InlineData(CommitVerdict.Conflict, "out of service")]
    [InlineData(CommitVerdict.Unknown, "no place is held under 'x'")]
    public async Task Commit_ThatFails_SaysWhy(CommitVerdict verdict, string why)
    {
        Bench bench = new();
        bench.Fleet.CommitAnswer = new CommitResponse { Verdict = verdict };
        Assert.Equal(ExitCode.Failure, await bench.RunAsync(["commit", "x"]));
        Assert.Contains(why, bench.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Place_NoRoom_IsAFailureWithReasons()
    {
        Bench bench = new();
        bench.Fleet.PlaceAnswer = new PlaceResponse { Decision = new Decision { Job = "a", Outcome = PlacementOutcome.Wait, Reason = "no room for 1 x 8 GPUs now", Why = SamplePlacement.Placed().Why } };
        Assert.Equal(ExitCode.Failure, await bench.RunAsync(["place", "a", "--gpus", "8", "--format", "slurm"]));
        Assert.Contains("wait: no room for 1 x 8 GPUs now", bench.Output, StringComparison.Ordinal);
        Assert.Contains("fits with cpu <= 9,800m", bench.Output, StringComparison.Ordinal);
        Assert.Empty(bench.Fleet.Requests.OfType<CommitRequest>());
    }

    [Fact]
    public async Task Place_FormatsOfOtherSchedulers_AreTheirs()
    {
        Bench bench = new();
        await bench.RunAsync(["place", "a", "--format", "slurm"]);
        Assert.Equal("gpu-[01-02]\n", bench.Output);

        Bench ranking = new();
        await ranking.RunAsync(["place", "a", "--format", "k8s"]);
        Assert.Equal("""[{"Host":"gpu-02","Score":10},{"Host":"gpu-01","Score":9},{"Host":"gpu-03","Score":0}]""" + "\n", ranking.Output);
        Assert.IsType<RankNodesRequest>(Assert.Single(ranking.Fleet.Requests));
    }

    [Fact]
    public async Task PlanDrain_Applied_ClosesTheNodeFirst()
    {
        Bench bench = new();
        Assert.Equal(ExitCode.Ok, await bench.RunAsync(["plan", "drain", "gpu-02", "--apply"]));
        Assert.Equal([typeof(CordonRequest), typeof(PlanDrainRequest), typeof(ApplyRequest)], bench.Fleet.Requests.Select(request => request.GetType()));
        Assert.Equal(SamplePlacement.PlanDrain(), bench.Fleet.Last<ApplyRequest>().Plan);

        Bench dry = new();
        await dry.RunAsync(["plan", "rebalance", "--move-price", "50", "--budget", "3", "--steps", "9"]);
        Assert.Equal(new PlanRebalanceRequest { MovePriceMilli = 50, Budget = 3, Steps = 9 }, Assert.Single(dry.Fleet.Requests));
    }

    [Fact]
    public async Task PlanRoom_NotReached_IsAFailure()
    {
        Bench bench = new();
        Assert.Equal(ExitCode.Failure, await bench.RunAsync(["plan", "room", "train-7", "--gpus", "8"]));
        Assert.Contains("no place for train-7", bench.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task WhatIf_Changes_GoIntoTheRequest()
    {
        Bench bench = new();
        await bench.RunAsync(["what-if", "a", "--node-down", "n1,n2", "--cordon", "n3", "--job-ends", "old", "--add-nodes", "gpu-01:4"]);
        Assert.Equal(
            [
                new Mutation { JobEnds = "old" }, new Mutation { AddNodes = new Mutation.Types.AddNodes { Like = "gpu-01", Count = 4 } }, new Mutation { NodeDown = "n1" },
                new Mutation { NodeDown = "n2" }, new Mutation { Cordon = "n3" },
            ],
            bench.Fleet.Last<WhatIfRequest>().Mutations);
    }

    [Theory]
    [InlineData("place a --gpus 9", "--gpus: '9' is no whole number from 0 to 8")]
    [InlineData("place a --cpu x", "--cpu: 'x' cannot be read. Write 4, 0.5 or 500m")]
    [InlineData("place a --memory 5XB", "--memory: '5XB' cannot be read. Write 64GiB")]
    [InlineData("place a --bid x", "--bid: 'x' is no amount of money")]
    [InlineData("place a --dry-run --hold", "exclude each other")]
    [InlineData("plan drain n --dry-run --apply", "exclude each other")]
    [InlineData("what-if a --add-nodes gpu-01", "'gpu-01' is no node and count. Write gpu-01:4")]
    public async Task Arguments_ThatCannotBeRead_SayWhatWouldBe(string line, string error)
    {
        Bench bench = new();
        Assert.Equal(ExitCode.Usage, await bench.RunAsync(line.Split(' ')));
        Assert.Contains(error, bench.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ReleaseAndCordon_DoWhatTheySay()
    {
        Bench bench = new();
        await bench.RunAsync(["release", "a", "--dry-run"]);
        Assert.IsType<ListJobsRequest>(Assert.Single(bench.Fleet.Requests));
        await bench.RunAsync(["release", "a"]);
        Assert.Equal("a", bench.Fleet.Last<ReleaseRequest>().Job);
        await bench.RunAsync(["cordon", "gpu-01"]);
        Assert.Equal(new CordonRequest { Node = "gpu-01", Cordoned = true }, bench.Fleet.Last<CordonRequest>());
        await bench.RunAsync(["cordon", "gpu-01", "--off"]);
        Assert.Equal(new CordonRequest { Node = "gpu-01" }, bench.Fleet.Last<CordonRequest>());
    }

    [Theory]
    [InlineData("", "")]
    [InlineData("a", "a")]
    [InlineData("gpu-01,gpu-02,gpu-03,gpu-07", "gpu-[01-03,07]")]
    [InlineData("gpu-9,gpu-10,gpu-11", "gpu-9,gpu-[10-11]")]
    [InlineData("b2,a1,b1,a1", "a1,b[1-2]")]
    [InlineData("n1234567890123456789", "n1234567890123456789")]
    public void HostList_Names_AreCompressed(string names, string expected) => Assert.Equal(expected, HostList.Compress(names.Split(',', StringSplitOptions.RemoveEmptyEntries)));
}
