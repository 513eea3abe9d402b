using NodeAgent.Testing.Disk;
using NodeAgent.Testing.Processes;
using NodeAgent.Tsdb.Merging;
using NodeAgent.Tsdb.Query;
using NodeAgent.Tsdb.Segments;
using static NodeAgent.Tsdb.Tests.Make;

namespace NodeAgent.Tsdb.Tests.Formats;

/// <summary>
/// The bytes of version 1, frozen in tests/fixtures/formats/v1. The writer must go on making exactly these, and every later version must
/// go on reading them. <c>GOLDEN_UPDATE=1</c> writes files that are missing, and never changes one.
/// </summary>
public sealed class SegmentFixtureTests
{
    private const string Segments = "/store/segments";

    public static TheoryData<string> Names => ["segment-flushed.bin", "segment-window.bin", "segment-minute.bin", "segment-hour.bin"];

    [Theory]
    [MemberData(nameof(Names))]
    public void Writer_OfTheSameRows_MakesTheFrozenBytes(string name)
    {
        byte[] made = Make()[name].Bytes;
        string path = Fixture(name);
        if (!File.Exists(path) && Environment.GetEnvironmentVariable("GOLDEN_UPDATE") == "1")
        {
            File.WriteAllBytes(path, made);
        }

        Assert.True(File.ReadAllBytes(path).AsSpan().SequenceEqual(made), $"{name}: the writer no longer makes the bytes of version 1");
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Reader_OfTheFrozenBytes_VerifiesEveryRun(string name)
    {
        SegmentInfo info = Make()[name].Info;
        SimulatedDisk disk = new(1);
        disk.PutFile($"{Segments}/{info.FileName}", File.ReadAllBytes(Fixture(name)));
        Assert.True(SegmentFile.TryOpen(disk, Segments, info, out SegmentFile? file, out SegmentProblem? problem), problem?.Reason);
        ReadCounters counters = new();
        using SegmentCursor cursor = new(file, counters);
        int runs = 0;
        for (int page = 0; page < file.PageCount; page++)
        {
            foreach (RunEntry entry in cursor.EntriesOf(page).ToArray())
            {
                Assert.True(cursor.Verify(entry));
                runs++;
            }
        }

        Assert.True(runs >= 4);
    }

    [Fact]
    public void Reader_OfTheFrozenSamples_GivesThemBack()
    {
        SegmentInfo info = Make()["segment-flushed.bin"].Info;
        SimulatedDisk disk = new(1);
        disk.PutFile($"{Segments}/{info.FileName}", File.ReadAllBytes(Fixture("segment-flushed.bin")));
        Assert.True(SegmentFile.TryOpen(disk, Segments, info, out SegmentFile? file, out _));
        using SegmentCursor cursor = new(file, new ReadCounters());
        using SampleBuffer samples = new();
        using RunMerge runs = new();
        cursor.Read(metricId: 1, seriesId: 0, long.MinValue, long.MaxValue, samples, runs);
        Assert.Equal(Enumerable.Range(0, 200).Select(i => Temperature(i)), samples.Values.ToArray());
        Assert.Equal(Enumerable.Range(0, 200).Select(i => Start + 1 + (i * 1_000L)), samples.Times.ToArray());
    }

    [Fact]
    public void Numbers_OnDisks_AreThoseOfTheDescription()
    {
        Assert.Equal(1, SegmentFormat.Version);
        Assert.Equal((32, 128, 128, 0x7FFFFFFF), (SegmentFormat.HeaderBytes, SegmentFormat.TrailerBytes, SegmentFormat.PageEntries, SegmentFormat.TimeMetric));
        Assert.Equal([0, 1, 2], Enum.GetValues<SegmentKind>().Select(kind => (int)kind));
        Assert.Equal([0, 1, 2], Enum.GetValues<SegmentLevel>().Select(level => (int)level));
        Assert.Equal([0, 1], Enum.GetValues<RunPacking>().Select(packing => (int)packing));
        Assert.Equal("00000000000000ff.minute", SegmentName.Of(255, SegmentKind.Minute));
    }

    private static double Temperature(int i) => 40 + (i * 7 % 11);

    /// <summary>One store's life: a gauge, a counter with resets, full-precision ratios, a series with gaps; flushed, then merged.</summary>
    private static Dictionary<string, (SegmentInfo Info, byte[] Bytes)> Make()
    {
        SimulatedDisk disk = new(1);
        DurableStoreOptions options = new() { Directory = "/store", HasThreads = false, HeadRows = 64 };
        Assert.True(DurableStore.TryOpen(options, disk, TimeProvider.System, out DurableStore? store, out _));
        using DurableStore opened = store;
        SchemaHandle schema = store.Schema("n1", "gpu", Gauge("temperature", ("gpu", "0")), Counter("bytes_total"), Gauge("ratio"), Gauge("seldom"));
        for (int i = 0; i < 200; i++)
        {
            store.Row(schema, Start + 1 + (i * 1_000L), Temperature(i), (i % 90) * 1_000.0, Math.Sqrt(i), i % 5 == 0 ? i / 10.0 : null);
        }

        Assert.True(store.Flush());
        Dictionary<string, (SegmentInfo, byte[])> made = [];
        Take(SegmentKind.Raw, "segment-flushed.bin");
        Assert.True(store.MergeNow(new MergeJob(SegmentLevel.Window, Start, Start + MergePlanner.WindowMs, Pack: false)));
        Take(SegmentKind.Raw, "segment-window.bin");
        Take(SegmentKind.Minute, "segment-minute.bin");
        Take(SegmentKind.Hour, "segment-hour.bin");
        Assert.Equal(4, store.Match(Selector.All, 0, long.MaxValue).Length);
        return made;

        void Take(SegmentKind kind, string name)
        {
            SegmentInfo info = store.Segments.Current.All.Single(file => file.Info.Kind == kind).Info;
            made.Add(name, (info, disk.ReadFile($"{Segments}/{info.FileName}")));
        }
    }

    private static string Fixture(string name) => Path.Combine(Repository.Root, "tests", "fixtures", "formats", "v1", name);
}
