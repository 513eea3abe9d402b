using System.Text.RegularExpressions;

namespace NodeAgent.Sampling.Disk;

/// <summary>Block devices that say nothing about the hardware: RAM disks, loop devices, floppies and partitions.</summary>
internal static partial class DiskFilter
{
    /// <summary>Whether node_exporter 1.5 would leave the device out by default (its --collector.diskstats.device-exclude).</summary>
    public static bool IsExcluded(string device) => Excluded().IsMatch(device);

    [GeneratedRegex(@"^(ram|loop|fd|(h|s|v|xv)d[a-z]|nvme\d+n\d+p)\d+$", RegexOptions.CultureInvariant)]
    private static partial Regex Excluded();
}
