using NodeAgent.Contracts.Metrics;
using NodeAgent.Sampling.Linux;

namespace NodeAgent.Sampling.Network;

/// <summary>Traffic and errors of network interfaces.</summary>
internal sealed class NetworkSampler(HostRoots roots) : DeviceTableSampler(Path.Combine(roots.Proc, "net/dev"), NetworkMetrics.InKernelOrder)
{
    public override string Name => "network";

    protected override DeviceLine Parse(ReadOnlySpan<byte> line, out ReadOnlySpan<byte> device, Span<ulong> counters, out int count) =>
        NetDevParser.Parse(line, out device, counters, out count);

    protected override bool IsExcluded(string device) => device == "lo"; // node_exporter's default too

    protected override double Convert(int counter, ulong value) => value;
}
