using System.Diagnostics;
using NodeAgent.Tsdb.Query;
using static NodeAgent.Tsdb.Tests.Make;

namespace NodeAgent.Tsdb.Tests.Query;

/// <summary>Prints what the dashboards' usual questions cost, for a look now and then; checks the answers, never the time.</summary>
public sealed class QuerySpeedTests(ITestOutputHelper output)
{
    private const int Nodes = 50;
    private const int Gpus = 8;
    private const int Seconds = 7_200;

    [Fact]
    public void UsualQuestions_FourHundredSeriesTwoHours_PrintTheirTimes()
    {
        using MemoryStore store = Filled();
        QueryEngine engine = new(store, new QueryLimits(), TimeProvider.System);
        const long End = Start + (Seconds * 1_000L);
        Ask(engine, "one series, last 5 min", "power{node=\"node7\",gpu=\"3\"}", End - 300_000, End, 1_000, 1, 301);
        Ask(engine, "one series, 2 h by minute", "avg_over_time(power{node=\"node7\",gpu=\"3\"}[1m])", Start, End, 60_000, 1, Seconds);
        Ask(engine, "average of all, 2 h by minute", "avg(avg_over_time(power[1m]))", Start, End, 60_000, 1, Nodes * Gpus * Seconds);
        Ask(engine, "top 5 nodes by max, 1 h", "topk(5, max by (node) (max_over_time(power[1h])))", End, End, 1_000, 5, Nodes * Gpus * 3_599);
        Ask(engine, "rate of all by node, 2 h by minute", "sum by (node) (rate(energy[1m]))", Start, End, 60_000, Nodes, Nodes * Gpus * Seconds);
    }

    private void Ask(QueryEngine engine, string what, string query, long start, long end, long step, int results, long samples)
    {
        double best = double.MaxValue;
        for (int i = 0; i < 10; i++)
        {
            long started = Stopwatch.GetTimestamp();
            using RangeExecution range = engine.Range(QueryParser.ParseExpression(query), start, end, step, "t", TestContext.Current.CancellationToken);
            Assert.Equal(results, range.Count());
            Assert.InRange(range.Cost.Samples, samples - (Nodes * Gpus * 2), samples + (Nodes * Gpus * 2));
            best = Math.Min(best, Stopwatch.GetElapsedTime(started).TotalMilliseconds);
        }

        output.WriteLine($"{what}: {best:0.000} ms");
    }

    private static MemoryStore Filled()
    {
        MemoryStore store = Store(headRows: 128);
        double[] values = new double[Gpus * 2];
        ulong[] present = AllPresent(values.Length);
        for (int node = 0; node < Nodes; node++)
        {
            Random random = new(node);
            SchemaHandle schema = store.Schema("node" + node, "gpu", [.. Enumerable.Range(0, values.Length).Select(i => Gauge(i < Gpus ? "power" : "energy", ("gpu", (i % Gpus).ToString())))]);
            for (int second = 0; second < Seconds; second++)
            {
                for (int i = 0; i < Gpus; i++)
                {
                    values[i] = random.Next(300_000, 700_000) / 1_000.0;
                    values[Gpus + i] += values[i];
                }

                store.Append(schema, Start + (second * 1_000L), values, present);
            }
        }

        return store;
    }
}
