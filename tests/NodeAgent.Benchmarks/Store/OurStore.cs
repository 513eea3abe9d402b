using System.Diagnostics;
using NodeAgent.Journal;
using NodeAgent.Journal.Files;
using NodeAgent.Testing.Processes;
using NodeAgent.Tsdb;
using NodeAgent.Tsdb.Merging;
using NodeAgent.Tsdb.Query;
using NodeAgent.Tsdb.Segments;

namespace NodeAgent.Benchmarks.Store;

/// <summary>Measures our store, in this process.</summary>
internal static class OurStore
{
    private const long Start = FleetFeed.StartUnixMs;
    private const string Watts = "synthetic_gpu_watts_00";

    /// <summary>Two hours of some nodes: cost, size, and the time of the usual questions.</summary>
    internal static async Task<OurFigures> MeasureAsync(string directory, int nodes, int seconds, int rounds = 1)
    {
        FleetFeed feed = new(nodes, 1);
        DurableStore store = Open(directory, hasThreads: true);
        feed.Register(store);
        ThreadCpu cpu = new();
        feed.Run(store, seconds, cpu);
        Require(store.Flush());
        double samples = (double)nodes * Testing.Fleet.SyntheticFleet.SeriesPerNode * seconds;
        OurFigures figures = new() { SamplesPerCpuS = samples / cpu.Seconds };
        Say($"stored: {figures.SamplesPerCpuS / 1e6:0.0} M samples/CPU-s");
        store.Dispose();

        // Merging by hand from here on, so that each state is measured.
        long reopened = Stopwatch.GetTimestamp();
        store = Open(directory, hasThreads: false);
        figures = figures with { ReopenS = Stopwatch.GetElapsedTime(reopened).TotalSeconds, BytesPerSampleFlushed = Bytes(store, SegmentKind.Raw) / samples };
        double before = ThreadCpu.ProcessSeconds();
        for (long window = Start; window < Start + (seconds * 1_000L); window += MergePlanner.WindowMs)
        {
            Require(store.MergeNow(new MergeJob(SegmentLevel.Window, window, window + MergePlanner.WindowMs, Pack: false)));
        }

        figures = figures with
        {
            MergeSamplesPerCpuS = samples / (ThreadCpu.ProcessSeconds() - before),
            BytesPerSampleWindow = Bytes(store, SegmentKind.Raw) / samples,
        };
        Say($"merged: {figures.MergeSamplesPerCpuS / 1e6:0.0} M samples/CPU-s, {figures.BytesPerSampleWindow:0.000} B/sample");
        long end = Start + (seconds * 1_000L);
        for (int round = 1; round < rounds; round++)
        {
            AskRaw(store, end, figures);
        }

        figures = AskRaw(store, end, figures) with
        {
            Q2h1mMs = Ask(store, $"avg_over_time({Watts}{{node=\"node-00007\",gpu=\"3\"}}[1m])", Start, end, 60_000, 50),
            QFleetAvgTierMs = Ask(store, $"avg(avg_over_time({Watts}[1m]))", Start, end, 60_000, 30),
            QTop5TierMs = Ask(store, $"topk(5, max by (node) (max_over_time({Watts}[1h])))", end, end, 1_000, 30),
        };

        // A day that is closed but not packed: nothing is left for the aggregator to merge while it answers.
        Require(store.MergeNow(new MergeJob(SegmentLevel.Day, Start, Start + MergePlanner.DayMs, Pack: false)));
        store.Dispose();
        figures = await AskOverGrpcAsync(directory, end, figures).ConfigureAwait(false);
        store = Open(directory, hasThreads: false);
        Require(store.MergeNow(new MergeJob(SegmentLevel.Day, Start, Start + MergePlanner.DayMs, Pack: true)));
        figures = figures with
        {
            BytesPerSample = Bytes(store, SegmentKind.Raw) / samples,
            TierBytesPerSample = (Bytes(store, SegmentKind.Minute) + Bytes(store, SegmentKind.Hour)) / samples,
            QFleetAvgPackedMs = Ask(store, $"avg(avg_over_time({Watts}[1m]))", Start + 1, end + 1, 60_000, 10),
        };
        Say($"closed day: {figures.BytesPerSample:0.000} B/sample, tiers {figures.TierBytesPerSample:0.000}");
        store.Dispose();
        return figures;
    }

    /// <summary>Many nodes at once: memory, stalls, restart.</summary>
    internal static OurFigures MeasureMany(string directory, int nodes, int seconds, OurFigures figures)
    {
        FleetFeed feed = new(nodes, 2);
        long before = ManagedBytes();
        DurableStore store = Open(directory, hasThreads: true);
        feed.Register(store);
        SecondCost worst = default;
        SecondCost worstOwn = default;
        long highest = 0;
        int second = 0;
        feed.Run(store, seconds, new ThreadCpu(), cost =>
        {
            worst = cost.WallMs > worst.WallMs ? cost : worst;
            worstOwn = cost.OwnMs > worstOwn.OwnMs ? cost : worstOwn;
            if (++second % 100 == 0)
            {
                highest = Math.Max(highest, ManagedBytes());
            }
        });
        double ram = (double)(highest - before) / (nodes * Testing.Fleet.SyntheticFleet.SeriesPerNode);
        Say($"{nodes} nodes: {ram:0} B of memory a series, worst second {worst}; but for the processor {worstOwn}");
        store.Dispose();

        long started = Stopwatch.GetTimestamp();
        store = Open(directory, hasThreads: false);
        double reopen = Stopwatch.GetElapsedTime(started).TotalSeconds;
        store.Dispose();
        return figures with { BytesRamPerSeries = ram, WorstStallMs = worst.WallMs, WorstStallOwnMs = worstOwn.OwnMs, ReopenS = reopen };
    }

    /// <summary>What a person's tool sees: the real aggregator on these files, asked over gRPC, the answer read to its end.</summary>
    private static async Task<OurFigures> AskOverGrpcAsync(string directory, long end, OurFigures figures)
    {
        string address = $"127.0.0.1:{LocalPair.FreePort()}";
        using RealProcess aggregator = await E2eBenchmark.StartAsync(
            directory + "-state", address, fleet: null, $"store.directory={directory}", "store.raw_retention=3650d", "store.minute_retention=3650d",
            "store.hour_retention=3650d", "store.pack_closed_days=false").ConfigureAwait(false);
        using AggregatorClient client = AggregatorClient.Plaintext(address);
        figures = figures with
        {
            QLast5mGrpcMs = await MedianAsync(client, $"{Watts}{{node=\"node-00007\",gpu=\"3\"}}", end - 300_000, end, 1_000).ConfigureAwait(false),
            Q2h1mGrpcMs = await MedianAsync(client, $"avg_over_time({Watts}{{node=\"node-00007\",gpu=\"3\"}}[1m])", Start, end, 60_000).ConfigureAwait(false),
        };
        Say($"over gRPC: last 5 min {figures.QLast5mGrpcMs:0.000} ms, 2 h by minute {figures.Q2h1mGrpcMs:0.000} ms");
        await aggregator.StopAsync(TimeSpan.FromSeconds(60)).ConfigureAwait(false);
        return figures;
    }

    private static async Task<double> MedianAsync(AggregatorClient client, string query, long start, long end, ulong step)
    {
        const int WarmUp = 300; // until the compiler has seen what is hot on both sides
        List<double> times = [];
        for (int i = 0; i < WarmUp + 100; i++)
        {
            long started = Stopwatch.GetTimestamp();
            Require(await client.RangeAsync(query, start, end, step).ConfigureAwait(false) > 0);
            times.Add(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
        }

        return Arguments.Median(times[WarmUp..]);
    }

    /// <summary>The questions a tier cannot answer, because their windows end a millisecond past the minute.</summary>
    private static OurFigures AskRaw(DurableStore store, long end, OurFigures figures) => figures with
    {
        QLast5mMs = Ask(store, $"{Watts}{{node=\"node-00007\",gpu=\"3\"}}", end - 300_000, end, 1_000, 100),
        Q2h1mRawMs = Ask(store, $"avg_over_time({Watts}{{node=\"node-00007\",gpu=\"3\"}}[1m])", Start + 1, end + 1, 60_000, 50),
        QFleetAvgMs = Ask(store, $"avg(avg_over_time({Watts}[1m]))", Start + 1, end + 1, 60_000, 20),
        QTop5Ms = Ask(store, $"topk(5, max by (node) (max_over_time({Watts}[1h])))", end + 1, end + 1, 1_000, 20),
    };

    private static double Ask(DurableStore store, string query, long start, long end, long step, int runs)
    {
        QueryEngine engine = new(store, new QueryLimits(), TimeProvider.System);
        QueryPlan plan = QueryParser.ParseExpression(query);
        Action ask = () =>
        {
            using RangeExecution range = engine.Range(plan, start, end, step, "bench", CancellationToken.None);
            int results = 0;
            foreach (RangeSeries _ in range)
            {
                results++; // all of them: results stream, and the first alone would be cheap
            }

            Require(results > 0);
        };
        double cpu = ThreadCpu.ThreadSeconds();
        while (ThreadCpu.ThreadSeconds() - cpu < 0.3)
        {
            ask(); // until the compiler has seen what is hot
        }

        cpu = ThreadCpu.ThreadSeconds();
        double median = StoreBenchmark.MedianMs(runs, ask);
        cpu = (ThreadCpu.ThreadSeconds() - cpu) * 1_000 / runs;
        Say($"  {query}: {median:0.000} ms, {cpu:0.000} ms of CPU");
        return median;
    }

    private static DurableStore Open(string directory, bool hasThreads)
    {
        DurableStoreOptions options = new() { Directory = directory, HasThreads = hasThreads };
        return DurableStore.TryOpen(options, FileOps.ForThisMachine(), TimeProvider.System, out DurableStore? store, out OpenError? error)
            ? store
            : throw new InvalidOperationException(error.ToString());
    }

    private static double Bytes(DurableStore store, SegmentKind kind) =>
        store.Segments.Current.All.Where(file => file.Info.Kind == kind).Sum(file => file.Info.Length);

    private static long ManagedBytes() => GC.GetTotalMemory(forceFullCollection: true);

    private static void Require(bool holds)
    {
        if (!holds)
        {
            throw new InvalidOperationException("BUG: a step of the benchmark failed");
        }
    }

    private static void Say(string text) => Console.Error.WriteLine(text);
}
