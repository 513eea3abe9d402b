using NodeAgent.Contracts.Metrics;
using NodeAgent.Contracts.Series;
using NodeAgent.Sampling.Linux;
using NodeAgent.Sampling.Scheduling;

namespace NodeAgent.Sampling.Memory;

/// <summary>Huge page pools of every size the host supports.</summary>
internal sealed class HugepageSampler : ISampler, IDisposable
{
    private const string Prefix = "hugepages-";

    private static readonly (string File, MetricDefinition Metric)[] Sources =
    [
        ("nr_hugepages", MemoryMetrics.HugepagesTotal),
        ("free_hugepages", MemoryMetrics.HugepagesFree),
        ("resv_hugepages", MemoryMetrics.HugepagesReserved),
        ("surplus_hugepages", MemoryMetrics.HugepagesSurplus),
    ];

    private readonly KernelBuffer _buffer = new(64);
    private readonly List<(KernelFile File, int Column)> _files = [];

    public HugepageSampler(HostRoots roots)
    {
        string root = Path.Combine(roots.Sys, "kernel/mm/hugepages");
        foreach (string name in Subdirectories.Find(root, Prefix))
        {
            Label size = new("size", name[Prefix.Length..]);
            foreach ((string file, MetricDefinition metric) in Sources)
            {
                if (KernelFile.TryOpen(Path.Combine(root, name, file), _buffer, wholeInOneRead: true) is { } opened)
                {
                    _files.Add((opened, Series.Add(metric, size)));
                }
            }
        }
    }

    public string Name => "hugepages";

    public SeriesTable Series { get; } = new();

    public SampleStatus Sample(in SampleTime now)
    {
        SampleStatus status = _files.Count == 0 ? SampleStatus.NoData : SampleStatus.Ok;
        foreach ((KernelFile file, int column) in _files)
        {
            if (NumberParser.TryParse(file.Read(), out ulong value))
            {
                Series.Set(column, value);
            }
            else
            {
                status = SampleStatus.Malformed;
            }
        }

        return status;
    }

    public void Dispose() => _files.ForEach(file => file.File.Dispose());
}
