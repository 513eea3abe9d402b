using NodeAgent.Tsdb.Live;
using NodeAgent.Tsdb.Query;
using static NodeAgent.Tsdb.Tests.Make;

namespace NodeAgent.Tsdb.Tests.Live;

public sealed class LiveTests
{
    [Fact]
    public void Subscribe_MatchingSeries_GetsEveryRowOfThemAndNothingElse()
    {
        using MemoryStore store = Store();
        SchemaHandle schema = store.Schema("n", "s", Gauge("a"), Gauge("b"), Gauge("c"));
        store.Row(schema, Start, 0, 0, 0);
        using LiveSubscription live = store.Subscribe(Selector.Parse("{__name__=~\"a|c\"}"), new LiveOptions());
        store.Row(schema, Start + 1, 1, 2, 3);
        store.Row(schema, Start + 2, null, 5, 6);
        store.Row(schema, Start, 7, 8, null); // a late row is news too
        Assert.Equal("0:a@1=1 1:c@1=3 1:c@2=6 0:a@0=7 lost 0", Drain(live));
        Assert.Equal("lost 0", Drain(live));
    }

    [Fact]
    public void Subscribe_SeriesRegisteredLater_JoinAndKeepTheirIndexThroughAReplacedSchema()
    {
        using MemoryStore store = Store();
        using LiveSubscription live = store.Subscribe(Selector.Parse("a"), new LiveOptions());
        SchemaHandle first = store.Schema("n", "s", Gauge("a"));
        SchemaHandle other = store.Schema("m", "s", Gauge("b"), Gauge("a"));
        store.Row(first, Start, 1);
        store.Row(other, Start, 2, 3);
        SchemaHandle replaced = store.Schema("n", "s", Gauge("x"), Gauge("a"));
        store.Row(replaced, Start + 1, 4, 5);
        Assert.Equal("0:a@0=1 1:a@0=3 0:a@1=5 lost 0", Drain(live));
    }

    [Fact]
    public void Drain_SlowReader_LosesTheOldestAndLearnsHowMany()
    {
        using MemoryStore store = Store();
        SchemaHandle schema = store.Schema("n", "s", Gauge("a"));
        using LiveSubscription live = store.Subscribe(Selector.Parse("a"), new LiveOptions { Capacity = 3 });
        for (int i = 0; i < 10; i++)
        {
            store.Row(schema, Start + i, i);
        }

        Assert.Equal("0:a@7=7 0:a@8=8 0:a@9=9 lost 7", Drain(live));
        store.Row(schema, Start + 10, 10);
        Assert.Equal("0:a@10=10 lost 0", Drain(live));
    }

    [Fact]
    public void Subscribe_WithMinInterval_ThinsEachSeriesByItself()
    {
        using MemoryStore store = Store();
        SchemaHandle schema = store.Schema("n", "s", Gauge("a"), Gauge("b"));
        using LiveSubscription live = store.Subscribe(Selector.Parse("{__name__=~\"a|b\"}"), new LiveOptions { MinIntervalMs = 10 });
        for (int i = 0; i < 25; i++)
        {
            store.Row(schema, Start + i, i, i < 5 ? null : i);
        }

        Assert.Equal("0:a@0=0 1:b@5=5 0:a@10=10 1:b@15=15 0:a@20=20 lost 0", Drain(live));
    }

    [Fact]
    public async Task WaitAsync_NothingThere_WaitsForTheNextRowAndEndsWithDispose()
    {
        using MemoryStore store = Store();
        SchemaHandle schema = store.Schema("n", "s", Gauge("a"));
        LiveSubscription live = store.Subscribe(Selector.Parse("a"), new LiveOptions());
        for (int i = 0; i < 3; i++)
        {
            ValueTask wait = live.WaitAsync(TestContext.Current.CancellationToken);
            Assert.False(wait.IsCompleted);
            store.Row(schema, Start + i, i);
            await wait;
            Assert.Equal($"0:a@{i}={i} lost 0", Drain(live));
        }

        ValueTask last = live.WaitAsync(TestContext.Current.CancellationToken);
        live.Dispose();
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await last);
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await live.WaitAsync(TestContext.Current.CancellationToken));
        Assert.Equal(AppendResult.Appended, store.Row(schema, Start + 10, 1));
        Assert.Equal(0, store.Stats().Subscriptions);
    }

    [Fact]
    public async Task WaitAsync_Cancelled_Ends()
    {
        using MemoryStore store = Store();
        using LiveSubscription live = store.Subscribe(Selector.Parse("a"), new LiveOptions());
        using CancellationTokenSource source = new();
        ValueTask wait = live.WaitAsync(source.Token);
        await source.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await wait);
    }

    private static string Drain(LiveSubscription live)
    {
        LiveSample[] batch = new LiveSample[4];
        List<string> parts = [];
        long lostTotal = 0;
        for (int moved = 1; moved > 0;)
        {
            moved = live.Drain(batch, out long lost);
            lostTotal += lost;
            parts.AddRange(batch[..moved].Select(sample => $"{sample.Index}:{sample.Series.Metric}@{sample.UnixMs - Start}={sample.Value}"));
        }

        return string.Join(' ', parts.Append($"lost {lostTotal}"));
    }
}
