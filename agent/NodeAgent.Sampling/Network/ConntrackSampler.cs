using NodeAgent.Contracts.Metrics;
using NodeAgent.Sampling.Linux;
using NodeAgent.Sampling.Scheduling;

namespace NodeAgent.Sampling.Network;

/// <summary>The fill of the connection tracking table. Its two files cost as much as all socket counts, so it has a beat of its own.</summary>
internal sealed class ConntrackSampler : ISampler, IDisposable
{
    private readonly KernelFile? _entries;
    private readonly KernelFile? _limit;

    public ConntrackSampler(HostRoots roots)
    {
        _entries = Open("nf_conntrack_count");
        _limit = Open("nf_conntrack_max");
        if (_entries is not null)
        {
            Series.Add(SocketMetrics.ConntrackEntries);
            Series.Add(SocketMetrics.ConntrackLimit);
        }

        KernelFile? Open(string name) => KernelFile.TryOpen(Path.Combine(roots.Proc, "sys/net/netfilter", name), initialBytes: 64, wholeInOneRead: true);
    }

    public string Name => "conntrack";

    public SeriesTable Series { get; } = new();

    public SampleStatus Sample(in SampleTime now)
    {
        if (_entries is null)
        {
            return SampleStatus.NoData; // the module is not loaded
        }

        Set(0, _entries);
        Set(1, _limit);
        return SampleStatus.Ok;
    }

    public void Dispose()
    {
        _entries?.Dispose();
        _limit?.Dispose();
    }

    private void Set(int column, KernelFile? file)
    {
        if (file is not null && Sysfs.TryRead(file, out ReadOnlySpan<byte> text) && AttributeParser.TryParse(text, AttributeReading.Plain, out double value))
        {
            Series.Set(column, value);
        }
    }
}
