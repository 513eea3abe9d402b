using static NodeAgent.Tsdb.Tests.Make;

namespace NodeAgent.Tsdb.Tests.Head;

public sealed class AppendTests
{
    [Fact]
    public void Append_RowsInOrder_AreReadBackAcrossHeadAndBlocks()
    {
        using MemoryStore store = Store(headRows: 8);
        SchemaHandle schema = store.Schema("n", "s", Gauge("a"), Gauge("b"));
        for (int i = 0; i < 30; i++)
        {
            Assert.Equal(AppendResult.Appended, store.Row(schema, Start + i, i, i % 2 == 0 ? null : -i));
        }

        Assert.Equal(string.Join(' ', Enumerable.Range(0, 30).Select(i => $"{i}={i}")), store.Samples(schema.Series[0]));
        Assert.Equal(string.Join(' ', Enumerable.Range(0, 15).Select(i => $"{(2 * i) + 1}=-{(2 * i) + 1}")), store.Samples(schema.Series[1]));
        Assert.Equal("7=7 8=8 9=9", store.Samples(schema.Series[0], Start + 7, Start + 9));
        Assert.Equal(45, store.Stats().Samples);
        Assert.Equal(Start + 29, schema.NewestUnixMs);
    }

    [Fact]
    public void Append_SameTimeInHead_TheLaterValuesWinAndAbsentOnesKeepTheEarlier()
    {
        using MemoryStore store = Store();
        SchemaHandle schema = store.Schema("n", "s", Gauge("a"), Gauge("b"), Gauge("c"));
        store.Row(schema, Start, 1, 2, null);
        Assert.Equal(AppendResult.Duplicate, store.Row(schema, Start, 10, null, 30));
        Assert.Equal(["0=10", "0=2", "0=30"], schema.Series.Select(series => store.Samples(series)));
        Assert.Equal((3, 1), (store.Stats().Samples, store.Stats().RowsDuplicate));
    }

    [Fact]
    public void Append_OlderThanTheNewestButInHead_IsSortedIn()
    {
        using MemoryStore store = Store(headRows: 64);
        SchemaHandle schema = FilledPastFirstBlock(store, out int next);
        store.Row(schema, Start + (10 * next), 1);
        store.Row(schema, Start + (10 * (next + 2)), 3);
        Assert.Equal(AppendResult.OutOfOrder, store.Row(schema, Start + (10 * (next + 1)), 2));
        Assert.EndsWith($"{10 * next}=1 {10 * (next + 1)}=2 {10 * (next + 2)}=3", store.Samples(schema.Series[0]));
        Assert.Equal(1, store.Stats().RowsOutOfOrder);
    }

    [Fact]
    public void Append_OlderThanTheHead_IsKeptAsideAndMergedWhenRead()
    {
        using MemoryStore store = Store(headRows: 8);
        SchemaHandle schema = store.Schema("n", "s", Gauge("a"));
        for (int i = 0; i < 40; i++)
        {
            store.Row(schema, Start + (i * 10), i);
        }

        Assert.Equal(AppendResult.Late, store.Row(schema, Start + 15, 1.5));
        Assert.Equal(AppendResult.Late, store.Row(schema, Start + 20, 200)); // also in a closed block: the later write wins
        Assert.Equal(AppendResult.Late, store.Row(schema, Start - 5, -1));
        Assert.Equal(AppendResult.Duplicate, store.Row(schema, Start + 15, 1.75));
        Assert.Equal("-5=-1 0=0 10=1 15=1.75 20=200 30=3", store.Samples(schema.Series[0], to: Start + 30));
        Assert.Equal((3, 1), (store.Stats().RowsLate, store.Stats().RowsDuplicate));
    }

    [Fact]
    public void Append_NewestRowAgainAfterItsHeadClosed_IsADuplicateAndHeldOnce()
    {
        using MemoryStore store = Store(headRows: 64);
        SchemaHandle schema = FilledPastFirstBlock(store, out int next);
        long newest = Start + (10 * (next - 1));
        Assert.Equal(AppendResult.Duplicate, store.Row(schema, newest, next - 1));
        Assert.Equal(next, store.Stats().Samples);
        Assert.Equal(AppendResult.Late, store.Row(schema, newest, 99)); // another value: it must win
        Assert.EndsWith($"{newest - Start}=99", store.Samples(schema.Series[0]));
    }

    [Fact]
    public void Append_OutsideTheAcceptedTimes_IsRefusedAndCounted()
    {
        using MemoryStore store = Store(retentionMs: 60_000);
        SchemaHandle schema = store.Schema("n", "s", Gauge("a"));
        store.Maintain(Start);
        Assert.Equal(AppendResult.TooOld, store.Row(schema, Start - 60_001, 1));
        Assert.Equal(AppendResult.Appended, store.Row(schema, Start - 60_000, 1));
        Assert.Equal(AppendResult.Appended, store.Row(schema, Start + 300_000, 1));
        Assert.Equal(AppendResult.TooNew, store.Row(schema, Start + 300_001, 1));
        StoreStats stats = store.Stats();
        Assert.Equal((1, 1, 2), (stats.RowsTooOld, stats.RowsTooNew, stats.RowsTotal));
    }

    [Fact]
    public void Append_StrayPresenceBitsBeyondTheColumns_AreNotCounted()
    {
        using MemoryStore store = Store();
        SchemaHandle schema = store.Schema("n", "s", Gauge("a"), Gauge("b"));
        store.Append(schema, Start, [1, 2], [ulong.MaxValue]);
        Assert.Equal(2, store.Stats().Samples);
    }

    [Fact]
    public void Append_WrongLength_NamesSchemaAndLengths()
    {
        using MemoryStore store = Store();
        SchemaHandle schema = store.Schema("n", "cpu", Gauge("a"));
        ArgumentException error = Assert.Throws<ArgumentException>(() => store.Append(schema, Start, [1, 2], [3]));
        Assert.Equal("Schema cpu of n has 1 columns; the row has 2 values and 1 presence words.", error.Message);
    }

    [Theory]
    [MemberData(nameof(Seeds.Many), MemberType = typeof(Seeds))]
    public void Append_AnyOrderAndAnyDuplicates_ReadsAsTheLastWritePerTime(int seed)
    {
        Random random = new(seed);
        using MemoryStore store = Store(headRows: 8 + random.Next(8));
        SchemaHandle schema = store.Schema($"node{seed}", "s", Gauge("a"), Gauge("b"));
        SortedDictionary<long, double>[] expected = [[], []];
        long newest = Start;
        long accepted = 0;
        for (int i = 0; i < 400; i++)
        {
            long time = random.Next(10) switch { 0 => newest - random.Next(2_000), 1 => newest, _ => newest + random.Next(1, 20) };
            newest = Math.Max(newest, time);
            double?[] row = [random.Next(5) == 0 ? null : i, random.Next(2) == 0 ? null : i + 0.5];
            store.Row(schema, time, row);
            for (int column = 0; column < 2; column++)
            {
                if (row[column] is { } value)
                {
                    expected[column][time] = value;
                    accepted++;
                }
            }

            if (i % 50 == 49)
            {
                Assert.Equal(Text(expected[0]), store.Samples(schema.Series[0]));
                Assert.Equal(Text(expected[1]), store.Samples(schema.Series[1]));
            }
        }

        StoreStats stats = store.Stats();
        Assert.Equal(400, stats.RowsTotal);
        Assert.InRange(stats.Samples, expected.Sum(column => column.Count), accepted);
    }

    [Fact]
    public void Append_ManyNodesInStep_DoNotCloseTheirHeadsInTheSameTick()
    {
        const int Nodes = 500;
        const int HeadRows = 64;
        using MemoryStore store = Store(HeadRows);
        SchemaHandle[] schemas = [.. Enumerable.Range(0, Nodes).Select(i => store.Schema($"node-{i:D4}", "cpu", Gauge("a")))];
        int worst = 0;
        long blockBytes = 0;
        for (int tick = 0; tick < HeadRows * 3; tick++)
        {
            int closed = 0;
            foreach (SchemaHandle schema in schemas)
            {
                store.Row(schema, Start + (tick * 1_000), tick);
                long now = store.Stats().BlockBytes;
                closed += now > blockBytes ? 1 : 0;
                blockBytes = now;
            }

            worst = Math.Max(worst, closed);
        }

        // 500 over 64 ticks are 8 a tick; three times that leaves room for an uneven hash, and is far from 500.
        Assert.InRange(worst, 1, 24);
    }

    /// <summary>A schema whose first, shorter block is closed: the next ones fit the head. Rows are 10 ms apart.</summary>
    private static SchemaHandle FilledPastFirstBlock(MemoryStore store, out int next)
    {
        SchemaHandle schema = store.Schema("n", "s", Gauge("a"));
        next = 0;
        while (store.Stats().BlockBytes == 0)
        {
            store.Row(schema, Start + (10 * next), next);
            next++;
        }

        return schema;
    }

    private static string Text(SortedDictionary<long, double> samples) =>
        string.Join(' ', samples.Select(sample => $"{sample.Key - Start}={sample.Value}"));
}
