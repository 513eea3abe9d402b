using NodeAgent.Sampling.Linux;

namespace NodeAgent.Sampling.Inventory;

/// <summary>What the host runs on: the same order of questions as systemd-detect-virt(1), with the answers that need no privilege.</summary>
internal static class Virtualization
{
    // systemd, src/basic/virt.c, detect_vm_dmi_vendor: what the firmware tables say, and what it means.
    private static readonly (string Text, string Name)[] Vendors =
    [
        ("KVM", "kvm"),
        ("OpenStack", "kvm"),
        ("Amazon EC2", "amazon"),
        ("QEMU", "qemu"),
        ("VMware", "vmware"),
        ("VMW", "vmware"),
        ("innotek GmbH", "oracle"),
        ("VirtualBox", "oracle"),
        ("Xen", "xen"),
        ("Bochs", "bochs"),
        ("Parallels", "parallels"),
        ("BHYVE", "bhyve"),
        ("Hyper-V", "microsoft"),
        ("Virtual Machine", "microsoft"),
        ("Google Compute Engine", "google"),
        ("Apple Virtualization", "apple"),
    ];

    /// <summary>"container", a hypervisor's name, "vm" where it has none, or "none".</summary>
    public static string Detect(HostRoots roots, CpuinfoReading cpuinfo, BoardInventory board)
    {
        if (IsContainer(roots))
        {
            return "container";
        }

        if (board.Product.EndsWith(".metal", StringComparison.Ordinal))
        {
            return "none"; // EC2 bare metal has the cloud's name in its tables
        }

        foreach ((string text, string name) in Vendors)
        {
            bool isNamed = board.Vendor.StartsWith(text, StringComparison.Ordinal) || board.Product.StartsWith(text, StringComparison.Ordinal);
            if (isNamed && (cpuinfo.HasHypervisor || name != "amazon"))
            {
                return name;
            }
        }

        string hypervisor = Sysfs.ReadText(Path.Combine(roots.Sys, "hypervisor/type"));
        if (hypervisor.Length > 0)
        {
            return hypervisor;
        }

        // Firecracker has no firmware tables; its kernels carry its devices on the command line.
        bool isFirecracker = cpuinfo.HasHypervisor && Sysfs.ReadText(Path.Combine(roots.Proc, "cmdline")).Contains("virtio_mmio.device=", StringComparison.Ordinal);
        return isFirecracker ? "firecracker" : cpuinfo.HasHypervisor ? "vm" : "none";
    }

    // The first process of a container sees the runtime's marks: its own cgroup path, or the files container engines leave.
    private static bool IsContainer(HostRoots roots)
    {
        string root = Path.GetDirectoryName(roots.Etc.TrimEnd('/')) ?? "/";
        if (Path.Exists(Path.Combine(root, ".dockerenv")) || Path.Exists(Path.Combine(root, "run/.containerenv")))
        {
            return true;
        }

        string cgroup = Sysfs.ReadText(Path.Combine(roots.Proc, "1/cgroup"));
        return cgroup.Contains("/docker/", StringComparison.Ordinal) || cgroup.Contains("/kubepods", StringComparison.Ordinal)
            || cgroup.Contains("/lxc/", StringComparison.Ordinal) || cgroup.Contains("/containerd", StringComparison.Ordinal);
    }
}
