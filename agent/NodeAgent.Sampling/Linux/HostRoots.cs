namespace NodeAgent.Sampling.Linux;

/// <summary>
/// Where the kernel's file systems are. The defaults are this host's; tests point them at a captured tree, and an agent in a
/// container at the host's mounts.
/// </summary>
/// <param name="Proc">procfs; default /proc.</param>
/// <param name="Sys">sysfs; default /sys.</param>
/// <param name="Etc">Configuration, for os-release and machine-id; default /etc.</param>
public sealed record HostRoots(string Proc = "/proc", string Sys = "/sys", string Etc = "/etc");
