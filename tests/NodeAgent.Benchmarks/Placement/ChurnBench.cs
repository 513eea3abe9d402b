using System.Text.Json;
using NodeAgent.Placement.Fleet;
using NodeAgent.Placement.Requests;
using NodeAgent.Placement.Traces;

namespace NodeAgent.Benchmarks.Placement;

/// <summary>Part b: Poisson arrivals from a trace, exponential lifetimes, offered load 0.97 and 1.05.</summary>
internal static class ChurnBench
{
    private static readonly double[] Loads = [0.97, 1.05];

    internal static int Run(string[] arguments)
    {
        if (PlacementData.Root(arguments) is not { } root)
        {
            return PlacementData.Missing("openb trace");
        }

        string[] policies = PlacementData.List(arguments, "--policies", ["Fgd", "Blend", "Blend+repair"]);
        int seeds = Arguments.Number(arguments, "--seeds", 1);
        int lifetimes = Arguments.Number(arguments, "--lifetimes", 8);
        NodeSpec[] nodes = PlacementData.Nodes(Path.Combine(root, "openb", "nodes.csv"));
        var rows = new List<object>();
        Console.WriteLine($"{"trace",-12} {"load",5} {"policy",-14} {"allocation %",12} {"blocked %",10} {"moves/100",10}");
        foreach (string trace in PlacementData.List(arguments, "--traces", ["default", "gpushare40", "multigpu20", "cpu250"]))
        {
            TracePod[] pods = PlacementData.Pods(Path.Combine(root, "openb", "pods", trace + ".csv"));
            foreach (double load in Loads)
            {
                foreach (string policy in policies)
                {
                    ChurnResult[] results = [.. Enumerable.Range(1, seeds).Select(seed => RunOne(nodes, pods, policy, load, lifetimes, seed))];
                    (double allocation, double blocked, double moves) = (results.Average(result => result.Allocation), results.Average(result => result.Blocked), results.Average(result => result.MovesPer100));
                    Console.WriteLine($"{trace,-12} {load,5:F2} {policy,-14} {allocation,12:F2} {blocked,10:F2} {moves,10:F2}");
                    rows.Add(new { trace, load, policy, allocation = Math.Round(allocation, 2), blocked = Math.Round(blocked, 2), moves_per_100 = Math.Round(moves, 2) });
                }
            }
        }

        Console.WriteLine(JsonSerializer.Serialize(new { bench = "placement churn", rows }));
        return 0;
    }

    private static ChurnResult RunOne(NodeSpec[] nodes, TracePod[] pods, string policy, double load, int lifetimes, int seed)
    {
        var catalog = new FleetCatalog(nodes);
        var book = new FleetBook(catalog);
        var run = new PolicyRun(policy, book, pods, seed);
        Demand[] demands = PlacementData.Demands(pods, catalog);
        return new ChurnRun(book, run.Place, run.Repair) { OnArrival = run.Arrived }.Run(demands, load, lifetimes, (ulong)seed);
    }
}
