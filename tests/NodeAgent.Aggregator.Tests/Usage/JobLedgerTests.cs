using NodeAgent.Aggregator.Tests.Placement;
using NodeAgent.Aggregator.Usage;
using NodeAgent.Journal;
using NodeAgent.Journal.Writing;
using NodeAgent.Testing;
using NodeAgent.Testing.Disk;

namespace NodeAgent.Aggregator.Tests.Usage;

/// <summary>Who held which GPU when, over restarts.</summary>
public sealed class JobLedgerTests
{
    private const long Minute = 60_000;

    private readonly SimulatedDisk _disk = new(3);
    private readonly SimulatedTime _time = new();

    [Fact]
    public void Job_ThatEnds_IsKnownFromItsStartToTheLookAfterItsEndAlsoAfterAPowerCut()
    {
        using (JobLedger ledger = Open())
        {
            ledger.Look([Held("a", 10, "n1", "u1", "u2")], 12);
            ledger.Look([Held("a", 10, "n1", "u1", "u2"), Held("b", 15, "n1", 0.5, "u3")], 20);
            ledger.Look([Held("b", 15, "n1", 0.5, "u3")], 30);
            Assert.Equal("a n1/u1 10-30 1; a n1/u2 10-30 1; b n1/u3 15-open 0.5", Text(ledger));
            ledger.Journal.Commit();
            _disk.CutPower();
        }

        using JobLedger again = Open();
        Assert.Equal("a n1/u1 10-30 1; a n1/u2 10-30 1; b n1/u3 15-open 0.5", Text(again));
        again.Look([], 40);
        Assert.Equal("a n1/u1 10-30 1; a n1/u2 10-30 1; b n1/u3 15-40 0.5", Text(again));
        Assert.Equal(0, again.Lost);
    }

    [Fact]
    public void Gpus_ThatAreNotKnownForAWhile_AreStillHeldByTheSameJob()
    {
        using JobLedger ledger = Open();
        ledger.Look([Held("a", 10, "n1", "u1")], 12);
        ledger.Look([Held("a", 10, "n1")], 20); // as after a restart: the node's readings have not come yet
        ledger.Look([Held("a", 10, "n1", "u1")], 30);
        Assert.Equal("a n1/u1 10-open 1", Text(ledger));
    }

    [Fact]
    public void Job_ThatMovesOrComesAgain_HoldsEachPlaceInItsTime()
    {
        using JobLedger ledger = Open();
        ledger.Look([Held("a", 10, "n1", "u1")], 12);
        ledger.Look([Held("a", 10, "n2", "u9")], 30);
        Assert.Equal("a n1/u1 10-30 1; a n2/u9 30-open 1", Text(ledger));
        ledger.Look([Held("a", 50, "n2", "u9")], 60); // another job of the same name, on the same GPU
        Assert.Equal("a n1/u1 10-30 1; a n2/u9 30-60 1; a n2/u9 50-open 1", Text(ledger));
    }

    [Fact]
    public void Look_AtPlacement_FollowsItsDecisions()
    {
        using PlacementBench bench = new();
        bench.Add("n1", gpus: 2);
        Assert.True(JobWatch.TryOpen("/jobs", bench.Disk, bench.Time, bench.Desk, out JobWatch? watch, out OpenError? error), error?.Message);
        using JobWatch opened = watch;
        long start = bench.Now;
        bench.Run("train");
        bench.Desk.Place(new NodeAgent.Placement.Requests.PlacementRequest("waits", PlacementBench.OneGpu)); // held, never committed: nobody uses it
        watch.Turn();
        bench.Pass(5);
        watch.Turn(); // too soon to look again
        bench.Desk.Release("train");
        bench.Pass(5);
        watch.Turn();
        JobSpan span = Assert.Single(watch.Ledger.Spans(0, long.MaxValue).SelectMany(group => group));
        Assert.Equal(("train", "n1", start, start + 10_000, 1.0), (span.Job, span.Node, span.FromUnixMs, span.UntilUnixMs, span.Share));
        Assert.NotEqual("", span.Uuid);
    }

    [Theory]
    [InlineData(0, 30, 0.5)]
    [InlineData(-100, 100, 1)]
    [InlineData(60, 90, 0)]
    [InlineData(15, 30, 0.25)]
    public void Part_OfAMinute_IsByTimeAndShare(int fromSecond, int untilSecond, double part)
    {
        JobSpan span = new("a", "n", "u", fromSecond * 1_000L, untilSecond * 1_000L, 1);
        Assert.Equal(part, span.PartOf(0, Minute), 12);
        Assert.Equal(part / 4, (span with { Share = 0.25 }).PartOf(0, Minute), 12);
    }

    private JobLedger Open()
    {
        JournalOptions options = JobLedger.OptionsIn("/state") with { Commit = CommitPolicy.None, SegmentBytes = 128 << 10, MaxBytes = 1 << 20 };
        Assert.True(JobLedger.TryOpen(options, _disk, _time, out JobLedger? ledger, out OpenError? error), error?.Message);
        return ledger;
    }

    private static HeldGpus Held(string job, long since, string node, params string[] uuids) => Held(job, since, node, 1, uuids);

    private static HeldGpus Held(string job, long since, string node, double share, params string[] uuids) => new(job, since, node, uuids, share);

    private static string Text(JobLedger ledger) => string.Join("; ", ledger.Spans(long.MinValue, long.MaxValue).SelectMany(group => group)
        .OrderBy(span => span.Job, StringComparer.Ordinal).ThenBy(span => span.FromUnixMs).ThenBy(span => span.Uuid, StringComparer.Ordinal)
        .Select(span => FormattableString.Invariant($"{span.Job} {span.Node}/{span.Uuid} {span.FromUnixMs}-{(span.IsOpen ? "open" : span.UntilUnixMs)} {span.Share}")));
}
