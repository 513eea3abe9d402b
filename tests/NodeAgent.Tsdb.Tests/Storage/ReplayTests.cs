using NodeAgent.Testing.Disk;
using static NodeAgent.Tsdb.Tests.Make;

namespace NodeAgent.Tsdb.Tests.Storage;

/// <summary>What the log holds was accepted when it came; a replay takes it whatever the clock says by now.</summary>
public sealed class ReplayTests
{
    private const long DayMs = 86_400_000;

    [Theory]
    [InlineData(30)] // the aggregator was down for longer than rows may be late
    [InlineData(-30)] // the clock was ahead then, or is behind now
    public void Row_ThatTheClockWouldRefuseNow_IsTakenInAReplay(int days)
    {
        using DurableStore store = Open();
        store.Maintain(Start + (days * DayMs));
        SchemaHandle schema = store.Schema("n", "s", Gauge("m"));
        Assert.Equal(days > 0 ? AppendResult.TooOld : AppendResult.TooNew, store.Append(schema, Start, [1], [1], 1));
        using (store.BeginReplay())
        {
            Assert.Equal(AppendResult.Appended, store.Append(schema, Start, [2], [1], 1));
            Assert.Equal(AppendResult.Appended, store.Append(schema, Start + 1_000, [3], [1], 2));
        }

        Assert.Equal(days > 0 ? AppendResult.TooOld : AppendResult.TooNew, store.Append(schema, Start + 2_000, [4], [1], 3));
        Assert.Equal("0=2 1000=3", store.Samples(schema.Series[0]));
        Assert.True(store.Flush());
        Assert.Equal(2UL, store.DurableThrough(2));
        Assert.Equal("0=2 1000=3", store.Samples(schema.Series[0]));
    }

    private static DurableStore Open()
    {
        DurableStoreOptions options = new() { Directory = "/store", HasThreads = false, HeadRows = 64, RawRetentionMs = 60 * DayMs, MinuteRetentionMs = 60 * DayMs, HourRetentionMs = 60 * DayMs };
        Assert.True(DurableStore.TryOpen(options, new SimulatedDisk(1), TimeProvider.System, out DurableStore? store, out Journal.OpenError? error), error?.ToString());
        return store;
    }
}
