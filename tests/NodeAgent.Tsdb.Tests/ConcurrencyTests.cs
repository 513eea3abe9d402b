using NodeAgent.Tsdb.Live;
using NodeAgent.Tsdb.Query;
using static NodeAgent.Tsdb.Tests.Make;

namespace NodeAgent.Tsdb.Tests;

/// <summary>One writer per node, several readers, registrations, a subscriber and retention, all at once.</summary>
public sealed class ConcurrencyTests
{
    private const int Writers = 4;
    private const int Columns = 40;
    private const int Rows = 4_000;

    /// <summary>Rows that each writer's appends have returned for: what a read that begins now must at least find.</summary>
    private readonly int[] _written = new int[Writers];

    [Fact]
    public async Task WritersAndReaders_AtOnce_NeverSeeAHoleADuplicateOrATornRow()
    {
        using MemoryStore store = Store(headRows: 16);
        int writing = Writers;
        using LiveSubscription live = store.Subscribe(Selector.Parse("m{gpu=\"7\"}"), new LiveOptions { Capacity = 100 });
        Task<long> subscriber = Task.Run(() => CountLive(live, () => Volatile.Read(ref writing) == 0));
        Task[] writers = [.. Enumerable.Range(0, Writers).Select(node => Task.Run(() =>
        {
            Write(store, node);
            Interlocked.Decrement(ref writing);
        }))];
        Task<int>[] readers = [.. Enumerable.Range(0, 3).Select(reader => Task.Run(() =>
        {
            int checks = 0;
            do
            {
                checks += CheckAll(store);
            }
            while (Volatile.Read(ref writing) > 0);

            return checks;
        }))];
        await Task.WhenAll(writers);
        int[] checksOfReaders = await Task.WhenAll(readers);
        Assert.All(checksOfReaders, checks => Assert.True(checks > 0));
        Assert.True(await subscriber > 0);
        StoreStats stats = store.Stats();
        Assert.Equal((long)Writers * Rows, stats.RowsTotal - stats.RowsDuplicate);
        Assert.Equal((long)Writers * Rows * Columns, stats.Samples + stats.SamplesEvictedByBytes);
        Assert.Equal(Writers * Columns, CheckAll(store));
    }

    [Fact]
    public async Task Retention_WhileWritersRun_StillCountsEverySample()
    {
        using MemoryStore store = Store(headRows: 16, maxBytes: 400_000);
        Task[] writers = [.. Enumerable.Range(0, Writers).Select(node => Task.Run(() => Write(store, node)))];
        Task all = Task.WhenAll(writers);
        while (!all.IsCompleted)
        {
            store.Maintain(Start + (Rows * 10L));
            await Task.Yield();
        }

        await all;
        store.Maintain(Start + (Rows * 10L));
        StoreStats stats = store.Stats();
        Assert.InRange(stats.Bytes, 1, 400_000);
        Assert.True(stats.SamplesEvictedByBytes > 0);
        Assert.Equal(stats.Samples, Held(store));
    }

    /// <summary>Rows 10 ms apart; every value of row i is i, so any mixture of two rows shows. Now and then the schema changes or a row comes twice.</summary>
    private void Write(MemoryStore store, int node)
    {
        double[] values = new double[Columns];
        ulong[] present = AllPresent(Columns);
        SchemaHandle schema = Register(store, node);
        for (int i = 0; i < Rows; i++)
        {
            if (i % 1_000 == 999)
            {
                schema = Register(store, node);
            }

            Array.Fill(values, i);
            store.Append(schema, Start + (i * 10), values, present);
            Volatile.Write(ref _written[node], i + 1);
            if (i % 37 == 0)
            {
                store.Append(schema, Start + (i * 10), values, present);
            }
        }
    }

    private static SchemaHandle Register(MemoryStore store, int node) =>
        store.Schema("n" + node, "s", [.. Enumerable.Range(0, Columns).Select(i => Gauge("m", ("gpu", i.ToString())))]);

    /// <summary>Checks every series: times 0, 10, 20, ... without a hole up to what was written, values that belong to their times.</summary>
    private int CheckAll(MemoryStore store)
    {
        using ISampleReader reader = store.OpenReader();
        using SampleBuffer buffer = new();
        SeriesInfo[] all = store.Match(Selector.All, 0, long.MaxValue);
        foreach (SeriesInfo series in all)
        {
            buffer.Clear();
            int written = Volatile.Read(ref _written[series.LabelValue("node")[1] - '0']);
            reader.Read(series, long.MinValue, long.MaxValue, buffer);
            if (buffer.Count < written)
            {
                Assert.Fail($"{series}: {written} rows were written before the read, {buffer.Count} were read");
            }

            for (int i = 0; i < buffer.Count; i++)
            {
                if (buffer.Times[i] != Start + (i * 10) || buffer.Values[i] != i)
                {
                    Assert.Fail($"{series}: sample {i} of {buffer.Count} is {buffer.Times[i] - Start}={buffer.Values[i]}");
                }
            }
        }

        return all.Length;
    }

    private static long CountLive(LiveSubscription live, Func<bool> isOver)
    {
        LiveSample[] batch = new LiveSample[64];
        long seen = 0;
        while (true)
        {
            bool over = isOver();
            int moved = live.Drain(batch, out long lost);
            seen += moved + lost;
            Assert.All(batch[..moved], sample => Assert.Equal((sample.UnixMs - Start) / 10, sample.Value));
            if (over && moved == 0)
            {
                return seen;
            }
        }
    }

    private static long Held(MemoryStore store)
    {
        using ISampleReader reader = store.OpenReader();
        using SampleBuffer buffer = new();
        long held = 0;
        foreach (SeriesInfo series in store.Match(Selector.All, 0, long.MaxValue))
        {
            buffer.Clear();
            reader.Read(series, long.MinValue, long.MaxValue, buffer);
            held += buffer.Count;
        }

        return held;
    }
}
