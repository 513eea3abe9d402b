using System.Text.Json;
using NodeAgent.Aggregator.Placement;
using NodeAgent.Journal.Files;
using NodeAgent.Placement.Engine;
using NodeAgent.Placement.Requests;
using NodeAgent.Testing.Disk;

namespace NodeAgent.Aggregator.Tests.Placement;

public sealed class PlacementJournalTests : IDisposable
{
    private readonly PlacementBench _bench = new();

    public void Dispose() => _bench.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Start_AfterACrash_HasTheSameJobsAndTokens(bool cutPower)
    {
        Fleet();
        _bench.Run("a");
        _bench.Run("gang", PlacementBench.OneGpu with { GpuCount = 4 }, replicas: 3);
        PlacementDecision held = _bench.Desk.Place(new PlacementRequest("held", PlacementBench.OneGpu));
        _bench.Run("b"); // its commit makes all before it durable
        _bench.Desk.Cordon("n2", true);
        string before = _bench.Jobs();

        _bench.Kill(cutPower);
        Assert.Equal(before, _bench.Jobs());
        Assert.Equal(["n2"], _bench.Desk.Books().Cordoned);
        Assert.Equal((CommitResult.Committed, "held"), _bench.Desk.Commit(held.Token));
        Assert.DoesNotContain("PlacementReplayDiffers", _bench.Events);
    }

    [Fact]
    public void Replay_OfALongRun_MakesEveryDecisionAgainBitForBit()
    {
        Fleet();
        List<string> live = [];
        var random = new NodeAgent.Placement.Values.SplitMix(11);
        for (int step = 0; step < 300; step++)
        {
            PlacementRequest request = new($"job-{step}", PlacementBench.OneGpu with { GpuCount = 1 << random.Next(4), CpuMilli = 1000 * (1 + random.Next(8)) })
            {
                Priority = random.Next(3), MayPreempt = random.Next(4) == 0, MoveBudget = random.Next(3), Replicas = 1 + random.Next(2),
            };
            PlacementDecision decision = _bench.Desk.Place(request);
            live.Add(JsonSerializer.Serialize(decision));
            if (decision.IsPlaced && random.Next(5) > 0)
            {
                _bench.Desk.Commit(decision.Token);
            }

            if (random.Next(3) == 0 && _bench.Desk.Books().Jobs is [{ } oldest, ..])
            {
                _bench.Desk.Release(oldest.Request.Job);
            }

            _bench.Pass(random.Next(8));
            Report(except: step % 50 == 0 ? "n1" : "");
        }

        string jobs = _bench.Jobs();
        _bench.Close();
        List<string> again = [];
        PlacementReplay replay = _bench.Replay((_, answer) =>
        {
            if (answer.Decision is { } decision)
            {
                again.Add(JsonSerializer.Serialize(decision));
            }
        });
        Assert.Equal(live, again);
        Assert.Equal((0L, 0L), (replay.Differences, replay.Unread));
        Assert.Equal(jobs, JsonSerializer.Serialize(replay.Engine!.PlacedJobs));
    }

    [Fact]
    public void Chapter_OfANewShape_LetsTheOldSegmentsGo()
    {
        Fleet();
        for (int round = 0; round < 40; round++)
        {
            for (int job = 0; job < 20; job++)
            {
                _bench.Run($"{round}-{job}", PlacementBench.OneGpu with { GpuMilli = 10, CpuMilli = 10, MemoryMiB = 1 });
                _bench.Desk.Release($"{round}-{job}");
            }

            _bench.Add($"more-{round}", gpus: 1);
            _bench.Pass();
            Report();
        }

        Assert.InRange(_bench.Disk.UsedBytes, 1, 4 * 128 << 10);
        _bench.Run("a");
        string jobs = _bench.Jobs();
        _bench.Kill(cutPower: true);
        Assert.Equal(jobs, _bench.Jobs());
    }

    [Fact]
    public void Start_JournalOfAnEngineThatDecidedOtherwise_KeepsEveryJobWhereItWas()
    {
        Fleet();
        _bench.Run("a");
        PlacedJob job = _bench.Desk.Books().Jobs.Single();
        string other = job.Assignments[0].Node == "n1" ? "n2" : "n1";
        PlacedJob elsewhere = job with { Assignments = [new Assignment(0, other, [5])] };
        _bench.Close();
        AppendOutcome(new CallOutcome([elsewhere], []));

        Assert.Equal((other, 5), (_bench.Desk.Books().Jobs.Single().Assignments[0].Node, _bench.Desk.Books().Jobs.Single().Assignments[0].Devices.Single()));
        Assert.Contains("PlacementReplayDiffers", _bench.Events);
        string token = _bench.Run("b").Token;
        _bench.Kill();
        Assert.Equal(2, _bench.Desk.Books().Jobs.Count);
        Assert.NotEqual(job.Token, token);
    }

    [Fact]
    public void DiskCall_FailsTheKth_LosesNothingThatWasAnswered()
    {
        long calls = Scenario(null, out _);
        Assert.True(calls > 20, $"only {calls} file calls");
        foreach (int length in new[] { 1, int.MaxValue })
        {
            for (long call = 1; call <= calls; call++)
            {
                Scenario(new DiskFault(DiskFaultKind.Error, call, Errno.InputOutput, length), out string problem);
                Assert.True(problem.Length == 0, $"call {call} x {length}: {problem}");
            }
        }
    }

    // Jobs come and go on a disk that fails; then the power is cut. What was answered must be so afterwards.
    private static long Scenario(DiskFault? fault, out string problem)
    {
        using PlacementBench bench = new();
        bench.Disk.Fault = fault;
        HashSet<string> certain = [];
        HashSet<string> gone = [];
        HashSet<string> unclear = [];
        bench.Add("n1");
        if (bench.TryOpen(out _) is not null)
        {
            for (int step = 0; step < 6; step++)
            {
                string job = $"j{step}";
                Try(() => bench.Run(job), () => certain.Add(job), () => unclear.Add(job));
                string old = $"j{step - 2}";
                if (certain.Contains(old) && step % 2 == 0)
                {
                    certain.Remove(old);
                    Try(() => bench.Desk.Release(old), () => gone.Add(old), () => unclear.Add(old));
                }

                if (step == 3)
                {
                    bench.Add("n2"); // a new chapter
                }

                bench.Pass();
                bench.Gpus("n1", [.. Enumerable.Range(0, 8).Select(number => new GpuSeries(number))]);
            }
        }

        long calls = bench.Disk.Calls;
        bench.Disk.Fault = null;
        bench.Kill(cutPower: true);
        string[] jobs = [.. bench.Desk.Books().Jobs.Select(job => job.Request.Job)];
        problem = string.Join(", ", certain.Except(jobs).Select(job => job + " is missing").Concat(gone.Intersect(jobs).Select(job => job + " is back"))
            .Concat(jobs.Except(certain).Except(unclear).Select(job => job + " came from nowhere")));
        return calls;

        static void Try(Action action, Action done, Action failed)
        {
            try
            {
                action();
                done();
            }
            catch (PlacementJournalException)
            {
                failed();
            }
        }
    }

    private void Fleet()
    {
        foreach (string name in new[] { "n1", "n2", "n3" })
        {
            _bench.Add(name);
        }
    }

    private void Report(string except = "")
    {
        foreach (string name in new[] { "n1", "n2", "n3" }.Where(name => name != except))
        {
            _bench.Gpus(name, [.. Enumerable.Range(0, 8).Select(number => new GpuSeries(number))]);
        }
    }

    private void AppendOutcome(CallOutcome outcome)
    {
        Assert.True(PlacementJournal.TryOpen(_bench.Options, _bench.Disk, _bench.Time, new PlacementReplay(), out PlacementJournal? journal, out _));
        journal.Append(PlacementRecordKind.Outcome, outcome);
        journal.Commit();
        journal.Dispose();
    }
}
