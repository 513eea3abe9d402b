namespace NodeAgent.Sampling.Cgroups;

/// <summary>What a control group is to people.</summary>
/// <param name="Kind">Kinds in the order in which they matter when there are too many groups.</param>
/// <param name="Name">Unit, short container id, pod uid or job id.</param>
/// <param name="Pod">Uid of the pod a container belongs to; empty otherwise.</param>
internal readonly record struct CgroupIdentity(CgroupKind Kind, string Name, string Pod = "");

/// <summary>See <see cref="CgroupIdentity"/>.</summary>
internal enum CgroupKind
{
    /// <summary>A Slurm job.</summary>
    Job,

    /// <summary>A Kubernetes pod.</summary>
    Pod,

    /// <summary>A container of Docker, containerd, CRI-O, Podman or LXC.</summary>
    Container,

    /// <summary>A systemd service.</summary>
    Service,

    /// <summary>A systemd slice.</summary>
    Slice,

    /// <summary>A systemd scope: a login session, a virtual machine.</summary>
    Scope,
}
