using NodeAgent.Tsdb.Query;
using static NodeAgent.Tsdb.Tests.Make;

namespace NodeAgent.Tsdb.Tests.Retention;

public sealed class RetentionTests
{
    private const long Minute = 60_000;

    [Fact]
    public void Maintain_OldBlocks_AreDroppedAndEverySampleCounted()
    {
        using MemoryStore store = Store(headRows: 8, retentionMs: 10 * Minute);
        SchemaHandle schema = store.Schema("n", "s", Gauge("a"), Gauge("b"));
        for (int i = 0; i < 30 * 60; i++)
        {
            store.Row(schema, Start + (i * 1_000), i, i % 2 == 0 ? i : null);
        }

        long now = Start + (30 * Minute);
        store.Maintain(now);
        StoreStats stats = store.Stats();
        int held = Held(store, schema);
        Assert.Equal((30 * 60) + (15 * 60), stats.SamplesTotal);
        Assert.Equal(stats.SamplesTotal, held + stats.SamplesEvictedByAge);
        Assert.Equal((held, 0L), (stats.Samples, stats.SamplesEvictedByBytes));

        // Whole blocks go, so what is left is younger than retention plus one block.
        Assert.InRange(stats.OldestUnixMs, now - (10 * Minute) - 8_000, now - (10 * Minute) + 1_000);
    }

    [Fact]
    public void Append_BeyondTheByteLimit_DropsTheOldestOfAllNodesAndCountsThem()
    {
        using MemoryStore store = Store(headRows: 8, maxBytes: 60_000);
        SchemaHandle[] schemas = [.. Enumerable.Range(0, 4).Select(i => store.Schema("n" + i, "s", Gauge("a"), Gauge("b")))];
        for (int i = 0; i < 2_000; i++)
        {
            foreach (SchemaHandle schema in schemas)
            {
                store.Row(schema, Start + (i * 1_000), i * 1.1, i);
            }
        }

        StoreStats stats = store.Stats();
        Assert.InRange(stats.Bytes, 50_000, 60_000);
        Assert.Equal(16_000, stats.SamplesTotal);
        Assert.Equal(stats.SamplesTotal, schemas.Sum(schema => Held(store, schema)) + stats.SamplesEvictedByBytes);
        Assert.Equal(0, stats.SamplesEvictedByAge);

        // Oldest first over all: what the nodes still hold begins within two blocks' length of each other.
        long[] oldest = [.. schemas.Select(schema => Oldest(store, schema))];
        Assert.InRange(oldest.Max() - oldest.Min(), 0, 16_000);
    }

    [Fact]
    public void Maintain_LimitBelowTheHeads_LeavesOnlyTheHeads()
    {
        using MemoryStore store = Store(headRows: 8, maxBytes: 1);
        SchemaHandle schema = store.Schema("n", "s", Gauge("a"));
        for (int i = 0; i < 100; i++)
        {
            store.Row(schema, Start + i, i);
        }

        StoreStats stats = store.Stats();
        Assert.Equal((0L, 100L), (stats.BlockBytes, stats.Samples + stats.SamplesEvictedByBytes));
        Assert.InRange(stats.Samples, 0, 7);
    }

    [Fact]
    public void Maintain_SilentSchema_ClosesItsHeadThenDropsItThenForgetsIt()
    {
        using MemoryStore store = Store(headRows: 64, retentionMs: 60 * Minute);
        SchemaHandle schema = store.Schema("gone", "s", Gauge("a"));
        store.Row(schema, Start, 1);
        store.Maintain(Start);
        Assert.True(store.Stats().HeadBytes > 0);
        store.Maintain(Start + (10 * Minute));
        Assert.Equal((0L, 1L), (store.Stats().HeadBytes, store.Stats().Samples));
        Assert.Equal("0=1", store.Samples(schema.Series[0]));

        store.Maintain(Start + (61 * Minute));
        StoreStats stats = store.Stats();
        Assert.Equal((0, 0, 0, 0L, 1L, 0L), (stats.Nodes, stats.Schemas, stats.Series, stats.Samples, stats.SamplesEvictedByAge, stats.Bytes));
        Assert.Equal(AppendResult.Expired, store.Row(schema, Start + (61 * Minute), 2));

        SchemaHandle again = store.Schema("gone", "s", Gauge("a"));
        Assert.NotSame(schema, again);
        Assert.Equal(AppendResult.Appended, store.Row(again, Start + (61 * Minute), 2));
        Assert.Equal("3660000=2", store.Samples(again.Series[0]));
    }

    [Fact]
    public void Maintain_ReplacedSchema_LeavesTheIndexWhenItsSamplesAreGone()
    {
        using MemoryStore store = Store(headRows: 8, retentionMs: 5 * Minute);
        SchemaHandle old = store.Schema("n", "s", Gauge("kept"), Gauge("dropped"));
        store.Row(old, Start, 1, 1);
        SchemaHandle next = store.Schema("n", "s", Gauge("kept"));
        for (int i = 1; i <= 10 * 60; i++)
        {
            store.Row(next, Start + (i * 1_000), i);
            store.Maintain(Start + (i * 1_000));
        }

        Assert.Equal(["kept"], store.Select(Selector.All, 0, long.MaxValue).Series.Select(series => series.Metric));
        Assert.Equal(1, store.Stats().Schemas);
        Assert.Equal(602, store.Stats().SamplesTotal); // counters of the forgotten schema are kept
    }

    [Theory]
    [MemberData(nameof(Seeds.Few), MemberType = typeof(Seeds))]
    public void Stats_ThroughChurnLateRowsAndBothRetentions_AddUpToTheSample(int seed)
    {
        Random random = new(seed);
        using MemoryStore store = Store(headRows: 8, retentionMs: 4 * Minute, maxBytes: 40_000);
        SchemaHandle[] schemas = new SchemaHandle[6];
        for (int second = 0; second < 1_500; second++)
        {
            for (int node = 0; node < schemas.Length; node++)
            {
                if (second == 0 || random.Next(400) == 0)
                {
                    schemas[node] = store.Schema("n" + node, "s", Gauge("a"), Gauge("b" + random.Next(100)));
                }

                long late = random.Next(10) == 0 ? random.Next(100_000) : 0;
                store.Row(schemas[node], Start + (second * 1_000) - late, random.NextDouble(), random.Next(3) == 0 ? null : second);
            }

            store.Maintain(Start + (second * 1_000));
        }

        StoreStats stats = store.Stats();
        Assert.True(stats.SamplesEvictedByAge > 0 || stats.SamplesEvictedByBytes > 0);
        long stored = 0;
        using ISampleReader reader = store.OpenReader();
        using SampleBuffer buffer = new();
        foreach (SeriesInfo series in store.Select(Selector.All, 0, long.MaxValue).Series)
        {
            buffer.Clear();
            reader.Read(series, long.MinValue, long.MaxValue, buffer);
            stored += buffer.Count;
        }

        // A late row that overlays a closed block is held twice and read once.
        Assert.InRange(stats.Samples, stored, stored + (2 * stats.RowsLate));
        Assert.InRange(stats.Bytes, 1, 40_000);
    }

    private static int Held(MemoryStore store, SchemaHandle schema)
    {
        int held = 0;
        using ISampleReader reader = store.OpenReader();
        foreach (SeriesInfo series in schema.Series)
        {
            using SampleBuffer buffer = new();
            reader.Read(series, long.MinValue, long.MaxValue, buffer);
            held += buffer.Count;
        }

        return held;
    }

    private static long Oldest(MemoryStore store, SchemaHandle schema)
    {
        using ISampleReader reader = store.OpenReader();
        using SampleBuffer buffer = new();
        reader.Read(schema.Series[0], long.MinValue, long.MaxValue, buffer);
        return buffer.Times[0];
    }
}
