using System.Globalization;
using NodeAgent.Journal.Files;
using NodeAgent.Testing.Disk;
using NodeAgent.Tsdb.Merging;
using NodeAgent.Tsdb.Query;
using NodeAgent.Tsdb.Segments;
using static NodeAgent.Tsdb.Tests.Make;

namespace NodeAgent.Tsdb.Tests.Storage;

/// <summary>What outlives what: schemas that replace each other, series that nobody feeds any more, logs that begin anew.</summary>
public sealed class IdentityTests
{
    private const long Minute = 60_000;
    private const long Hour = 60 * Minute;
    private static readonly Guid s_log = new(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11);

    [Fact]
    public void UseLog_AnotherLogThanBefore_TakesItsRowsThoughTheIdsAreSmall()
    {
        SimulatedDisk disk = new(1);
        FillAndFlush(disk, walId: 100);
        using DurableStore again = Open(disk);
        Assert.Equal(100UL, again.RecoveredWalId);
        Assert.True(again.UseLog(Guid.NewGuid(), 3));
        Assert.Equal(0UL, again.RecoveredWalId);
        Assert.Equal(AppendResult.Appended, again.Append(again.Schema("a", "s", Gauge("x")), Start + 1, [2], [1], walId: 2));
    }

    [Fact]
    public void UseLog_TheSameLogWithoutItsEnd_TakesTheIdsThatAreGivenAgain()
    {
        SimulatedDisk disk = new(1);
        FillAndFlush(disk, walId: 100);
        using (DurableStore again = Open(disk))
        {
            Assert.True(again.UseLog(s_log, 98));
            Assert.Equal(0UL, again.RecoveredWalId);
            again.Append(again.Schema("a", "s", Gauge("x")), Start + 1, [2], [1], walId: 99);
        }

        // Also the replay after the next crash knows: what stands in the manifest of the lost ids no longer holds.
        using DurableStore third = Open(disk);
        Assert.True(third.UseLog(s_log, 99));
        Assert.Equal(AppendResult.Appended, third.Append(third.Schema("a", "s", Gauge("x")), Start + 1, [2], [1], walId: 99));
        Assert.Equal("0=1 1=2", third.Samples(third.Schema("a", "s", Gauge("x")).Series[0]));
    }

    [Fact]
    public void UseLog_TheSameLog_KeepsWhatIsKnown()
    {
        SimulatedDisk disk = new(1);
        FillAndFlush(disk, walId: 100);
        using DurableStore again = Open(disk);
        Assert.True(again.UseLog(s_log, 100));
        Assert.Equal(100UL, again.RecoveredWalId);
        Assert.Equal(AppendResult.Duplicate, again.Append(again.Schema("a", "s", Gauge("x")), Start, [1], [1], walId: 100));
    }

    [Fact]
    public void Maintain_AHeadThatFillsSlowly_IsClosedWithAgeSoThatTheLogMayGo()
    {
        using DurableStore store = Open(new SimulatedDisk(1));
        SchemaHandle slow = store.Schema("a", "s", Gauge("x"));
        ulong walId = 0;
        for (long now = Start; now <= Start + Hour; now += Minute)
        {
            store.Append(slow, now, [1], [1], ++walId);
            store.DurableThrough(walId);
            store.Maintain(now);
        }

        Assert.InRange(store.DurableThrough(walId), walId - 20, walId);
    }

    [Fact]
    public void Churn_SchemasThatReplaceEachOther_LeaveOnlyNamesAndEverySampleIsFound()
    {
        SimulatedDisk disk = new(1);
        const int Jobs = 40;
        using (DurableStore store = Open(disk))
        {
            Churn(store, Jobs);
            Assert.InRange(store.Stats().Schemas, 1, 4);
            Assert.Equal(Jobs + 1, store.Stats().Series); // each job's, and the one that all schemas had
            Assert.InRange(store.Storage().InactiveSeries, Jobs - 4, Jobs);
            AssertJobs(store, Jobs, "while it lives");
        }

        using DurableStore again = Open(disk);
        again.Maintain(Start + (Jobs * 10 * Minute));
        again.Maintain(Start + (Jobs * 10 * Minute) + 1);
        Assert.InRange(again.Stats().Schemas, 1, 4);
        AssertJobs(again, Jobs, "after a restart");
        again.MergeNow(new MergeJob(SegmentLevel.Day, Start - 1 - MergePlanner.DayMs + 1, Start, Pack: false));
        again.MergeNow(new MergeJob(SegmentLevel.Day, Start, Start + MergePlanner.DayMs, Pack: true));
        AssertJobs(again, Jobs, "after a merge");
        SchemaHandle back = again.Schema("n", "s", Gauge("all"), Gauge("job", ("job", "3")));
        again.Row(back, Start + (Jobs * 10 * Minute), 1, 77);
        Assert.EndsWith("=77", again.Samples(back.Series[1]), StringComparison.Ordinal);
        Assert.True(again.Samples(back.Series[1]).Split(' ').Length > 1, "a series that came back has lost its past");
    }

    [Fact]
    public void Churn_ThenAManifestWrittenAnew_KeepsTheNamesOfSilentSeriesOverRestarts()
    {
        SimulatedDisk disk = new(1);
        const int Jobs = 30;
        using (DurableStore store = Open(disk))
        {
            Churn(store, Jobs);
            Assert.True(store.Segments.ShortenNow());
        }

        for (int life = 1; life <= 3; life++)
        {
            using DurableStore again = Open(disk);
            AssertJobs(again, Jobs, $"in life {life}, at once");
            again.Maintain(Start + (Jobs * 10 * Minute) + life);
            again.Maintain(Start + (Jobs * 10 * Minute) + life + Minute);
            Assert.InRange(again.Stats().Schemas, 1, 4);
            AssertJobs(again, Jobs, $"in life {life}, tended");
            Assert.True(again.Segments.ShortenNow());
        }
    }

    [Fact]
    public void Churn_BeyondTheBound_ForgetsTheLongestSilentForGoodAndCounts()
    {
        SimulatedDisk disk = new(1);
        DurableStoreOptions options = Options() with { MaxInactiveSeries = 10 };
        using (DurableStore store = Open(disk, options))
        {
            Churn(store, 40);
            Assert.InRange(store.Storage().InactiveSeries, 5, 10);
            Assert.InRange(store.Storage().SeriesForgotten, 25, 35);
            Assert.Empty(Find(store, 2));
            Assert.NotEmpty(Find(store, 38));

            // The same labels again: another identity, whose samples must be found after a restart too.
            SchemaHandle back = store.Schema("n", "s", Gauge("all"), Gauge("job", ("job", "2")));
            store.Append(back, Start + (401 * Minute), [1, 99], [3], walId: 5_000);
            store.DurableThrough(5_000);
            Assert.True(store.Flush());
        }

        using DurableStore again = Open(disk, options);
        Assert.Equal("24060000=99", again.Samples(Assert.Single(Find(again, 2))));
    }

    [Fact]
    public void Rate_OverATierMadeWhileTheSeriesWasAGauge_AnswersFromSamples()
    {
        using DurableStore store = Open(new SimulatedDisk(1));
        SchemaHandle gauge = store.Schema("a", "s", Gauge("x"));
        for (int second = 1; second <= 7_200; second++)
        {
            store.Row(gauge, Start + (second * 1_000L), second % 600);
        }

        Assert.True(store.Flush());
        Assert.True(store.MergeNow(new MergeJob(SegmentLevel.Window, Start, Start + (2 * Hour), Pack: false)));
        store.Schema("a", "s", Counter("x"));
        QueryEngine engine = new(store, new QueryLimits(), TimeProvider.System);
        double fromTier = engine.Instant(QueryParser.ParseExpression("increase(x[1h])"), Start + (2 * Hour), "t", default).Results[0].Value;
        double fromSamples = engine.Instant(QueryParser.ParseExpression("increase(x[3599999ms])"), Start + (2 * Hour), "t", default).Results[0].Value;
        Assert.Equal(fromSamples, fromTier, 1e-3 * fromSamples);
        Assert.True(fromTier > 3_000, $"{fromTier}");
    }

    private static void Churn(DurableStore store, int jobs)
    {
        ulong walId = 0;
        for (int job = 0; job < jobs; job++)
        {
            SchemaHandle schema = store.Schema("n", "s", Gauge("all"), Gauge("job", ("job", job.ToString(CultureInfo.InvariantCulture))));
            for (int minute = 0; minute < 10; minute++)
            {
                long now = Start + (((job * 10) + minute) * Minute) + 1;
                store.Append(schema, now, [minute, job], [3], ++walId);
                store.DurableThrough(walId);
                store.Maintain(now);
            }
        }

        store.Flush();
        store.Maintain(Start + (jobs * 10 * Minute));
        store.Maintain(Start + (jobs * 10 * Minute) + Minute);
        store.Maintain(Start + (jobs * 10 * Minute) + (2 * Minute));
    }

    private static void AssertJobs(DurableStore store, int jobs, string when)
    {
        for (int job = 0; job < jobs; job++)
        {
            string samples = store.Samples(Assert.Single(Find(store, job)));
            Assert.True(samples.Split(' ').Length == 10 && samples.Split(' ').All(sample => sample.EndsWith($"={job}", StringComparison.Ordinal)), $"{when}: job {job}: {samples}");
        }
    }

    private static SeriesInfo[] Find(DurableStore store, int job) => store.Match(Selector.Parse($"job{{job=\"{job}\"}}"), long.MinValue, long.MaxValue);

    private static void FillAndFlush(SimulatedDisk disk, ulong walId)
    {
        using DurableStore store = Open(disk);
        Assert.True(store.UseLog(s_log, 0));
        store.Append(store.Schema("a", "s", Gauge("x")), Start, [1], [1], walId);
        store.DurableThrough(walId);
        Assert.True(store.Flush());
    }

    private static DurableStoreOptions Options() => new() { Directory = "/store", HasThreads = false, HeadRows = 8 };

    private static DurableStore Open(SimulatedDisk disk, DurableStoreOptions? options = null)
    {
        Assert.True(DurableStore.TryOpen(options ?? Options(), disk, TimeProvider.System, out DurableStore? store, out Journal.OpenError? error), error?.ToString());
        return store;
    }
}
