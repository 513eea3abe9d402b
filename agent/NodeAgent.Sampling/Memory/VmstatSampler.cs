using System.Text;
using NodeAgent.Contracts.Metrics;
using NodeAgent.Sampling.Linux;
using NodeAgent.Sampling.Scheduling;

namespace NodeAgent.Sampling.Memory;

/// <summary>Paging, faults, swapping, OOM kills: the lines of /proc/vmstat that node_exporter takes by default.</summary>
internal sealed class VmstatSampler(HostRoots roots) : ISampler, IDisposable
{
    private readonly KernelFile? _file = KernelFile.TryOpen(Path.Combine(roots.Proc, "vmstat"), initialBytes: 16 * 1024);
    private readonly KeyValueColumns _columns = new(key => MemoryMetrics.VmstatMetric(key));

    public string Name => "vmstat";

    public SeriesTable Series { get; } = new();

    public SampleStatus Sample(in SampleTime now) => _file is null ? SampleStatus.NoData : _columns.Set(_file.Read(), Series);

    public void Dispose() => _file?.Dispose();
}
