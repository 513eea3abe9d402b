using System.Text.RegularExpressions;
using NodeAgent.Contracts.Series;

namespace NodeAgent.Sampling.Events;

/// <summary>
/// What a line of the kernel log says happened. Each rule is the format string of one place in the kernel or a driver (named
/// above it); the names of its groups are the event's attributes. Everything no rule matches is ignored.
/// </summary>
internal static partial class KernelEventParser
{
    // A rule's marker is looked for first: almost no line has one, so almost no line meets a regular expression.
    private static readonly Rule[] Rules =
    [
        new("Killed process", HostEventKind.OomKill, EventSeverity.Error, OomKilled()),
        new("Xid (PCI", HostEventKind.Xid, EventSeverity.Error, Xid()),
        new("SXid (PCI", HostEventKind.SwitchXid, EventSeverity.Error, SwitchXid()),
        new("Machine Check", HostEventKind.MachineCheck, EventSeverity.Critical, MachineCheckException()),
        new("[Hardware Error]", HostEventKind.MachineCheck, EventSeverity.Critical, FatalHardwareError()),
        new("[Hardware Error]", HostEventKind.MachineCheck, EventSeverity.Warning, HardwareError()),
        new("EDAC ", HostEventKind.Edac, EventSeverity.Critical, EdacUncorrected()),
        new("EDAC ", HostEventKind.Edac, EventSeverity.Warning, EdacCorrected()),
        new("AER: ", HostEventKind.PcieAer, EventSeverity.Error, AerUncorrected()),
        new("AER: ", HostEventKind.PcieAer, EventSeverity.Warning, AerCorrected()),
        new("pciehp: Slot(", HostEventKind.PcieSlot, EventSeverity.Error, PcieSlot()),
        new("ink ", HostEventKind.LinkUp, EventSeverity.Info, LinkUp()),
        new("ink ", HostEventKind.LinkDown, EventSeverity.Warning, LinkDown()),
        new("ink status definitely ", HostEventKind.LinkUp, EventSeverity.Info, BondLinkUp()),
        new("ink status definitely ", HostEventKind.LinkDown, EventSeverity.Warning, BondLinkDown()),
        new("read-only", HostEventKind.FilesystemReadonly, EventSeverity.Error, RemountedReadOnly()),
        new("readonly", HostEventKind.FilesystemReadonly, EventSeverity.Error, BtrfsReadOnly()),
        new("XFS (", HostEventKind.FilesystemReadonly, EventSeverity.Critical, XfsShutdown()),
        new("-fs error", HostEventKind.FilesystemError, EventSeverity.Error, ExtError()),
        new("XFS (", HostEventKind.FilesystemError, EventSeverity.Error, XfsError()),
        new("BTRFS", HostEventKind.FilesystemError, EventSeverity.Error, BtrfsError()),
        new(" error", HostEventKind.DiskError, EventSeverity.Error, BlockError()),
        new("nvme", HostEventKind.DiskError, EventSeverity.Error, NvmeError()),
        new("ata", HostEventKind.DiskError, EventSeverity.Error, AtaError()),
        new("blocked for more than", HostEventKind.HungTask, EventSeverity.Error, HungTask()),
        new("soft lockup", HostEventKind.SoftLockup, EventSeverity.Error, SoftLockup()),
        new("hard LOCKUP", HostEventKind.HardLockup, EventSeverity.Critical, HardLockup()),
        new("rcu", HostEventKind.RcuStall, EventSeverity.Error, RcuStall()),
        new("throttled (total events", HostEventKind.CpuThrottled, EventSeverity.Warning, CpuThrottled()),
        new("", HostEventKind.KernelFault, EventSeverity.Critical, KernelFault()),
    ];

    /// <summary>False where the line says nothing that is an event.</summary>
    public static bool TryParse(string text, out KernelEvent found)
    {
        foreach (Rule rule in Rules)
        {
            if (rule.Marker.Length > 0 && !text.Contains(rule.Marker, StringComparison.Ordinal))
            {
                continue;
            }

            Match match = rule.Pattern.Match(text);
            if (match.Success)
            {
                found = new KernelEvent(rule.Kind, rule.Severity, Attributes(match));
                return true;
            }
        }

        found = default;
        return false;
    }

    /// <summary>
    /// The line before an OOM kill, which names the limit that was hit (mm/oom_kill.c, dump_oom_summary, since kernel 5.0). False
    /// for any other line.
    /// </summary>
    public static bool TryParseOomContext(string text, out IReadOnlyList<Label> attributes)
    {
        Match match = text.StartsWith("oom-kill:", StringComparison.Ordinal) ? OomContext().Match(text) : Match.Empty;
        attributes = match.Success ? Attributes(match) : [];
        return match.Success;
    }

    private static Label[] Attributes(Match match)
    {
        List<Label> attributes = [];
        foreach (Group group in match.Groups.Values)
        {
            if (group.Success && group.Length > 0 && !char.IsAsciiDigit(group.Name[0]))
            {
                attributes.Add(new Label(group.Name, group.Value));
            }
        }

        attributes.Sort();
        return [.. attributes];
    }

    private sealed record Rule(string Marker, string Kind, EventSeverity Severity, Regex Pattern);

    private const RegexOptions Options = RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture;

    // mm/oom_kill.c, __oom_kill_process: "%s: Killed process %d (%s) total-vm:%lukB, anon-rss:...". Before 5.0 without the cause.
    [GeneratedRegex(
        @"^((?<cause>[\w ()-]+): )?Killed process (?<pid>\d+) \((?<process>.{1,64})\),?( UID:? ?\d+,?)? total-vm:(?<total_vm_kb>\d+)kB, anon-rss:(?<anon_rss_kb>\d+)kB"
        + @"(, file-rss:(?<file_rss_kb>\d+)kB)?(, shmem-rss:(?<shmem_rss_kb>\d+)kB)?(, UID:(?<uid>\d+))?",
        Options)]
    private static partial Regex OomKilled();

    // mm/oom_kill.c, dump_oom_summary; mm/memcontrol.c, mem_cgroup_print_oom_context; kernel/cgroup/cpuset.c.
    [GeneratedRegex(
        @"^oom-kill:constraint=(?<constraint>\w+),nodemask=[^,]*(,cpuset=(?<cpuset>.+?),mems_allowed=[\d,-]*)?(,global_oom)?(,oom_memcg=(?<oom_memcg>.+?))?"
        + @"(,task_memcg=(?<task_memcg>.+?))?,task=(?<process>.{1,64}?),pid=(?<pid>\d+),uid=(?<uid>\d+)$",
        Options)]
    private static partial Regex OomContext();

    // nvidia.ko: "NVRM: Xid (PCI:0000:3b:00): 79, pid=1234, name=python3, GPU has fallen off the bus."
    [GeneratedRegex(@"^NVRM: (\w+ )?Xid \(PCI:(?<pci>[0-9a-fA-F:.]+)\): (?<number>\d+)(, pid='?(?<pid>\d+)'?)?(, name=(?<process>[^,]{1,64}))?", Options)]
    private static partial Regex Xid();

    // nvidia-nvswitch: "nvidia-nvswitch3: SXid (PCI:0000:c1:00.0): 22013, Non-fatal, Link 55 Minion Link DLREQ interrupt"
    [GeneratedRegex(@"SXid \(PCI:(?<pci>[0-9a-fA-F:.]+)\): (?<number>\d+)(, (?<class>Fatal|Non-fatal))?(, Link (?<link>\d+))?", Options)]
    private static partial Regex SwitchXid();

    // arch/x86/kernel/cpu/mce/core.c, __print_mce: "CPU %d: Machine Check%s: %Lx Bank %d: %016Lx"
    [GeneratedRegex(@"\[Hardware Error\]: CPU (?<cpu>\d+): Machine Check( Exception)?: (?<mcg_status>[0-9a-f]+) Bank (?<bank>\d+): (?<status>[0-9a-f]+)", Options)]
    private static partial Regex MachineCheckException();

    // drivers/firmware/efi/cper.c "event severity: fatal"; drivers/edac/mce_amd.c "Uncorrected, software restartable error."
    [GeneratedRegex(
        @"\[Hardware Error\]: ?((event severity: (?<severity>fatal|recoverable))|((?<severity>Uncorrected|Deferred|Fatal)\b.* error)|(Fatal machine check))",
        Options | RegexOptions.IgnoreCase)]
    private static partial Regex FatalHardwareError();

    // The rest of what is an event and not a further line of one: cper.c "event severity: corrected", mce_amd.c "Corrected error,
    // no action required.", "CPU:12 (19:1:1) MC16_STATUS[...]: 0x...", mce/core.c "Machine check events logged", and its "TSC ..
    // ADDR .." and "PROCESSOR .. SOCKET .." lines, which hold the address and the socket of the error before them.
    [GeneratedRegex(
        @"\[Hardware Error\]: ?((event severity: (?<severity>corrected|info))|((?<severity>Corrected) error)|(Machine check events logged)"
        + @"|(CPU:(?<cpu>\d+) .*MC(?<bank>\d+)_STATUS\[[^\]]*\]: (?<status>0x[0-9a-f]+))|(TSC [0-9a-f]+( ADDR (?<address>[0-9a-f]+))?( MISC (?<misc>[0-9a-f]+))?)"
        + @"|(PROCESSOR [0-9a-f:]+ TIME \d+ SOCKET (?<socket>\d+) APIC (?<apic>[0-9a-f]+)))",
        Options)]
    private static partial Regex HardwareError();

    // drivers/edac/edac_mc.c, edac_ce_error and edac_ue_error: "EDAC MC%d: %d CE %s%son %s (%s ...)"
    [GeneratedRegex(@"^EDAC MC(?<controller>\d+): (?<count>\d+) (?<type>UE) .*?\bon (?<label>\S.*?) \((?<details>.*)\)", Options)]
    private static partial Regex EdacUncorrected();

    [GeneratedRegex(@"^EDAC MC(?<controller>\d+): (?<count>\d+) (?<type>CE) .*?\bon (?<label>\S.*?) \((?<details>.*)\)", Options)]
    private static partial Regex EdacCorrected();

    // drivers/pci/pcie/aer.c: "AER: %sUncorrected (Fatal) error message received from 0000:3b:00.0" (6.x) or "error received: ..."
    [GeneratedRegex(
        @"(?<pci>[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]): AER: (Multiple )?(?<severity>Uncorrected|Uncorrectable) \((?<class>Fatal|Non-Fatal)\) error (message )?received( from|:) (?<source>[0-9a-f:.]+)",
        Options)]
    private static partial Regex AerUncorrected();

    [GeneratedRegex(
        @"(?<pci>[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]): AER: (Multiple )?(?<severity>Corrected|Correctable) error (message )?received( from|:) (?<source>[0-9a-f:.]+)",
        Options)]
    private static partial Regex AerCorrected();

    // drivers/pci/hotplug/pciehp_ctrl.c: "Slot(%s): Link Down", "Slot(%s): Card not present"
    [GeneratedRegex(@"(?<pci>[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7])(:pcie\d+)?: pciehp: Slot\((?<slot>[\w-]+)\): (?<state>Link Down|Card not present)", Options)]
    private static partial Regex PcieSlot();

    // Drivers: "mlx5_core 0000:3b:00.0 ens1f0np0: Link up", "ixgbe 0000:01:00.0 eth0: NIC Link is Up 10 Gbps, Flow Control: RX/TX",
    // "igb 0000:02:00.0 eno1: igb: eno1 NIC Link is Up 1000 Mbps Full Duplex", "tg3 0000:02:00.0 eth0: Link is up at 1000 Mbps".
    [GeneratedRegex(
        @"^(?!ata\d)(?<driver>[\w-]+):? ((?<pci>[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]):? )?((?<interface>[\w.@-]{1,15})( \([^)]*\))?:? )(\w+: )?([\w.@-]{1,15} )?(NIC |\(\w+\): )?Link (is )?up\b([, ]+(at )?(?<speed>\d+ ?[MG]bps))?",
        Options | RegexOptions.IgnoreCase)]
    private static partial Regex LinkUp();

    [GeneratedRegex(
        @"^(?!ata\d)(?<driver>[\w-]+):? ((?<pci>[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]):? )?((?<interface>[\w.@-]{1,15})( \([^)]*\))?:? )(\w+: )?([\w.@-]{1,15} )?(NIC |\(\w+\): )?Link (is )?down\b",
        Options | RegexOptions.IgnoreCase)]
    private static partial Regex LinkDown();

    // drivers/net/bonding/bond_main.c: "bond0: (slave eth0): link status definitely up, 10000 Mbps full duplex"
    [GeneratedRegex(@"^(?<bond>[\w.-]{1,15}): \(slave (?<interface>[\w.@-]{1,15})\): link status definitely up(, (?<speed>\d+ Mbps))?", Options)]
    private static partial Regex BondLinkUp();

    [GeneratedRegex(@"^(?<bond>[\w.-]{1,15}): \(slave (?<interface>[\w.@-]{1,15})\): link status definitely down", Options)]
    private static partial Regex BondLinkDown();

    // fs/ext4/super.c, ext4_handle_error: "EXT4-fs (%s): Remounting filesystem read-only"
    [GeneratedRegex(@"^(?<filesystem>EXT[234])-fs \((?<device>[^)]+)\): Remounting filesystem read-only", Options)]
    private static partial Regex RemountedReadOnly();

    // fs/btrfs/messages.c: "BTRFS info (device %s state ..): forced readonly"
    [GeneratedRegex(@"^(?<filesystem>BTRFS):? \w+ \(device (?<device>[^ ):]+)[^)]*\):? .*forced readonly", Options)]
    private static partial Regex BtrfsReadOnly();

    // fs/xfs/xfs_fsops.c, xfs_do_force_shutdown: "... Shutting down filesystem.", "Filesystem has been shut down due to log error"
    [GeneratedRegex(@"^(?<filesystem>XFS) \((?<device>[^)]+)\): .*([Ss]hutting down filesystem|[Ff]ilesystem has been shut ?down|Corruption .*Shutting down)", Options)]
    private static partial Regex XfsShutdown();

    // fs/ext4/super.c, __ext4_error: "EXT4-fs error (device %s): %s:%d: ..."
    [GeneratedRegex(@"^(?<filesystem>EXT[234])-fs error \(device (?<device>[^)]+)\): (?<function>\w+)", Options)]
    private static partial Regex ExtError();

    [GeneratedRegex(@"^(?<filesystem>XFS) \((?<device>[^)]+)\): .*([Cc]orruption|I/O error|[Mm]etadata corruption|Internal error)", Options)]
    private static partial Regex XfsError();

    [GeneratedRegex(@"^(?<filesystem>BTRFS):? (error|critical) \(device (?<device>[^ ):]+)", Options)]
    private static partial Regex BtrfsError();

    // block/blk-core.c, blk_print_req_error: "%s error, dev %s, sector %llu op 0x%x:(%s) flags ..."; fs/buffer.c: "Buffer I/O error
    // on dev %s, logical block %llu, ..."
    [GeneratedRegex(
        @"^(blk_update_request: |blk_print_req_error: |print_req_error: |Buffer )?(?<error>[\w/-]+( \w+)?) error(,| on) dev(ice)? (?<device>[\w!-]+), (sector (?<sector>\d+)|logical block (?<block>\d+))( op 0x[0-9a-f]+:\((?<operation>\w+)\))?",
        Options)]
    private static partial Regex BlockError();

    // drivers/nvme/host/pci.c and core.c: "nvme nvme0: I/O %d QID %d timeout, aborting", "I/O tag %d (%04x) opcode .. timeout",
    // "controller is down; will reset: CSTS=0x..", "Device not ready", "Removing after probe failure", "Disabling device after reset failure".
    [GeneratedRegex(
        @"^nvme (?<device>nvme\d+): (?<error>I/O (tag )?\d+.*timeout.*|controller is down; will reset.*|Device not ready.*|Remov\w+ after probe failure.*|Disabling device after reset failure.*|Abort status: .*|Device shutdown incomplete.*|failed to .*)",
        Options)]
    private static partial Regex NvmeError();

    // drivers/ata/libata-eh.c: "ata1.00: exception Emask 0x0 SAct ..", "ata1.00: failed command: READ FPDMA QUEUED", "ata1: hard resetting link"
    [GeneratedRegex(@"^(?<device>ata\d+(\.\d+)?): (?<error>exception Emask.*|failed command: .*|(hard|soft) resetting link|SATA link down.*|disabled\b.*|revalidation failed.*)", Options)]
    private static partial Regex AtaError();

    // kernel/hung_task.c, check_hung_task: "INFO: task %s:%d blocked for more than %ld seconds."
    [GeneratedRegex(@"^INFO: task (?<process>.{1,64}):(?<pid>\d+) blocked for more than (?<seconds>\d+) seconds", Options)]
    private static partial Regex HungTask();

    // kernel/watchdog.c, watchdog_timer_fn: "BUG: soft lockup - CPU#%d stuck for %us! [%s:%d]"
    [GeneratedRegex(@"BUG: soft lockup - CPU#(?<cpu>\d+) stuck for (?<seconds>\d+)s! \[(?<process>.{1,64}):(?<pid>\d+)\]", Options)]
    private static partial Regex SoftLockup();

    // kernel/watchdog.c, watchdog_hardlockup_check: "Watchdog detected hard LOCKUP on cpu %d"
    [GeneratedRegex(@"Watchdog detected hard LOCKUP on cpu (?<cpu>\d+)", Options)]
    private static partial Regex HardLockup();

    // kernel/rcu/tree_stall.h: "INFO: %s detected stalls on CPUs/tasks:", "INFO: %s self-detected stall on CPU"
    [GeneratedRegex(@"INFO: (?<flavour>rcu\w*) (self-)?detected (expedited )?stalls? on CPU", Options)]
    private static partial Regex RcuStall();

    // arch/x86/kernel/cpu/mce/therm_throt.c (drivers/thermal/intel since 5.6): "CPU%d: %s temperature is above threshold, cpu clock is
    // throttled (total events = %lu)"
    [GeneratedRegex(@"CPU(?<cpu>\d+): (?<part>Core|Package) temperature (is )?above threshold, cpu clock (is )?throttled \(total events = (?<count>\d+)\)", Options)]
    private static partial Regex CpuThrottled();

    // arch/x86/mm/fault.c, arch/x86/kernel/dumpstack.c, kernel/panic.c
    [GeneratedRegex(
        @"^((?<fault>BUG: unable to handle \w+|BUG: kernel NULL pointer dereference|kernel BUG at \S+|Oops\b|general protection fault\b|Kernel panic - not syncing|Unable to handle kernel \w+))",
        Options)]
    private static partial Regex KernelFault();
}

/// <summary>What one line says.</summary>
internal readonly record struct KernelEvent(string Kind, EventSeverity Severity, IReadOnlyList<Label> Attributes);
