using NodeAgent.Contracts.Metrics;
using NodeAgent.Contracts.Series;
using NodeAgent.Sampling.Linux;
using NodeAgent.Sampling.Scheduling;

namespace NodeAgent.Sampling.Memory;

/// <summary>Memory and allocation counters of each NUMA node.</summary>
internal sealed class NumaSampler : ISampler, IDisposable
{
    private readonly KernelBuffer _buffer = new();
    private readonly List<Node> _nodes = [];

    public NumaSampler(HostRoots roots)
    {
        foreach (int id in Subdirectories.FindNumbered(Path.Combine(roots.Sys, "devices/system/node"), "node"))
        {
            string path = Path.Combine(roots.Sys, "devices/system/node", $"node{id}");
            Label label = new("numa_node", id.ToString());
            _nodes.Add(new Node(
                KernelFile.TryOpen(Path.Combine(path, "meminfo"), _buffer, wholeInOneRead: true),
                new MeminfoColumns(MemoryMetrics.NumaMeminfo, label),
                KernelFile.TryOpen(Path.Combine(path, "numastat"), _buffer, wholeInOneRead: true),
                new KeyValueColumns(MemoryMetrics.NumastatMetric, label)));
        }
    }

    public string Name => "meminfo_numa";

    public SeriesTable Series { get; } = new();

    public SampleStatus Sample(in SampleTime now)
    {
        SampleStatus worst = SampleStatus.NoData;
        foreach (Node node in _nodes)
        {
            if (node.Meminfo is not null)
            {
                worst = Worse(worst, node.MeminfoColumns.Set(node.Meminfo.Read(), Series));
            }

            if (node.Numastat is not null)
            {
                worst = Worse(worst, node.NumastatColumns.Set(node.Numastat.Read(), Series));
            }
        }

        return worst;
    }

    public void Dispose()
    {
        foreach (Node node in _nodes)
        {
            node.Meminfo?.Dispose();
            node.Numastat?.Dispose();
        }
    }

    private static SampleStatus Worse(SampleStatus left, SampleStatus right) =>
        left == SampleStatus.NoData ? right : right == SampleStatus.NoData || left > right ? left : right;

    private sealed record Node(KernelFile? Meminfo, MeminfoColumns MeminfoColumns, KernelFile? Numastat, KeyValueColumns NumastatColumns);
}
