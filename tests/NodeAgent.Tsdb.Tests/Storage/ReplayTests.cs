using NodeAgent.Testing.Disk;
using static NodeAgent.Tsdb.Tests.Make;

namespace NodeAgent.Tsdb.Tests.Storage;

/// <summary>A replay that appends on several threads leaves what one thread would.</summary>
public sealed class ReplayTests
{
    private const int Nodes = 9;
    private const int Rows = 1_000;

    [Fact]
    public void BeginReplay_RowsOfManySchemas_AreAllThereInOrderWhenItEnds()
    {
        using DurableStore store = Open();
        SchemaHandle[] schemas = [.. Enumerable.Range(0, Nodes).Select(node => store.Schema("n" + node, "s", [.. Enumerable.Range(0, 5 + node).Select(i => Gauge("m" + i))]))];
        ulong walId = 0;
        using (store.BeginReplay())
        {
            for (int row = 0; row < Rows; row++)
            {
                for (int node = 0; node < Nodes; node++)
                {
                    // Every tenth comes again with another value: the later call wins, so order within a schema matters.
                    Append(store, schemas[node], row, row, ++walId);
                    if (row % 10 == 0)
                    {
                        Append(store, schemas[node], row, -row, ++walId);
                    }
                }
            }
        }

        foreach (SchemaHandle schema in schemas)
        {
            string wanted = string.Join(' ', Enumerable.Range(0, Rows).Select(row => $"{row * 1_000}={(row % 10 == 0 ? -row : row)}"));
            Assert.All(schema.Series, series => Assert.Equal(wanted, store.Samples(series)));
        }

        Assert.True(store.Flush());
        Assert.Equal(walId, store.DurableThrough(walId));
    }

    [Fact]
    public void BeginReplay_ARowThatCannotBe_IsThrownWhereTheReplayEnds()
    {
        using DurableStore store = Open();
        SchemaHandle schema = store.Schema("n", "s", Gauge("m"));
        IDisposable replay = store.BeginReplay();
        for (ulong i = 1; i <= 10_000; i++)
        {
            store.Append(schema, Start + (long)i, i == 5_000 ? [1, 2] : [1], [1], i); // a bug of the caller: two values for one column
        }

        Assert.Throws<ArgumentException>(replay.Dispose);
    }

    private static void Append(DurableStore store, SchemaHandle schema, int row, double value, ulong walId)
    {
        double[] values = new double[schema.Series.Count];
        Array.Fill(values, value == 0 ? 0 : value);
        Assert.Equal(AppendResult.Appended, store.Append(schema, Start + (row * 1_000L), values, AllPresent(values.Length), walId));
    }

    private static DurableStore Open()
    {
        DurableStoreOptions options = new() { Directory = "/store", HasThreads = true, HeadRows = 64 };
        Assert.True(DurableStore.TryOpen(options, new SimulatedDisk(1), TimeProvider.System, out DurableStore? store, out Journal.OpenError? error), error?.ToString());
        return store;
    }
}
