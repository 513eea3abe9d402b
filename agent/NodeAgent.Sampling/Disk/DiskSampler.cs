using NodeAgent.Contracts.Metrics;
using NodeAgent.Sampling.Linux;

namespace NodeAgent.Sampling.Disk;

/// <summary>Requests, bytes and times of block devices.</summary>
internal sealed class DiskSampler(HostRoots roots) : DeviceTableSampler(Path.Combine(roots.Proc, "diskstats"), DiskMetrics.InKernelOrder)
{
    private const int SectorBytes = 512; // the kernel's unit whatever the device's sector is (iostats.rst)
    private const double MillisecondsPerSecond = 1000;

    // Which columns of DiskMetrics.InKernelOrder are sectors to turn into bytes, and which are milliseconds.
    private const uint Sectors = (1 << 2) | (1 << 6);
    private const uint Milliseconds = (1 << 3) | (1 << 7) | (1 << 9) | (1 << 10) | (1 << 14) | (1 << 16);

    public override string Name => "disk";

    protected override DeviceLine Parse(ReadOnlySpan<byte> line, out ReadOnlySpan<byte> device, Span<ulong> counters, out int count) =>
        DiskstatsParser.TryParse(line, out device, counters, out count) ? DeviceLine.Device : DeviceLine.Malformed;

    protected override bool IsExcluded(string device) => DiskFilter.IsExcluded(device);

    protected override double Convert(int counter, ulong value)
    {
        uint bit = 1u << counter;
        return (Sectors & bit) != 0 ? (double)value * SectorBytes : (Milliseconds & bit) != 0 ? value / MillisecondsPerSecond : value;
    }
}
