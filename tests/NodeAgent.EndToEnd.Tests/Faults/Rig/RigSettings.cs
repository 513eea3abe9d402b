namespace NodeAgent.EndToEnd.Tests.Faults.Rig;

/// <summary>Settings that all agents under fault tests have.</summary>
internal static class RigSettings
{
    // Those that make a frame a frame, without what is slow to read or differs in a namespace.
    private static readonly string[] Kept = ["time", "meminfo", "loadavg", "cpu"];

    private static readonly string[] Left =
    [
        "pressure", "schedstat", "cpufreq", "thermal_throttle", "vmstat", "meminfo_numa", "hugepages", "swaps", "processes", "filefd", "timex", "disk",
        "filesystem", "network", "network_link", "netstat", "sockets", "softnet", "rdma", "hwmon", "thermal", "power", "edac", "cgroups",
    ];

    internal static IEnumerable<string> Samplers(TimeSpan tick) =>
        Kept.Select(name => $"sampling.samplers.{name}.interval={tick.TotalMilliseconds:0}ms")
            .Concat(Left.Select(name => $"sampling.samplers.{name}.enabled=false"));
}
