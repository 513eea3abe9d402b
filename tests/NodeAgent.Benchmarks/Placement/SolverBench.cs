using System.Diagnostics;
using System.IO.Compression;
using System.Text.Json;
using NodeAgent.Placement.Fleet;
using NodeAgent.Placement.Reassignment;
using NodeAgent.Placement.Requests;
using NodeAgent.Placement.Solvers;
using NodeAgent.Placement.Traces;

namespace NodeAgent.Benchmarks.Placement;

/// <summary>Part d (ROADEF 2012 reassignment) and the simplex on Netlib and on the fluid program of openb.</summary>
internal static class SolverBench
{
    // Published lower bounds of the challenge instances.
    private static readonly Dictionary<string, long> LowerBounds = new()
    {
        ["a1_1"] = 44306390, ["a1_2"] = 777530730, ["a1_3"] = 583005700, ["a1_4"] = 242387530, ["a1_5"] = 727578290, ["a2_1"] = 0, ["a2_2"] = 13590090,
        ["a2_3"] = 521441700, ["a2_4"] = 1680222380, ["a2_5"] = 307035180, ["b_1"] = 3290754940, ["b_2"] = 1015153860, ["b_4"] = 4677767120,
        ["b_3"] = 156631070, ["b_5"] = 922858550, ["b_6"] = 9525841820, ["b_7"] = 14833996360, ["b_8"] = 1214153440, ["b_9"] = 15885369400, ["b_10"] = 18048006980,
    };

    internal static int Roadef(string[] arguments)
    {
        if (PlacementData.Root(arguments) is not { } root || !Directory.Exists(Path.Combine(root, "roadef")))
        {
            return PlacementData.Missing("ROADEF instances");
        }

        string folder = Path.Combine(root, "roadef");
        int secondsA = Arguments.Number(arguments, "--seconds", 60);
        int secondsB = Arguments.Number(arguments, "--seconds-b", secondsA * 5 / 3);
        var rows = new List<object>();
        int faults = 0;
        Console.WriteLine($"{"instance",-8} {"initial",14} {"cost",14} {"lower bound",14} {"gap",9} {"moves",6} {"tried",8}");
        foreach (string name in PlacementData.List(arguments, "--instances", [.. LowerBounds.Keys]).Where(name => File.Exists(Path.Combine(folder, $"model_{name}.txt.gz"))))
        {
            ReassignmentModel model = ReassignmentModel.Read(Open(Path.Combine(folder, $"model_{name}.txt.gz")));
            int[] initial = model.ReadAssignment(Open(Path.Combine(folder, $"assignment_{name}.txt.gz")));
            int seconds = name[0] == 'b' ? secondsB : secondsA;
            double start = ThreadClock.Micros;
            AnnealingResult result = new Annealer(model, initial, (ulong)Arguments.Number(arguments, "--seed", 1)).Run(_ => (ThreadClock.Micros - start) / 1e6 / seconds);
            bool sound = ReassignmentChecker.Fault(model, initial, result.Assignment) is null && ReassignmentChecker.Cost(model, initial, result.Assignment) == result.Cost;
            faults += sound ? 0 : 1;
            long bound = LowerBounds.GetValueOrDefault(name);
            int moved = result.Assignment.Zip(initial).Count(pair => pair.First != pair.Second);
            double gap = bound > 0 ? 100.0 * (result.Cost - bound) / bound : double.NaN;
            Console.WriteLine($"{name,-8} {ReassignmentChecker.Cost(model, initial, initial),14} {result.Cost,14} {bound,14} {gap,8:F3}% {moved,6} {result.Tried / 1e6,7:F0}M{(sound ? "" : " VIOLATION")}");
            rows.Add(new { instance = name, seconds, cost = result.Cost, lower_bound = bound, gap_percent = double.IsNaN(gap) ? (double?)null : Math.Round(gap, 4), moved, sound });
        }

        Console.WriteLine(JsonSerializer.Serialize(new { bench = "placement roadef", rows }));
        return faults;
    }

    internal static int Linear(string[] arguments)
    {
        if (PlacementData.Root(arguments) is not { } root || !Directory.Exists(Path.Combine(root, "netlib")))
        {
            return PlacementData.Missing("Netlib problems");
        }

        int right = 0, all = 0;
        foreach (string[] cells in File.ReadLines(Path.Combine(root, "netlib", "optimal.csv")).Skip(1).Select(line => line.Split(',')))
        {
            LinearProgram program = MpsFile.Read(Open(Path.Combine(root, "netlib", cells[0] + ".mps.gz")));
            double optimum = double.Parse(cells[1]);
            long start = Stopwatch.GetTimestamp();
            LinearSolution solution = Simplex.Solve(program);
            double error = Math.Abs(solution.Objective - optimum) / Math.Max(1, Math.Abs(optimum));
            bool good = solution.Status == LinearStatus.Optimal && error <= 1e-6;
            (right, all) = (right + (good ? 1 : 0), all + 1);
            Console.WriteLine($"{cells[0],-10} {program.RowLower.Count,5} x {program.Cost.Count,-5} {solution.Status,-10} {solution.Objective,18:G12} error {error:E1} {solution.Iterations,5} iterations {Stopwatch.GetElapsedTime(start).TotalMilliseconds,7:F0} ms");
        }

        (double fluid, double millis) = Fluid(root);
        Console.WriteLine(JsonSerializer.Serialize(new { bench = "placement lp", netlib_optimal = right, netlib = all, openb_fluid_gpus = Math.Round(fluid, 6), openb_fluid_ms = Math.Round(millis, 2) }));
        return right == all ? 0 : 1;
    }

    // GPUs that the fleet could serve if requests were fluid: node shapes x request shapes, CPU and GPU per shape, demand as it is.
    private static (double Gpus, double Millis) Fluid(string root)
    {
        var catalog = new FleetCatalog(PlacementData.Nodes(Path.Combine(root, "openb", "nodes.csv")));
        Demand[] demands = PlacementData.Demands(PlacementData.Pods(Path.Combine(root, "openb", "pods", "default.csv")), catalog);
        var shapes = catalog.Nodes.Where(node => node.GpuCount > 0).GroupBy(node => (node.Model, node.GpuCount, node.CpuMilli)).Select(group => (Node: group.First(), Count: group.Count())).ToList();
        var types = demands.GroupBy(demand => demand with { MemoryMiB = 0 }).Select(group => (group.Key, Count: group.Count())).ToList();
        double scale = 1.3 * catalog.GpuMilli / demands.Sum(demand => (double)demand.TotalGpuMilli);
        double best = double.PositiveInfinity;
        double gpus = 0;
        for (int run = 0; run < 5; run++)
        {
            var program = new LinearProgram();
            int[] cpu = [.. shapes.Select(shape => program.AddRow(double.NegativeInfinity, shape.Count * (double)shape.Node.CpuMilli / 1000))];
            int[] gpu = [.. shapes.Select(shape => program.AddRow(double.NegativeInfinity, shape.Count * (double)shape.Node.GpuCount))];
            int[] demand = [.. types.Select(type => program.AddRow(double.NegativeInfinity, type.Count * scale))];
            for (int shape = 0; shape < shapes.Count; shape++)
            {
                for (int type = 0; type < types.Count; type++)
                {
                    Demand asked = types[type].Key;
                    if (asked.GpuCount <= shapes[shape].Node.GpuCount && asked.CpuMilli <= shapes[shape].Node.CpuMilli && asked.Accepts(catalog.ModelOf[catalog.Find(shapes[shape].Node.Name)]))
                    {
                        program.AddColumn(-asked.TotalGpuMilli / 1000.0, 0, double.PositiveInfinity, [(cpu[shape], asked.CpuMilli / 1000.0), (gpu[shape], asked.TotalGpuMilli / 1000.0), (demand[type], 1)]);
                    }
                }
            }

            long start = Stopwatch.GetTimestamp();
            gpus = -Simplex.Solve(program).Objective;
            best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        }

        return (gpus, best);
    }

    private static StreamReader Open(string path) => new(new GZipStream(File.OpenRead(path), CompressionMode.Decompress));
}
