using System.Diagnostics;
using NodeAgent.Journal.Files;
using NodeAgent.Tsdb;
using NodeAgent.Tsdb.Query;

namespace NodeAgent.Benchmarks.Store;

/// <summary>
/// Ingest as fast as one thread can, with and without eight callers that ask for everything there is, in turns of some seconds. The engine's
/// own count says how many of them scanned at once; the clock says what is left for ingest.
/// </summary>
internal static class DeathBenchmark
{
    private const int Callers = 8;
    private const int Rounds = 5;
    private const int SecondsOfData = 3_000;

    internal static DeathFigures Measure(string directory, int nodes)
    {
        DurableStoreOptions options = new() { Directory = directory };
        if (!DurableStore.TryOpen(options, FileOps.ForThisMachine(), TimeProvider.System, out DurableStore? store, out Journal.OpenError? error))
        {
            throw new InvalidOperationException(error.ToString());
        }

        using DurableStore opened = store;
        FleetFeed feed = new(nodes, 3);
        feed.Register(store);
        feed.Run(store, 900, new ThreadCpu()); // something to scan
        QueryEngine engine = new(store, new QueryLimits { MaxSamples = long.MaxValue, MaxMemoryBytes = 4L << 30 }, TimeProvider.System) { WhenLong = BackgroundThread.LowerPriority };
        List<double> quiet = [];
        List<double> deadly = [];
        long queries = 0;
        for (int round = 0; round < Rounds; round++)
        {
            quiet.Add(IngestRate(feed, store));
            using CancellationTokenSource end = new();
            Thread[] callers = [.. Enumerable.Range(0, Callers).Select(i => Ask(engine, $"caller-{i}", () => Interlocked.Increment(ref queries), end.Token))];
            deadly.Add(IngestRate(feed, store));
            end.Cancel();
            Array.ForEach(callers, caller => caller.Join());
        }

        double ratio = Arguments.Median(deadly) / Arguments.Median(quiet);
        Console.Error.WriteLine(
            $"ingest alone {Arguments.Median(quiet) / 1e6:0.0} M samples/s, beside {Callers} queries of death {Arguments.Median(deadly) / 1e6:0.0} ({ratio:P0}); "
            + $"{queries} answered, at most {engine.Gate.Scanning.Most} scanned at once, {engine.Gate.Turns} turns");
        return new DeathFigures(ratio, engine.Gate.Scanning.Most, engine.Gate.Turns);
    }

    private static double IngestRate(FleetFeed feed, DurableStore store)
    {
        double ms = 0;
        feed.Run(store, SecondsOfData, new ThreadCpu(), cost => ms += cost.WallMs);
        return (double)SecondsOfData * feed.Nodes * Testing.Fleet.SyntheticFleet.SeriesPerNode / (ms / 1_000);
    }

    // On a thread of its own that gets a low priority once it is long, as the aggregator runs queries.
    private static Thread Ask(QueryEngine engine, string caller, Action onAnswer, CancellationToken end)
    {
        QueryPlan plan = QueryParser.ParseExpression("quantile(0.99, quantile_over_time(0.9, {__name__=~\".+\"}[5m]))");
        Thread thread = new(() =>
        {
            try
            {
                while (!end.IsCancellationRequested)
                {
                    using RangeExecution range = engine.Range(plan, FleetFeed.StartUnixMs, FleetFeed.StartUnixMs + 900_000, 1_000, caller, end);
                    _ = range.Count();
                    onAnswer();
                }
            }
            catch (OperationCanceledException) when (end.IsCancellationRequested)
            {
                return; // the round is over
            }
        });
        thread.Start();
        return thread;
    }
}

/// <summary>What queries of death left of ingest.</summary>
internal sealed record DeathFigures(double IngestRatio, int MostScanningAtOnce, long Turns);
