using System.Diagnostics;
using NodeAgent.Contracts.Series;
using NodeAgent.Testing;
using static NodeAgent.Tsdb.Tests.Make;

namespace NodeAgent.Tsdb.Tests.Head;

public sealed class AllocationTests(ITestOutputHelper output)
{
    private const int Columns = 400;

    [Fact]
    public void Append_SteadyState_AllocatesOnlyTheCompressedBlocks()
    {
        using MemoryStore store = Store(headRows: 128);
        SchemaHandle schema = store.Schema("n", "s", Enumerable.Range(0, Columns).Select(i => Gauge("a" + i)).ToArray());
        double[] values = new double[Columns];
        ulong[] present = AllPresent(Columns);
        long time = Append(store, schema, values, present, Start, 128 * 4);

        // Find a stretch without a closing head: it may allocate nothing at all.
        long blocks = store.Stats().BlockBytes;
        while (store.Stats().BlockBytes == blocks)
        {
            time = Append(store, schema, values, present, time, 1);
        }

        Assert.Equal(0, Allocations.Of(() => time = Append(store, schema, values, present, time, 25)));

        // Over whole heads: the blocks themselves, the two array copies of their list, and nothing else.
        blocks = store.Stats().BlockBytes;
        long before = GC.GetAllocatedBytesForCurrentThread();
        Append(store, schema, values, present, time, 128 * 8);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        long kept = store.Stats().BlockBytes - blocks;
        Assert.InRange(allocated, 1, kept + (8 * 1_024));
    }

    [Fact]
    public void Append_FourHundredColumns_PrintsItsSpeedAndMemory()
    {
        const int Nodes = 20;
        const int PassRows = 256; // two heads: every pass closes the same number of blocks
        using MemoryStore store = Store(headRows: 128);
        SeriesDefinition[] series = [.. Enumerable.Range(0, Columns).Select(i => Gauge("m" + (i % 40), ("gpu", (i / 40).ToString())))];
        SchemaHandle[] schemas = [.. Enumerable.Range(0, Nodes).Select(i => store.Schema("node" + i, "gpu", series))];
        double[][] rows = [.. Enumerable.Range(0, PassRows).Select(TelemetryRow)];
        ulong[] present = AllPresent(Columns);
        double best = double.MaxValue; // of several passes: the machine is shared, and the first ones run unoptimised code
        for (int pass = 0; pass < 10; pass++)
        {
            long started = Stopwatch.GetTimestamp();
            for (int row = 0; row < PassRows; row++)
            {
                foreach (SchemaHandle schema in schemas)
                {
                    store.Append(schema, Start + (((pass * PassRows) + row) * 1_000L), rows[row], present);
                }
            }

            best = Math.Min(best, Stopwatch.GetElapsedTime(started).TotalSeconds / (Nodes * PassRows));
        }

        StoreStats stats = store.Stats();
        output.WriteLine($"{best * 1e6:0.00} us a row of {Columns}, {Columns / best / 1e6:0} M samples/s, "
            + $"{(double)stats.BlockBytes / (stats.Samples - (schemas.Length * Columns * 64)):0.00} bytes a sample in blocks, "
            + $"{(double)stats.HeadBytes / stats.Series:0} head bytes a series, "
            + $"{(double)(stats.Bytes - stats.BlockBytes) / stats.Series:0} with its index entry");
        Assert.InRange((double)(stats.Bytes - stats.BlockBytes) / stats.Series, 1, 2_048);
    }

    /// <summary>A third constant, a third integer gauges, a sixth tenths, a sixth counters, a few full-precision ratios.</summary>
    private static double[] TelemetryRow(int row)
    {
        Random random = new(row);
        return [.. Enumerable.Range(0, Columns).Select(i => (i % 24) switch
        {
            < 8 => i,
            < 16 => random.Next(0, 100),
            < 20 => random.Next(300, 900) / 10.0,
            < 23 => (row * 1_000_000.0) + random.Next(10_000),
            _ => random.NextDouble(),
        })];
    }

    private static long Append(MemoryStore store, SchemaHandle schema, double[] values, ulong[] present, long time, int rows)
    {
        for (int i = 0; i < rows; i++)
        {
            time += 1_000;
            values[i % Columns] = time % 1_000_003;
            store.Append(schema, time, values, present);
        }

        return time;
    }
}
