using NodeAgent.Testing;
using NodeAgent.Testing.Disk;
using NodeAgent.Tsdb.Query;
using NodeAgent.Tsdb.Query.Evaluation;
using static NodeAgent.Tsdb.Tests.Make;

namespace NodeAgent.Tsdb.Tests.Query;

/// <summary>
/// A query of death never takes ingest's share. Counted in turns, not seconds: however many queries there are, no more than the slots scan at
/// once, and an append needs nothing that a scanning query holds.
/// </summary>
public sealed class ScanGateTests
{
    private const int Series = 40;
    private const int Seconds = 3_000;

    [Fact]
    public void Queries_ManyOfDeathAtOnce_ScanInTurnsAndNeverMoreThanTheSlots()
    {
        using DurableStore store = Filled();
        QueryEngine engine = new(store, Limits with { MaxScanning = 2, ScanSlice = TimeSpan.Zero }, TimeProvider.System);
        Thread[] callers = [.. Enumerable.Range(0, 8).Select(i => new Thread(() => Death(engine, $"caller-{i}", CancellationToken.None)))];
        Array.ForEach(callers, caller => caller.Start());
        Array.ForEach(callers, caller => caller.Join());
        Assert.InRange(engine.Gate.Scanning.Most, 1, 2);
        Assert.Equal(0, engine.Gate.Scanning.Now);
        Assert.True(engine.Gate.Turns >= 8, $"{engine.Gate.Turns}");
    }

    [Fact]
    public void Enter_WhoWaitsAndGoesAway_LeavesNoHole()
    {
        ScanGate gate = new(1);
        gate.Enter(CancellationToken.None);
        using CancellationTokenSource source = new();
        Exception? thrown = null;
        Thread waiting = new(() => thrown = Record.Exception(() => gate.Enter(source.Token)));
        waiting.Start();
        SpinWait.SpinUntil(() => gate.HasWaiting);
        source.Cancel();
        waiting.Join();
        Assert.IsAssignableFrom<OperationCanceledException>(thrown);
        gate.Leave();
        gate.Enter(CancellationToken.None);
        Assert.Equal((1, 1), gate.Scanning);
    }

    [Fact]
    public void Append_WhileAQueryStandsInTheMiddleOfItsScan_DoesNotWait()
    {
        using DurableStore store = Filled();
        SchemaHandle schema = store.Schemas("n")[0];
        using ISampleReader reader = store.OpenReader(new Meter(taken =>
        {
            // On the query's thread, holding whatever a scan holds: the same thread's lock would let it pass, so another appends.
            if (taken == 2_000)
            {
                Thread append = new(() =>
                {
                    for (int i = 1; i <= 1_000; i++)
                    {
                        Assert.Equal(AppendResult.Appended, store.Row(schema, Start + ((Seconds + i) * 1_000L), [.. Enumerable.Repeat<double?>(i, Series)]));
                    }

                    Assert.True(store.Flush());
                });
                append.Start();
                Assert.True(append.Join(TimeSpan.FromSeconds(30)), "an append waits for a query");
            }
        }));
        using SampleBuffer buffer = new();
        reader.Read(store.Match(Selector.Parse("m{gpu=\"0\"}"), 0, long.MaxValue)[0], 0, long.MaxValue, buffer);
        Assert.InRange(buffer.Count, Seconds, Seconds + 1_000);
    }

    [Theory]
    [InlineData("m{gpu=\"0\"}", QueryErrorKind.TooManySamples)]
    [InlineData("quantile_over_time(0.9, m[50m])", QueryErrorKind.TooManySamples)]
    public void Range_ALongScanOfOneSeries_EndsInsideIt(string query, QueryErrorKind kind)
    {
        using DurableStore store = Filled();
        QueryEngine engine = new(store, Limits with { MaxSamples = 1_000 }, TimeProvider.System);
        using RangeExecution range = engine.Range(QueryParser.ParseExpression(query), Start + 1, Start + (Seconds * 1_000L) + 1, 60_000, "t", CancellationToken.None);
        QueryException error = Assert.Throws<QueryException>(() => range.Count());
        Assert.Equal(kind, error.Kind);
        Assert.InRange(range.Cost.Samples, 1_001, 1_001 + 1_024); // the chunk that was too much was not decoded
        Assert.Equal(0, engine.Gate.Scanning.Now);
    }

    [Fact]
    public void Range_Cancelled_EndsInsideTheScan()
    {
        using DurableStore store = Filled();
        using CancellationTokenSource source = new();
        QueryBudget budget = new(Limits, TimeProvider.System, new ScanGate(1), static () => { }, source.Token);
        budget.Resume();
        using ISampleReader reader = store.OpenReader(new Meter(taken =>
        {
            if (taken > 500)
            {
                source.Cancel();
            }

            budget.Take(64 * 1024);
        }));
        using SampleBuffer buffer = new();
        Assert.Throws<OperationCanceledException>(() => reader.Read(store.Match(Selector.Parse("m{gpu=\"0\"}"), 0, long.MaxValue)[0], 0, long.MaxValue, buffer));
        Assert.InRange(buffer.Count, 0, Seconds - 1);
        budget.Dispose();
    }

    [Fact]
    public void Query_ThatComputesForLong_IsToldOnceAndAgainOnEachThreadItGoesOnOn()
    {
        SimulatedTime time = new();
        int told = 0;
        using QueryBudget budget = new(Limits, time, new ScanGate(1), () => told++, CancellationToken.None);
        budget.Resume();
        budget.Check();
        Assert.Equal(0, told);
        time.Advance(TimeSpan.FromMilliseconds(5));
        budget.Check();
        budget.Check();
        Assert.Equal(1, told);
        budget.Pause(); // a result is handed over; the next is asked for on another thread
        time.Advance(TimeSpan.FromMinutes(1));
        budget.Resume();
        Assert.Equal(2, told);
    }

    private static QueryLimits Limits => new() { MaxConcurrentPerCaller = 100 };

    private static void Death(QueryEngine engine, string caller, CancellationToken end)
    {
        QueryPlan plan = QueryParser.ParseExpression("quantile(0.99, quantile_over_time(0.9, {__name__=~\".+\"}[5m]))");
        using RangeExecution range = engine.Range(plan, Start, Start + (Seconds * 1_000L), 10_000, caller, end);
        Assert.Single(range);
    }

    private static DurableStore Filled()
    {
        DurableStoreOptions options = new() { Directory = "/store", HasThreads = false, HeadRows = 128 };
        Assert.True(DurableStore.TryOpen(options, new SimulatedDisk(1), TimeProvider.System, out DurableStore? store, out Journal.OpenError? error), error?.ToString());
        SchemaHandle schema = store.Schema("n", "s", [.. Enumerable.Range(0, Series).Select(i => Gauge("m", ("gpu", i.ToString())))]);
        for (int second = 1; second <= Seconds; second++)
        {
            store.Row(schema, Start + (second * 1_000L), [.. Enumerable.Range(0, Series).Select(i => (double?)((second * i) % 101))]);
            if (second == Seconds / 2)
            {
                Assert.True(store.Flush());
            }
        }

        return store;
    }

    private sealed class Meter(Action<long> onTaken) : IScanMeter
    {
        private long _taken;

        public void Take(int samples)
        {
            long before = _taken / 1_000;
            _taken += samples;
            onTaken(before < 2 && _taken >= 2_000 ? 2_000 : _taken);
        }
    }
}
