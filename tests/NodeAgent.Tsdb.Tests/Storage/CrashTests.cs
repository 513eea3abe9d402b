using NodeAgent.Journal.Files;
using NodeAgent.Testing.Disk;
using NodeAgent.Tsdb.Merging;
using NodeAgent.Tsdb.Segments;
using static NodeAgent.Tsdb.Tests.Make;

namespace NodeAgent.Tsdb.Tests.Storage;

/// <summary>
/// The same little life of a store (rows, late rows, duplicates, flushes, merges, a schema that changes), again and again, with another
/// file call going wrong each time. What the log may forget is only what the store called durable, so a sample that is missing at the
/// end was promised and lost.
/// </summary>
public sealed class CrashTests
{
    private const int Ticks = 60;
    private const int Parts = 8; // the calls are dealt out over so many test cases, which can run side by side

    public static TheoryData<int, int> SeedsAndParts
    {
        get
        {
            TheoryData<int, int> cases = [];
            for (int seed = 1; seed <= 2; seed++)
            {
                for (int part = 0; part < Parts; part++)
                {
                    cases.Add(seed, part);
                }
            }

            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(SeedsAndParts))]
    public void PowerCut_AtAnyFileCall_LosesNothingThatTheLogMayForget(int seed, int part) => AtEachCall(seed, part, (store, call) =>
    {
        store.Disk.Fault = new DiskFault(DiskFaultKind.Error, call, Errno.InputOutput, int.MaxValue);
        Live(store, seed);
        store.Restart(2);
        store.AssertHoldsAll($"after the restart, cut at call {call}");
        Assert.True(store.Store.Flush());
        store.Release();
        store.Restart(1);
        store.AssertHoldsAll($"after another restart, cut at call {call}");
    });

    [Theory]
    [MemberData(nameof(SeedsAndParts))]
    public void Kill_AtAnyFileCall_LosesNothingThatTheLogMayForget(int seed, int part) => AtEachCall(seed, part, (store, call) =>
    {
        store.Disk.Fault = new DiskFault(DiskFaultKind.Error, call, Errno.InputOutput, int.MaxValue);
        Live(store, seed);
        store.Restart(1);
        store.AssertHoldsAll($"after the restart, killed at call {call}");
    });

    [Theory]
    [MemberData(nameof(SeedsAndParts))]
    public void OneFailingCall_Anywhere_IsSurvivedWithoutARestart(int seed, int part) => AtEachCall(seed, part, (store, call) =>
    {
        DiskFaultKind kind = call % 2 == 0 ? DiskFaultKind.Error : DiskFaultKind.ShortWrite;
        store.Disk.Fault = new DiskFault(kind, call, call % 3 == 0 ? Errno.NoSpace : Errno.InputOutput);
        Live(store, seed);
        store.AssertHoldsAll($"while it lives, call {call} having failed");
        store.Restart((int)(call % 3));
        store.AssertHoldsAll($"after the restart, call {call} having failed");
    });

    [Fact]
    public void Life_WithoutFaults_FlushesMergesAndReleases()
    {
        using LoggedStore store = new(1, Options());
        Live(store, 1);
        Assert.True(store.Store.Segments.Counters.Flushes > 5);
        Assert.True(store.Store.Segments.Counters.Merges > 2);
        Assert.True(store.LoggedRows < Ticks, $"{store.LoggedRows} rows are still in the log");
        Assert.Contains(store.Store.Segments.Current.All, file => file.Info.Level == SegmentLevel.Day);
        store.AssertHoldsAll("at the end");
    }

    private static void AtEachCall(int seed, int part, Action<LoggedStore, long> act)
    {
        using LoggedStore healthy = new(seed, Options());
        long first = healthy.Disk.Calls + 1;
        Live(healthy, seed);
        long last = healthy.Disk.Calls;
        Assert.True(last > first + 100);
        for (long call = first + part; call <= last; call += Parts)
        {
            LoggedStore store = new(seed, Options());
            act(store, call);
            store.Disk.Fault = null;
            store.Dispose();
        }
    }

    private static DurableStoreOptions Options() => new() { Directory = "/store", HasThreads = false, HeadRows = 8 };

    /// <summary>Rows around midnight, so that windows and days end in between.</summary>
    private static void Live(LoggedStore store, int seed)
    {
        Random random = new(seed);
        for (int tick = 0; tick < Ticks; tick++)
        {
            for (int node = 0; node < 2; node++)
            {
                SchemaHandle schema = tick < 40 || node == 0
                    ? store.Store.Schema("n" + node, "s", Gauge("a"), Counter("b"))
                    : store.Store.Schema("n" + node, "s", Gauge("a"), Gauge("c"), Counter("b"));
                long time = Start - 30_000 + (tick * 1_000);
                double?[] row = [.. schema.Series.Select(_ => random.Next(6) == 0 ? (double?)null : random.Next(1_000) / 10.0)];
                store.Row(schema, time, row);
                if (random.Next(5) == 0)
                {
                    store.Row(schema, time - random.Next(20_000), [.. row.Select(value => value + 0.5)]);
                }
            }

            if (tick % 7 == 3)
            {
                store.Store.Flush();
                store.Release();
            }

            if (tick % 16 == 8)
            {
                store.Store.MergeNow(new MergeJob(SegmentLevel.Window, Start - MergePlanner.WindowMs, Start, Pack: false));
            }

            if (tick is 45 or 55)
            {
                store.Store.MergeNow(new MergeJob(SegmentLevel.Day, Start - MergePlanner.DayMs, Start, Pack: true));
            }
        }
    }
}
