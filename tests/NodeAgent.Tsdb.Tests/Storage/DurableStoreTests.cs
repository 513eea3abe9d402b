using NodeAgent.Journal.Files;
using NodeAgent.Testing.Disk;
using NodeAgent.Tsdb.Merging;
using NodeAgent.Tsdb.Query;
using NodeAgent.Tsdb.Segments;
using static NodeAgent.Tsdb.Tests.Make;

namespace NodeAgent.Tsdb.Tests.Storage;

public sealed class DurableStoreTests
{
    private const long Hour = 3_600_000;
    private const long Day = 24 * Hour;

    [Fact]
    public void DurableThrough_RowsInOpenHeads_HoldTheLogBack()
    {
        using DurableStore store = Open(new SimulatedDisk(1));
        SchemaHandle a = store.Schema("a", "s", Gauge("x"));
        SchemaHandle b = store.Schema("b", "s", Gauge("x"));
        store.Append(a, Start, [1], [1], walId: 5);
        store.Append(b, Start, [1], [1], walId: 7);
        Assert.Equal(4UL, store.DurableThrough(9));
        Assert.True(store.Flush());
        Assert.Equal(9UL, store.DurableThrough(9));
        store.Append(b, Start + 1, [2], [1], walId: 10);
        Assert.Equal(9UL, store.DurableThrough(12));
    }

    [Fact]
    public void TryReadNewest_AtAnyTime_IsTheNewestOfHeadsAndFiles()
    {
        SimulatedDisk disk = new(1);
        using (DurableStore store = Open(disk))
        {
            SchemaHandle schema = store.Schema("a", "s", Gauge("x"));
            store.Append(schema, Start, [1], [1], walId: 5);
            AssertNewest(store, schema.Series[0], Start, 1);
            store.DurableThrough(5);
            Assert.True(store.Flush());
        }

        using DurableStore again = Open(disk);
        SeriesInfo series = again.Select(Selector.All, 0, long.MaxValue, 10).Series[0];
        AssertNewest(again, series, Start, 1);
        again.Append(again.Schema("a", "s", Gauge("x")), Start + 1000, [2], [1], walId: 6);
        AssertNewest(again, series, Start + 1000, 2);

        static void AssertNewest(DurableStore store, SeriesInfo series, long unixMs, double value)
        {
            using ISampleReader reader = store.OpenReader();
            Assert.True(reader.TryReadNewest(series, long.MaxValue, out long foundUnixMs, out double found));
            Assert.Equal((unixMs, value), (foundUnixMs, found));
        }
    }

    [Fact]
    public void Append_AfterARestart_RowsThatFilesHaveAreDuplicates()
    {
        SimulatedDisk disk = new(1);
        using (DurableStore store = Open(disk))
        {
            SchemaHandle schema = store.Schema("a", "s", Gauge("x"));
            store.Append(schema, Start, [1], [1], walId: 5);
            store.DurableThrough(5);
            Assert.True(store.Flush());
            store.Append(schema, Start + 1, [2], [1], walId: 6);
        }

        using DurableStore again = Open(disk);
        Assert.Equal(5UL, again.RecoveredWalId);
        SchemaHandle same = again.Schema("a", "s", Gauge("x"));
        Assert.Equal(AppendResult.Duplicate, again.Append(same, Start, [1], [1], walId: 5));
        Assert.Equal(AppendResult.Appended, again.Append(same, Start + 1, [2], [1], walId: 6));
        Assert.Equal("0=1 1=2", again.Samples(same.Series[0]));
    }

    [Fact]
    public void Flush_AnIdThatNobodyVouchedFor_IsNotCalledDurableForAReplay()
    {
        // Id 6 is in a file, id 5 is still on its way on another thread: a replay must not take 5 for stored.
        SimulatedDisk disk = new(1);
        using (DurableStore store = Open(disk))
        {
            store.Append(store.Schema("a", "s", Gauge("x")), Start + 1, [2], [1], walId: 6);
            Assert.True(store.Flush());
        }

        using DurableStore again = Open(disk);
        SchemaHandle same = again.Schema("a", "s", Gauge("x"));
        again.Append(same, Start, [1], [1], walId: 5);
        again.Append(same, Start + 1, [2], [1], walId: 6);
        Assert.Equal("0=1 1=2", again.Samples(same.Series[0]));
    }

    [Fact]
    public void Flush_FullDisk_KeepsTheRowsAndSucceedsWhenThereIsRoom()
    {
        SimulatedDisk disk = new(1);
        using DurableStore store = Open(disk);
        SchemaHandle schema = store.Schema("a", "s", Gauge("x"));
        store.Append(schema, Start, [1], [1], walId: 1);
        disk.CapacityBytes = disk.UsedBytes + 10;
        Assert.False(store.Flush());
        Assert.Equal(0UL, store.DurableThrough(1));
        Assert.Equal("0=1", store.Samples(schema.Series[0]));
        disk.CapacityBytes = long.MaxValue;
        Assert.True(store.Flush());
        Assert.Equal(1UL, store.DurableThrough(1));
        Assert.DoesNotContain(disk.Paths, path => path.EndsWith(".tmp", StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Damages))]
    public void Open_ADamagedSegment_IsSetAsideAndTheRestServed(string what, Action<SimulatedDisk, string> damage)
    {
        SimulatedDisk disk = new(1);
        string hurt;
        using (DurableStore store = Open(disk))
        {
            Fill(store, "a");
            hurt = Path.Combine(store.Segments.Directory, store.Segments.Current.All[0].Info.FileName);
            Fill(store, "b");
        }

        damage(disk, hurt);
        using DurableStore again = Open(disk);
        Assert.True(again.Segments.Counters.Quarantined.Count == 1, what);
        Assert.Single(again.Segments.Current.All);
        Assert.NotEmpty(again.Samples(again.Schemas("b")[0].Series[0]));
        Assert.Equal("", again.Samples(again.Schemas("a")[0].Series[0]));
        again.Dispose();
        using DurableStore third = Open(disk);
        Assert.Empty(third.Segments.Counters.Quarantined); // the manifest knows by now
    }

    public static TheoryData<string, Action<SimulatedDisk, string>> Damages => new()
    {
        { "truncated", (disk, path) => disk.TruncateFile(path, 100) },
        { "cut by a byte", (disk, path) => disk.TruncateFile(path, disk.ReadFile(path).Length - 1) },
        { "header", (disk, path) => disk.FlipBit(path, 3, 1) },
        { "trailer", (disk, path) => disk.FlipBit(path, disk.ReadFile(path).Length - 60, 1) },
        { "directory", (disk, path) => disk.FlipBit(path, disk.ReadFile(path).Length - SegmentFormat.TrailerBytes - 3, 1) },
        { "gone", (disk, path) => disk.RemoveFile(path) },
    };

    [Fact]
    public void Read_AnyFlippedBitOfTheData_LeavesOutAndCountsAndNeverLies()
    {
        SimulatedDisk disk = new(1);
        using DurableStore store = Open(disk);
        SchemaHandle schema = Fill(store, "a");
        string expected = store.Samples(schema.Series[0]);
        SegmentInfo info = store.Segments.Current.All[0].Info;
        string path = Path.Combine(store.Segments.Directory, info.FileName);
        int hurt = 0;
        for (int offset = SegmentFormat.HeaderBytes; offset < info.Length - SegmentFormat.TrailerBytes; offset++)
        {
            disk.FlipBit(path, offset, offset & 7);
            string found = store.Samples(schema.Series[0]);
            Assert.True(found == expected || found.Length == 0, $"bit flipped at {offset}: {found}");
            hurt += found.Length == 0 ? 1 : 0;
            disk.FlipBit(path, offset, offset & 7);
        }

        Assert.True(hurt > 20);
        Assert.True(store.Segments.Reads.Damaged >= hurt);
        Assert.Equal(expected, store.Samples(schema.Series[0]));
    }

    [Fact]
    public void Read_ADiskThatMisdirectsOnce_ReadsAgain()
    {
        SimulatedDisk disk = new(1);
        using DurableStore store = Open(disk);
        SchemaHandle schema = Fill(store, "a");
        disk.Fault = new DiskFault(DiskFaultKind.MisdirectedRead, disk.Calls + 1, 0);
        Assert.NotEmpty(store.Samples(schema.Series[0]));
        Assert.Equal((1, 0L), ((int)store.Segments.Reads.Reread, store.Segments.Reads.Damaged));
    }

    [Fact]
    public void Open_LeftoversOfACrash_AreRemovedAndCounted()
    {
        SimulatedDisk disk = new(1);
        using (DurableStore store = Open(disk))
        {
            Fill(store, "a");
        }

        disk.PutFile("/store/segments/00000000000000aa.raw.tmp", [1]);
        disk.PutFile("/store/segments/00000000000000ab.raw", [1]);
        using DurableStore again = Open(disk);
        Assert.Equal(2, again.Segments.Counters.Orphans);
        Assert.Single(disk.Paths, path => path.StartsWith("/store/segments/", StringComparison.Ordinal));
        Fill(again, "b"); // under a number that no leftover had
        Assert.Equal(2, again.Segments.Current.All.Length);
    }

    [Fact]
    public void Maintain_OverDays_MergesWindowsThenDaysAndKeepsEverySample()
    {
        SimulatedDisk disk = new(1);
        using DurableStore store = Open(disk);
        SchemaHandle schema = store.Schema("a", "s", Gauge("x"), Counter("y"));
        int minutes = 0;
        for (long now = Start + 60_000; now <= Start + Day + (2 * Hour); now += 60_000, minutes++)
        {
            store.Row(schema, now, minutes, minutes * 10.0);
            if (minutes % 100 == 50)
            {
                store.Row(schema, now - (50 * 60_000), -1, null); // late, over a value that is in a file
            }

            store.Maintain(now);
        }

        Assert.Equal(0, store.Segments.Counters.FailedMerges + store.Segments.Counters.FailedFlushes);
        SegmentInfo day = Assert.Single(store.Segments.Current.Raw.Select(file => file.Info), info => info.Level == SegmentLevel.Day);
        Assert.Equal((Start, Start + Day), (day.WindowStartUnixMs, day.WindowEndUnixMs));
        Assert.True(store.Segments.Current.All.Length < 20);
        string[] samples = store.Samples(schema.Series[0]).Split(' ');
        Assert.Equal(minutes, samples.Length);
        Assert.Equal(minutes / 100 + (minutes % 100 > 50 ? 1 : 0), samples.Count(sample => sample.EndsWith("=-1", StringComparison.Ordinal)));
    }

    [Fact]
    public void Maintain_RetentionByAge_DropsRawThenTiersAnswerThenTheyGo()
    {
        SimulatedDisk disk = new(1);
        DurableStoreOptions options = Options() with { MaxLateMs = Hour, RawRetentionMs = 26 * Hour, MinuteRetentionMs = 3 * Day, HourRetentionMs = 10 * Day };
        using DurableStore store = Open(disk, options);
        SchemaHandle schema = store.Schema("a", "s", Gauge("x"));
        for (long now = Start + 60_000; now <= Start + (4 * Hour); now += 60_000)
        {
            store.Maintain(now);
            store.Row(schema, now, 5);
        }

        Assert.True(store.Flush());
        store.Maintain(Start + (5 * Hour));
        store.Maintain(Start + (5 * Hour) + 1);
        store.Maintain(Start + (2 * Day));
        Assert.Empty(store.Segments.Current.Raw);
        Assert.Equal(240, store.Stats().SamplesEvictedByAge);
        QueryEngine engine = new(store, new QueryLimits(), TimeProvider.System);
        Assert.Equal(5.0, Assert.Single(engine.Instant(QueryParser.ParseExpression("avg_over_time(x[10m])"), Start + (2 * Hour) + 12_345, "t", default).Results).Value);
        Assert.Equal(5.0, Assert.Single(engine.Instant(QueryParser.ParseExpression("x"), Start + (2 * Hour), "t", default).Results).Value);
        store.Maintain(Start + (4 * Day));
        Assert.Empty(store.Segments.Current.Minute);
        Assert.Equal(60.0, Assert.Single(engine.Instant(QueryParser.ParseExpression("count_over_time(x[1h])"), Start + (2 * Hour), "t", default).Results).Value);
        store.Maintain(Start + (11 * Day));
        Assert.Empty(store.Segments.Current.All);
        store.Maintain(Start + (11 * Day) + 1);
        Assert.Equal(0, store.Stats().Series);
    }

    [Fact]
    public void Maintain_LittleRoomLeft_DropsTheOldestRawFirstAndRefusesRowsForThatTime()
    {
        SimulatedDisk disk = new(1);
        long free = long.MaxValue;
        using DurableStore store = Open(disk, Options() with { FreeBytes = () => free, MinFreeBytes = 1_000_000 });
        SchemaHandle schema = store.Schema("a", "s", Gauge("x"));
        store.Maintain(Start + 1);
        store.Row(schema, Start + 1, 1);
        Assert.True(store.Flush());
        store.Maintain(Start + (3 * Hour));
        store.Row(schema, Start + (3 * Hour), 2);
        Assert.True(store.Flush());
        free = 999_999;
        store.Maintain(Start + (3 * Hour) + 120_000);
        Assert.Equal((1L, 1), (store.Stats().SamplesEvictedByBytes, store.Segments.Current.Raw.Length));
        free = long.MaxValue;
        store.Maintain(Start + (3 * Hour) + 120_001);
        Assert.Equal(AppendResult.TooOld, store.Row(schema, Start + 2, 3));
        Assert.Equal("10800000=2", store.Samples(schema.Series[0]));
    }

    [Fact]
    public void Register_AfterForgettingAndARestart_NeverGivesAnIdTwice()
    {
        SimulatedDisk disk = new(1);
        int first;
        using (DurableStore store = Open(disk))
        {
            first = Fill(store, "a").Series[0].Id;
            store.Maintain(Start + (1_000 * Day));
            store.Maintain(Start + (1_000 * Day) + 1);
            Assert.Equal(0, store.Stats().Series);
            Fill(store, "b", Start + (1_000 * Day));
        }

        using DurableStore again = Open(disk);
        Assert.Equal(1, again.Stats().Nodes);
        Assert.True(again.Schema("c", "s", Gauge("x")).Series[0].Id > first + 1);
    }

    [Fact]
    public void TryOpen_TwiceAtOnce_IsRefused()
    {
        SimulatedDisk disk = new(1);
        using DurableStore store = Open(disk);
        Assert.False(DurableStore.TryOpen(Options(), disk, TimeProvider.System, out _, out Journal.OpenError? error));
        Assert.Equal(Journal.OpenFailure.Locked, error.Failure);
    }

    [Fact]
    public async Task Threads_WritersReadersFlushesAndMerges_NeverShowAHole()
    {
        SimulatedDisk disk = new(1);
        using DurableStore store = Open(disk, Options() with { HasThreads = true, FlushIntervalMs = 1 });
        SchemaHandle schema = store.Schema("a", "s", Gauge("x"));
        const int Rows = 1_500;
        int written = 0;
        Task writer = Task.Run(() =>
        {
            for (int i = 0; i < Rows; i++)
            {
                store.Row(schema, Start + 1 + (i * 2_000L), i);
                Volatile.Write(ref written, i + 1);
                if (i % 8 == 0)
                {
                    store.Maintain(Start + 1 + (i * 2_000L));
                }
            }
        });
        using ISampleReader reader = store.OpenReader();
        using SampleBuffer buffer = new();
        bool over;
        do
        {
            over = writer.IsCompleted;
            int least = Volatile.Read(ref written);
            buffer.Clear();
            reader.Read(schema.Series[0], long.MinValue, long.MaxValue, buffer);
            Assert.True(buffer.Count >= least, $"{buffer.Count} of {least}");
            for (int i = 0; i < buffer.Count; i++)
            {
                if (buffer.Values[i] != i)
                {
                    Assert.Fail($"sample {i} is {buffer.Values[i]}");
                }
            }
        }
        while (!over);

        await writer;
        Assert.Equal(Rows, buffer.Count);
        Assert.True(store.Flush()); // the threads may not have had a turn on a busy machine
        Assert.True(store.Segments.Counters.Flushes > 0);
    }

    private static SchemaHandle Fill(DurableStore store, string node, long start = Start)
    {
        SchemaHandle schema = store.Schema(node, "s", Gauge("x"), Gauge("z"));
        for (int i = 1; i <= 30; i++)
        {
            store.Row(schema, start + i, i * 1.5, i);
        }

        Assert.True(store.Flush());
        return schema;
    }

    private static DurableStoreOptions Options() => new() { Directory = "/store", HasThreads = false, HeadRows = 8 };

    private static DurableStore Open(SimulatedDisk disk, DurableStoreOptions? options = null)
    {
        bool opened = DurableStore.TryOpen(options ?? Options(), disk, TimeProvider.System, out DurableStore? store, out Journal.OpenError? error);
        Assert.True(opened, error?.ToString());
        return store!;
    }
}
