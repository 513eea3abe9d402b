using System.Diagnostics;
using System.Text.Json;
using NodeAgent.Placement.Fleet;
using NodeAgent.Placement.Traces;

namespace NodeAgent.Benchmarks.Placement;

/// <summary>
/// Part a: the inflation test of FGD on the openb trace, beside the authors' own results and an LP bound computed once by column generation
/// (given that a policy accepts what arrives in the first percent of load named there).
/// </summary>
internal static class OpenbBench
{
    internal static readonly string[] Traces = ["default", "cpu050", "cpu250", "gpushare40", "gpushare100", "gpuspec10", "gpuspec33", "multigpu20", "multigpu50"];

    private static readonly Dictionary<string, double> Bound = new()
    {
        ["default"] = 96.50, ["cpu050"] = 96.56, ["cpu100"] = 96.54, ["cpu200"] = 96.59, ["cpu250"] = 96.69, ["gpushare40"] = 95.25, ["gpushare60"] = 92.93,
        ["gpushare80"] = 91.17, ["gpushare100"] = 89.06, ["multigpu20"] = 97.03, ["multigpu30"] = 97.41, ["multigpu40"] = 97.80, ["multigpu50"] = 98.14,
    };

    internal static int Run(string[] arguments)
    {
        string[] policies = PlacementData.List(arguments, "--policies", ["Random", "DotProd", "GpuClustering", "GpuPacking", "BestFit", "Fgd", "Value", "Value+repair"]);
        int seeds = Arguments.Number(arguments, "--seeds", 5);
        using StreamWriter? output = PlacementData.Text(arguments, "--out") is { } file ? new StreamWriter(file) : null;
        List<(string Trace, string Pods, string Nodes, string Order)> inputs = Inputs(arguments, out string? root);
        if (inputs.Count == 0)
        {
            return PlacementData.Missing("openb trace");
        }

        Dictionary<(string, string, int), double[]> published = root is null ? [] : Published(Path.Combine(root, "openb", "published_allocation.csv"));
        var rows = new List<Row>();
        Console.WriteLine($"{"trace",-12} {"policy",-14} {"@100",6} {"@130",6}   {"published",-13} {"LP bound",8} {"1st refusal",11} {"big refused",11} {"us/decision",11}");
        foreach ((string trace, string pods, string nodes, string order) in inputs)
        {
            foreach (string policy in policies)
            {
                Row[] of = [.. RunSeeds(trace, policy, pods, nodes, order, seeds, published)];
                rows.AddRange(of);
                Print(of);
                foreach (Row row in of)
                {
                    output?.WriteLine(JsonSerializer.Serialize(row.Json()));
                }

                output?.Flush();
            }
        }

        Console.WriteLine(JsonSerializer.Serialize(Summary(rows)));
        return rows.Sum(row => row.Violations) == 0 ? 0 : 1;
    }

    private static List<(string, string, string, string)> Inputs(string[] arguments, out string? root)
    {
        root = PlacementData.Root(arguments);
        if (PlacementData.Text(arguments, "--pods") is { } pods)
        {
            string nodes = PlacementData.Text(arguments, "--nodes") ?? throw new ArgumentException("--pods needs --nodes and --order");
            string order = PlacementData.Text(arguments, "--order") ?? throw new ArgumentException("--pods needs --nodes and --order");
            return [(Path.GetFileNameWithoutExtension(pods), pods, nodes, order)];
        }

        string? openb = root is null ? null : Path.Combine(root, "openb");
        return openb is null ? [] : [.. PlacementData.List(arguments, "--traces", Traces)
            .Select(trace => (trace, Path.Combine(openb, "pods", trace + ".csv"), Path.Combine(openb, "nodes.csv"), Path.Combine(openb, "orders", trace + ".txt.gz")))
            .Where(input => File.Exists(input.Item2))];
    }

    private static IEnumerable<Row> RunSeeds(
        string trace, string policy, string podFile, string nodeFile, string orderFile, int seeds, Dictionary<(string, string, int), double[]> published)
    {
        NodeSpec[] nodes = PlacementData.Nodes(nodeFile);
        TracePod[] pods = PlacementData.Pods(podFile);
        foreach (ArrivalOrder order in OpenbTrace.ReadOrders(File.OpenRead(orderFile), orderFile.EndsWith(".gz", StringComparison.Ordinal)).Take(seeds))
        {
            FleetCatalog catalog = OpenbTrace.Ranked(nodes, order.NodeRanks);
            var book = new FleetBook(catalog);
            var run = new PolicyRun(policy, book, pods, order.Seed);
            TracePod[] arriving = [.. order.Pods.Select(pod => pods[pod])];
            var journal = new List<Placed>();
            long start = Stopwatch.GetTimestamp();
            InflationResult result = new InflationRun(book, run.Place, run.Repair) { OnArrival = run.Arrived }.Run(PlacementData.Demands(arriving, catalog), journal);
            double micros = Stopwatch.GetElapsedTime(start).TotalMicroseconds / arriving.Length;
            IReadOnlyList<string> faults = PlacementChecker.Check(catalog.Nodes, arriving, journal);
            foreach (string fault in faults.Take(3))
            {
                Console.Error.WriteLine($"VIOLATION {trace} {policy} {order.Seed}: {fault}");
            }

            yield return new Row(trace, policy, order.Seed, result, published.GetValueOrDefault((trace, policy.ToUpperInvariant(), order.Seed)),
                published.GetValueOrDefault((trace, "FGD", order.Seed)), faults.Count, micros);
        }
    }

    private static void Print(Row[] rows)
    {
        double? at100 = Mean(rows.Select(row => row.Published?[0]));
        double? at130 = Mean(rows.Select(row => row.Published?[1]));
        string bound = Bound.TryGetValue(rows[0].Trace, out double value) ? $"{value:F2}" : "-";
        string known = at100 is null ? "-" : $"{at100:F2} {at130:F2}";
        Console.WriteLine($"{rows[0].Trace,-12} {rows[0].Policy,-14} {rows.Average(row => row.Result.Curve.At(100)),6:F2} {rows.Average(row => row.Result.Curve.At(130)),6:F2}   {known,-13} {bound,8} "
            + $"{Mean(rows.Select(row => double.IsNaN(row.Result.FirstFailureLoad) ? (double?)null : row.Result.FirstFailureLoad)),11:F1} {rows.Average(row => row.Result.BigRefusedBefore90),11:F1} {rows.Average(row => row.Micros),11:F1}");
    }

    private static double? Mean(IEnumerable<double?> values)
    {
        double[] present = [.. values.OfType<double>()];
        return present.Length == 0 ? null : present.Average();
    }

    private static object Summary(List<Row> rows)
    {
        Row[] reference = [.. rows.Where(row => row.Published is not null)];
        double[] differences = [.. reference.GroupBy(row => (row.Trace, row.Policy)).Select(group => Math.Abs(group.Average(row => row.Result.Curve.At(130) - row.Published![1])))];
        double[] fgd = [.. reference.Where(row => row.Policy.Equals("Fgd", StringComparison.OrdinalIgnoreCase)).GroupBy(row => row.Trace)
            .Select(group => Math.Abs(group.Average(row => row.Result.Curve.At(130) - row.Published![1])))];
        return new
        {
            bench = "placement openb",
            runs = rows.Count,
            violations = rows.Sum(row => row.Violations),
            t1_mean_difference = differences.Length == 0 ? (double?)null : Math.Round(differences.Average(), 3),
            t1_fgd_worst = fgd.Length == 0 ? (double?)null : Math.Round(fgd.Max(), 3),
            t2 = rows.Where(row => row.Fgd is not null && row.Policy.StartsWith("Value", StringComparison.OrdinalIgnoreCase)).GroupBy(row => row.Policy).Select(group => new
            {
                policy = group.Key,
                // Mean over traces of the change of unallocated GPUs against the published FGD of the same seeds.
                unallocated_percent = Math.Round(group.GroupBy(row => row.Trace).Average(of => 100 * ((of.Average(row => 100 - row.Result.Curve.At(130)) / of.Average(row => 100 - row.Fgd![1])) - 1)), 1),
                wins = group.Count(row => row.Result.Curve.At(130) > row.Fgd![1]),
                of = group.Count(),
            }),
        };
    }

    private static Dictionary<(string, string, int), double[]> Published(string file)
    {
        var published = new Dictionary<(string, string, int), double[]>();
        if (!File.Exists(file))
        {
            return published;
        }

        string[] lines = File.ReadAllLines(file);
        string[] header = lines[0].Split(',');
        (int at100, int at130) = (Array.IndexOf(header, "100"), Array.IndexOf(header, "130"));
        foreach (string[] cells in lines.Skip(1).Select(line => line.Split(',')))
        {
            // Four of the authors' own runs are incomplete in their file.
            if (double.TryParse(cells[at100], out double hundred) && double.TryParse(cells[at130], out double end))
            {
                published[(cells[0], cells[1][3..].ToUpperInvariant(), int.Parse(cells[3]))] = [hundred, end];
            }
        }

        return published;
    }

    private sealed record Row(string Trace, string Policy, int Seed, InflationResult Result, double[]? Published, double[]? Fgd, int Violations, double Micros)
    {
        public object Json() => new
        {
            trace = Trace,
            policy = Policy,
            seed = Seed,
            allocation_at_100 = Result.Curve.At(100),
            allocation_at_130 = Result.Curve.At(130),
            first_failure_load = double.IsNaN(Result.FirstFailureLoad) ? (double?)null : Math.Round(Result.FirstFailureLoad, 2),
            big_refused_before_90 = Result.BigRefusedBefore90,
            moves = Result.Moves,
            violations = Violations,
        };
    }
}
