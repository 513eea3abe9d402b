using NodeAgent.Tsdb.Head;
using static NodeAgent.Tsdb.Tests.Make;

namespace NodeAgent.Tsdb.Tests.Head;

/// <summary>A writer gets in between a reader's two looks, at the worst moment.</summary>
public sealed class SnapshotTests
{
    [Fact]
    public void Read_HeadClosesInBetween_FindsItsRowsOnce()
    {
        using MemoryStore store = Store(headRows: 8);
        MemorySchema schema = Filled(store, out int rows);
        int runs = 0;
        schema.SnapshotSyncPoint = () =>
        {
            long blocks = store.Stats().BlockBytes;
            while (runs == 0 && store.Stats().BlockBytes == blocks)
            {
                store.Row(schema, Start + rows, rows);
                rows++;
            }

            runs++;
        };
        string samples = store.Samples(schema.Series[0]);
        Assert.Equal(2, runs);
        Assert.Equal(string.Join(' ', Enumerable.Range(0, rows).Select(i => $"{i}={i}")), samples);
    }

    [Fact]
    public void Read_LateRowIsSortedInInBetween_SeesTheHeadBeforeOrAfterIt()
    {
        using MemoryStore store = Store(headRows: 8);
        MemorySchema schema = Filled(store, out int rows);
        store.Row(schema, Start + rows, rows);
        store.Row(schema, Start + rows + 2, rows + 2);
        int runs = 0;
        schema.SnapshotSyncPoint = () =>
        {
            if (runs++ == 0)
            {
                Assert.Equal(AppendResult.OutOfOrder, store.Row(schema, Start + rows + 1, rows + 1));
            }
        };
        Assert.Equal(string.Join(' ', Enumerable.Range(0, rows + 3).Select(i => $"{i}={i}")), store.Samples(schema.Series[0]));
        Assert.Equal(2, runs);
    }

    [Fact]
    public void Read_RowsInOrderInBetween_DisturbNothing()
    {
        using MemoryStore store = Store(headRows: 8);
        MemorySchema schema = Filled(store, out int rows);
        int runs = 0;
        schema.SnapshotSyncPoint = () =>
        {
            store.Row(schema, Start + rows, rows);
            runs++;
        };
        Assert.Equal(string.Join(' ', Enumerable.Range(0, rows + 1).Select(i => $"{i}={i}")), store.Samples(schema.Series[0]));
        Assert.Equal(1, runs);
    }

    /// <summary>A schema with closed blocks and an empty head.</summary>
    private static MemorySchema Filled(MemoryStore store, out int rows)
    {
        SchemaHandle schema = store.Schema("n", "s", Gauge("a"));
        int closed = 0;
        rows = 0;
        for (long blocks = 0; closed < 3;)
        {
            store.Row(schema, Start + rows, rows);
            rows++;
            long now = store.Stats().BlockBytes;
            closed += now > blocks ? 1 : 0;
            blocks = now;
        }

        return (MemorySchema)schema;
    }
}
