using NodeAgent.Placement.Fleet;
using NodeAgent.Placement.Requests;
using NodeAgent.Placement.Solvers;

namespace NodeAgent.Placement.Plans;

/// <summary>What one more kind of node would bring.</summary>
/// <param name="Like">A node of this shape is in the fleet.</param>
/// <param name="Nodes">How many would take all refused demand that fits the shape.</param>
/// <param name="AdmittedGpus">GPUs of refused demand that they would admit.</param>
/// <param name="GpusPerNode">Shadow price: GPUs of refused demand that the first such node admits.</param>
/// <param name="Summary">In words.</param>
public sealed record ScaleAdvice(string Like, int Nodes, double AdmittedGpus, double GpusPerNode, string Summary);

/// <summary>
/// Advice from refused demand and shadow prices, not from utilisation thresholds. Fluid: a linear program packs the refused replicas into
/// n nodes of one shape; the dual of "n nodes" is what one more is worth.
/// </summary>
internal static class ScaleAdvisor
{
    private const int MostNodes = 1 << 16;

    public static IReadOnlyList<ScaleAdvice> Advise(FleetCatalog catalog, IReadOnlyList<(Demand Demand, int Count)> refused)
    {
        var advice = new List<ScaleAdvice>();
        foreach (IGrouping<(string, int, int, int), NodeSpec> shape in catalog.Nodes.Where(node => !node.Mig).GroupBy(node => (node.Model, node.GpuCount, node.CpuMilli, node.MemoryMiB)))
        {
            NodeSpec like = shape.First();
            int model = catalog.ModelOf[catalog.Find(like.Name)];
            (Demand Demand, int Count)[] fitting = [.. refused.Where(entry => entry.Demand.Accepts(model) && entry.Demand.MemoryMiB <= like.MemoryMiB && entry.Demand.Fits(like.CpuMilli, GpuLanes.WholeGpus(like.GpuCount)))];
            if (fitting.Length == 0)
            {
                continue;
            }

            (double all, _) = Admitted(like, fitting, MostNodes);
            (_, double first) = Admitted(like, fitting, 1);
            int nodes = Fewest(like, fitting, all);
            advice.Add(new ScaleAdvice(like.Name, nodes, all, first, $"+{nodes} nodes like {like.Name} ({like.GpuCount} x {like.Model}) raise admitted load by {all:F1} GPUs; the first by {first:F1}"));
        }

        return [.. advice.OrderByDescending(entry => entry.GpusPerNode).ThenBy(entry => entry.Like, StringComparer.Ordinal)];
    }

    private static int Fewest(NodeSpec like, (Demand Demand, int Count)[] refused, double all)
    {
        int low = 0, high = MostNodes;
        while (high - low > 1)
        {
            int middle = (low + high) / 2;
            (low, high) = Admitted(like, refused, middle).Admitted >= all - 1e-6 ? (low, middle) : (middle, high);
        }

        return high;
    }

    private static (double Admitted, double PerNode) Admitted(NodeSpec like, (Demand Demand, int Count)[] refused, int nodes)
    {
        // Columns: replicas of each demand, and the nodes (fixed). Rows: CPU, memory, GPU; amounts of the nodes enter with a minus.
        var program = new LinearProgram();
        int cpu = program.AddRow(double.NegativeInfinity, 0);
        int memory = program.AddRow(double.NegativeInfinity, 0);
        int gpu = program.AddRow(double.NegativeInfinity, 0);
        int count = program.AddRow(nodes, nodes);
        foreach ((Demand demand, int replicas) in refused)
        {
            double gpus = demand.TotalGpuMilli / 1000.0;

            // Demand without GPU is worth a sliver, so that it is admitted where it costs nothing.
            program.AddColumn(-Math.Max(gpus, 1e-6), 0, replicas, [(cpu, demand.CpuMilli / 1000.0), (memory, demand.MemoryMiB / 1024.0), (gpu, gpus)]);
        }

        program.AddColumn(0, 0, double.PositiveInfinity, [(cpu, -like.CpuMilli / 1000.0), (memory, -like.MemoryMiB / 1024.0), (gpu, -like.GpuCount), (count, 1)]);
        LinearSolution solution = Simplex.Solve(program);
        return (-solution.Objective, -solution.Duals[count]);
    }
}
