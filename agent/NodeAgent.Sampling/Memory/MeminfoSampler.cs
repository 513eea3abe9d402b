using NodeAgent.Contracts.Metrics;
using NodeAgent.Sampling.Linux;
using NodeAgent.Sampling.Scheduling;

namespace NodeAgent.Sampling.Memory;

/// <summary>Host memory: every line of /proc/meminfo.</summary>
internal sealed class MeminfoSampler(HostRoots roots) : ISampler, IDisposable
{
    private readonly KernelFile? _file = KernelFile.TryOpen(Path.Combine(roots.Proc, "meminfo"), wholeInOneRead: true);
    private readonly MeminfoColumns _columns = new(MemoryMetrics.Meminfo);

    public string Name => "meminfo";

    public SeriesTable Series { get; } = new();

    public SampleStatus Sample(in SampleTime now) => _file is null ? SampleStatus.NoData : _columns.Set(_file.Read(), Series);

    public void Dispose() => _file?.Dispose();
}
