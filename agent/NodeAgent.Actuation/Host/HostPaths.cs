namespace NodeAgent.Actuation.Host;

/// <summary>Where the kernel shows the host; tests put folders of their own there.</summary>
public sealed record HostPaths
{
    public string Proc { get; init; } = "/proc";

    public string Sys { get; init; } = "/sys";

    public string CgroupRoot { get; init; } = "/sys/fs/cgroup";

    public string Dev { get; init; } = "/dev";

    public string Systemctl { get; init; } = "/usr/bin/systemctl";

    public string Tc { get; init; } = "/usr/sbin/tc";

    public string Ip { get; init; } = "/usr/sbin/ip";

    public string Scontrol { get; init; } = "/usr/bin/scontrol";

    public string NvidiaSmi { get; init; } = "/usr/bin/nvidia-smi";

    /// <summary>User id besides 0 whose programs may be started: for tests that are not root.</summary>
    public uint TrustedOwner { get; init; }
}
