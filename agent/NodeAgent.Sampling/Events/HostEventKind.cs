namespace NodeAgent.Sampling.Events;

/// <summary>Kinds of host events. Stable: detection and runbooks name them.</summary>
public static class HostEventKind
{
    /// <summary>The kernel killed a process for lack of memory. process, pid; constraint, oom_memcg, task_memcg, cpuset where the kernel says; sizes in kB.</summary>
    public const string OomKill = "oom_kill";

    /// <summary>The processor or the firmware reported a hardware error. cpu, bank, status, socket, address where they are given.</summary>
    public const string MachineCheck = "machine_check";

    /// <summary>A memory controller reported an error. type CE (corrected) or UE, controller, count, label of the module.</summary>
    public const string Edac = "edac";

    /// <summary>A PCIe link reported an error (AER). severity, pci of the reporter, source.</summary>
    public const string PcieAer = "pcie_aer";

    /// <summary>What sat in a PCIe slot is gone. pci of the port, slot, state.</summary>
    public const string PcieSlot = "pcie_slot";

    /// <summary>A network link came up. interface; speed, driver and pci where the driver says.</summary>
    public const string LinkUp = "link_up";

    /// <summary>A network link went down. interface; driver and pci where the driver says.</summary>
    public const string LinkDown = "link_down";

    /// <summary>A file system found itself damaged or could not read or write. device.</summary>
    public const string FilesystemError = "filesystem_error";

    /// <summary>A file system made itself read-only, or shut down, after an error. device.</summary>
    public const string FilesystemReadonly = "filesystem_readonly";

    /// <summary>A drive failed a request, timed out or was reset. device.</summary>
    public const string DiskError = "disk_error";

    /// <summary>A task has been waiting in the kernel for too long. process, pid, seconds.</summary>
    public const string HungTask = "hung_task";

    /// <summary>A processor did not schedule for too long. cpu, seconds, process, pid.</summary>
    public const string SoftLockup = "soft_lockup";

    /// <summary>A processor did not even take interrupts. cpu.</summary>
    public const string HardLockup = "hard_lockup";

    /// <summary>Read-copy-update found a processor that does not pass a quiescent state.</summary>
    public const string RcuStall = "rcu_stall";

    /// <summary>A processor slowed down because it was too hot. cpu, part.</summary>
    public const string CpuThrottled = "cpu_throttled";

    /// <summary>The kernel found a fault in itself.</summary>
    public const string KernelFault = "kernel_fault";

    /// <summary>The NVIDIA driver reported a GPU error. number, pci; pid and process where the driver says.</summary>
    public const string Xid = "xid";

    /// <summary>The NVSwitch driver reported an error. number, pci, class (Fatal, Non-fatal), link.</summary>
    public const string SwitchXid = "sxid";

    /// <summary>Records of the kernel log were overwritten before they were read. lost: how many, exactly.</summary>
    public const string KernelLogLost = "kernel_log_lost";
}
