using System.Diagnostics;
using System.Text.Json;
using NodeAgent.Placement.Fleet;
using NodeAgent.Placement.Policies;
using NodeAgent.Placement.Requests;
using NodeAgent.Placement.Search;
using NodeAgent.Placement.Traces;
using NodeAgent.Placement.Values;

namespace NodeAgent.Benchmarks.Placement;

/// <summary>
/// Part h: decisions a second and latency of the exact search while the openb fleet, repeated, fills from empty to 105 % of arrived load.
/// The rate per core is by CPU time of the process, so that other work on the machine does not count; latencies are by the clock, and it does, beside one percentile by the CPU time of the thread.
/// </summary>
internal static class LatencyBench
{
    internal static int Run(string[] arguments)
    {
        if (PlacementData.Root(arguments) is not { } root)
        {
            return PlacementData.Missing("openb trace");
        }

        int most = Arguments.Number(arguments, "--nodes", 121_300);
        int until = Arguments.Number(arguments, "--until", 105);
        NodeSpec[] nodes = PlacementData.Nodes(Path.Combine(root, "openb", "nodes.csv"));
        var rows = new List<object>();
        Console.WriteLine($"{"nodes",8} {"trace",-10} {"decisions",9} {"per s (CPU)",12} {"per s (clock)",14} {"p50 us",8} {"p99 CPU",8} {"p99 us",8} {"p99.9 us",9} {"states",8} {"RSS MB",7} {"scan=",6}");
        foreach (int copies in new[] { 1, 10, 100 }.Where(copies => copies * nodes.Length <= most))
        {
            foreach (string trace in PlacementData.List(arguments, "--traces", ["default", "gpuspec33"]))
            {
                rows.Add(RunOne(nodes, PlacementData.Pods(Path.Combine(root, "openb", "pods", trace + ".csv")), trace, copies, until, PlacementData.List(arguments, "--policy", ["Value"])[0]));
            }
        }

        Console.WriteLine(JsonSerializer.Serialize(new { bench = "placement latency", rows }));
        return 0;
    }

    private static object RunOne(NodeSpec[] nodes, TracePod[] pods, string trace, int copies, int until, string policy)
    {
        GC.Collect();
        var catalog = new FleetCatalog([.. Enumerable.Range(0, nodes.Length * copies).Select(node => nodes[node % nodes.Length] with { Name = "n" + node })]);
        var book = new FleetBook(catalog);
        Demand[] demands = PlacementData.Demands(pods, catalog);
        var mix = new WorkloadMix(demands.Select(demand => (demand, 1.0)));
        PlacementSearch search = PolicyFactory.Search(book, PolicyFactory.Create(Enum.Parse<PolicyName>(policy), catalog, mix), mix);
        var random = new SplitMix(7);
        var micros = new List<double>();
        var busyMicros = new List<double>();
        long arrived = 0;
        int scans = 0, equal = 0;
        using var process = Process.GetCurrentProcess();
        TimeSpan scanned = TimeSpan.Zero;
        TimeSpan cpu = process.TotalProcessorTime;
        long begin = Stopwatch.GetTimestamp();
        while (100.0 * arrived / catalog.GpuMilli < until)
        {
            Demand demand = demands[random.Next(demands.Length)];
            arrived += demand.TotalGpuMilli;
            double busyStart = ThreadClock.Micros;
            long start = Stopwatch.GetTimestamp();
            Choice choice = search.Find(demand);
            if (choice.Found)
            {
                book.Take(micros.Count, choice.Node, demand, choice.Lanes);
            }

            book.Settle();
            micros.Add(Stopwatch.GetElapsedTime(start).TotalMicroseconds);
            busyMicros.Add(ThreadClock.Micros - busyStart);
            if (micros.Count % 20_000 == 10_000)
            {
                long scan = Stopwatch.GetTimestamp();
                Demand asked = demands[random.Next(demands.Length)];
                scans++;
                equal += search.Find(asked) == search.Scan(asked) ? 1 : 0;
                scanned += Stopwatch.GetElapsedTime(scan);
            }
        }

        double seconds = (Stopwatch.GetElapsedTime(begin) - scanned).TotalSeconds;
        process.Refresh();
        double busy = (process.TotalProcessorTime - cpu - scanned).TotalSeconds;
        int decisions = micros.Count;
        micros.Sort();
        busyMicros.Sort();
        double busyP99 = busyMicros[decisions * 99 / 100];
        long rss = process.WorkingSet64 >> 20;
        Console.WriteLine($"{catalog.Nodes.Length,8} {trace,-10} {decisions,9} {decisions / busy,12:F0} {decisions / seconds,14:F0} {micros[decisions / 2],8:F1} {busyP99,8:F0} {micros[decisions * 99 / 100],8:F0} {micros[(int)(decisions * 0.999)],9:F0} {search.LiveStates,8} {rss,7} {equal,2}/{scans,-3}");
        return new
        {
            nodes = catalog.Nodes.Length, trace, policy, decisions, per_second_cpu = Math.Round(decisions / busy), per_second_clock = Math.Round(decisions / seconds),
            p50_us = Math.Round(micros[decisions / 2], 1), p99_cpu_us = Math.Round(busyP99), p99_us = Math.Round(micros[decisions * 99 / 100]), p999_us = Math.Round(micros[(int)(decisions * 0.999)]), rss_mb = rss, scans_equal = equal, scans,
        };
    }
}
