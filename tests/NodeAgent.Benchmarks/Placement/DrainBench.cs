using System.Diagnostics;
using System.Text.Json;
using NodeAgent.Placement.Engine;
using NodeAgent.Placement.Fleet;
using NodeAgent.Placement.Plans;
using NodeAgent.Placement.Policies;
using NodeAgent.Placement.Requests;
using NodeAgent.Placement.Traces;
using NodeAgent.Placement.Values;

namespace NodeAgent.Benchmarks.Placement;

/// <summary>Part c: draining random eight-GPU hosts of a fleet at a given allocation.</summary>
internal static class DrainBench
{
    internal static int Run(string[] arguments)
    {
        if (PlacementData.Root(arguments) is not { } root)
        {
            return PlacementData.Missing("openb trace");
        }

        int trials = Arguments.Number(arguments, "--trials", 60);
        NodeSpec[] nodes = PlacementData.Nodes(Path.Combine(root, "openb", "nodes.csv"));
        TracePod[] pods = PlacementData.Pods(Path.Combine(root, "openb", "pods", "default.csv"));
        var rows = new List<object>();
        Console.WriteLine($"{"policy",-8} {"allocation",10} {"drained",9} {"moves/replica",14} {"p50 ms",8} {"max ms",8}");
        foreach (PolicyName policy in new[] { PolicyName.Fgd, PolicyName.Blend })
        {
            foreach (int percent in new[] { 80, 90, 93, 95 })
            {
                rows.Add(RunOne(nodes, pods, policy, percent, trials));
            }
        }

        Console.WriteLine(JsonSerializer.Serialize(new { bench = "placement drain", trials, rows }));
        return 0;
    }

    private static object RunOne(NodeSpec[] nodes, TracePod[] pods, PolicyName policy, int percent, int trials)
    {
        var catalog = new FleetCatalog(nodes);
        var book = new FleetBook(catalog);
        Demand[] demands = PlacementData.Demands(pods, catalog);
        var mix = new WorkloadMix(demands.Select(demand => (demand, 1.0)));
        var search = PolicyFactory.Search(book, PolicyFactory.Create(policy, catalog, mix, TypicalPods.Of(pods, catalog)), mix);
        var random = new SplitMix((ulong)percent);
        for (long owner = 0, used = 0; used < catalog.GpuMilli * percent / 100; owner++)
        {
            Demand demand = demands[random.Next(demands.Length)];
            if (search.Find(demand) is { Found: true } choice)
            {
                book.Take(owner, choice.Node, demand, choice.Lanes);
                used += demand.TotalGpuMilli;
            }

            book.Settle();
        }

        int[] hosts = [.. Enumerable.Range(0, nodes.Length).Where(node => nodes[node].GpuCount == 8)];
        var planner = new Planner(book, search, owner => "job-" + owner);
        var millis = new List<double>();
        int drained = 0, moves = 0, replicas = 0;
        for (int trial = 0; trial < trials; trial++)
        {
            int host = hosts[random.Next(hosts.Length)];
            int count = book.Allocations.Of(host).Count();
            long start = Stopwatch.GetTimestamp();
            MovePlan plan = planner.Drain(host, int.MaxValue);
            millis.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            drained += plan.Complete ? 1 : 0;
            replicas += count;
            moves += plan.Moves.Count;
        }

        Console.WriteLine($"{policy,-8} {percent,9}% {100.0 * drained / trials,8:F0}% {(double)moves / replicas,14:F3} {Arguments.Median(millis),8:F2} {millis.Max(),8:F2}");
        return new { policy = policy.ToString(), allocation = percent, drained_percent = 100.0 * drained / trials, moves_per_replica = Math.Round((double)moves / replicas, 3), p50_ms = Math.Round(Arguments.Median(millis), 2), max_ms = Math.Round(millis.Max(), 2) };
    }
}
