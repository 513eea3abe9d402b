using NodeAgent.Contracts.Series;
using NodeAgent.Sampling.Events;

namespace NodeAgent.Sampling.Tests.Events;

/// <summary>Lines as the kernel and drivers print them (format strings in the kernel's source, vendors' manuals, public bug reports).</summary>
public sealed class KernelEventParserTests
{
    /// <summary>Line, kind, severity, attributes as "name=value" joined by blanks-and-bars.</summary>
    public static TheoryData<string, string, EventSeverity, string> Lines() => new()
    {
        // Out of memory.
        {
            "Memory cgroup out of memory: Killed process 2211 (python3) total-vm:41926364kB, anon-rss:33549312kB, file-rss:71236kB, shmem-rss:0kB, UID:1000 pgtables:66208kB oom_score_adj:0",
            "oom_kill", EventSeverity.Error,
            "anon_rss_kb=33549312|cause=Memory cgroup out of memory|file_rss_kb=71236|pid=2211|process=python3|shmem_rss_kb=0|total_vm_kb=41926364|uid=1000"
        },
        {
            "Out of memory: Killed process 99 (a) b) total-vm:10kB, anon-rss:5kB, file-rss:0kB, shmem-rss:0kB, UID:0 pgtables:1kB oom_score_adj:0",
            "oom_kill", EventSeverity.Error, "anon_rss_kb=5|cause=Out of memory|file_rss_kb=0|pid=99|process=a) b|shmem_rss_kb=0|total_vm_kb=10|uid=0"
        },
        {
            "Killed process 4510 (java), UID 1000, total-vm:9437184kB, anon-rss:8388608kB, file-rss:0kB, shmem-rss:0kB",
            "oom_kill", EventSeverity.Error, "anon_rss_kb=8388608|file_rss_kb=0|pid=4510|process=java|shmem_rss_kb=0|total_vm_kb=9437184"
        },

        // NVIDIA.
        { "NVRM: Xid (PCI:0000:3b:00): 79, pid=1234, name=python3, GPU has fallen off the bus.", "xid", EventSeverity.Error, "number=79|pci=0000:3b:00|pid=1234|process=python3" },
        { "NVRM: Xid (PCI:0000:05:00): 31, pid='<unknown>', name=<unknown>, Ch 00000008, intr 10000000. MMU Fault: ENGINE GRAPHICS", "xid", EventSeverity.Error, "number=31|pci=0000:05:00" },
        { "NVRM: Xid (PCI:0000:db:00): 48, An uncorrectable double bit error (DBE) has been detected", "xid", EventSeverity.Error, "number=48|pci=0000:db:00" },
        { "NVRM: GPU Xid (PCI:0009:01:00): 149, pid=77, name=nccl, NETIR_LINK_EVT Fatal", "xid", EventSeverity.Error, "number=149|pci=0009:01:00|pid=77|process=nccl" },
        { "nvidia-nvswitch3: SXid (PCI:0000:c1:00.0): 22013, Non-fatal, Link 55 Minion Link DLREQ interrupt", "sxid", EventSeverity.Error, "class=Non-fatal|link=55|number=22013|pci=0000:c1:00.0" },

        // Machine checks.
        { "mce: [Hardware Error]: CPU 12: Machine Check Exception: 5 Bank 7: be00000000800400", "machine_check", EventSeverity.Critical, "bank=7|cpu=12|mcg_status=5|status=be00000000800400" },
        { "mce: [Hardware Error]: Machine check events logged", "machine_check", EventSeverity.Warning, "" },
        { "mce: [Hardware Error]: TSC 0 ADDR 1ffff80e2 MISC 86 ", "machine_check", EventSeverity.Warning, "address=1ffff80e2|misc=86" },
        { "mce: [Hardware Error]: PROCESSOR 0:50654 TIME 1590000000 SOCKET 1 APIC 20 microcode 2000065", "machine_check", EventSeverity.Warning, "apic=20|socket=1" },
        { "{1}[Hardware Error]: event severity: corrected", "machine_check", EventSeverity.Warning, "severity=corrected" },
        { "{1}[Hardware Error]: event severity: fatal", "machine_check", EventSeverity.Critical, "severity=fatal" },
        { "[Hardware Error]: Corrected error, no action required.", "machine_check", EventSeverity.Warning, "severity=Corrected" },
        { "[Hardware Error]: Uncorrected, software restartable error.", "machine_check", EventSeverity.Critical, "severity=Uncorrected" },
        { "[Hardware Error]: CPU:2 (19:1:1) MC17_STATUS[-|CE|MiscV|AddrV|-|-|SyndV|CECC|-|-|-]: 0x9c2041000000011b", "machine_check", EventSeverity.Warning, "bank=17|cpu=2|status=0x9c2041000000011b" },

        // EDAC.
        {
            "EDAC MC1: 1 CE memory read error on CPU_SrcID#0_MC#1_Chan#1_DIMM#0 (channel:1 slot:0 page:0x12a3f offset:0x1c0 grain:32 syndrome:0x0 -  err_code:0x0101:0x0091)",
            "edac", EventSeverity.Warning,
            "controller=1|count=1|details=channel:1 slot:0 page:0x12a3f offset:0x1c0 grain:32 syndrome:0x0 -  err_code:0x0101:0x0091|label=CPU_SrcID#0_MC#1_Chan#1_DIMM#0|type=CE"
        },
        {
            "EDAC MC0: 2 UE memory scrubbing error on CPU_SrcID#0_Ha#0_Chan#0_DIMM#0 (channel:0 slot:0 page:0x1 offset:0x0 grain:32)",
            "edac", EventSeverity.Critical, "controller=0|count=2|details=channel:0 slot:0 page:0x1 offset:0x0 grain:32|label=CPU_SrcID#0_Ha#0_Chan#0_DIMM#0|type=UE"
        },

        // PCIe.
        { "pcieport 0000:15:01.0: AER: Corrected error message received from 0000:16:00.0", "pcie_aer", EventSeverity.Warning, "pci=0000:15:01.0|severity=Corrected|source=0000:16:00.0" },
        { "pcieport 0000:15:01.0: AER: Multiple Uncorrected (Non-Fatal) error received: 0000:16:00.0", "pcie_aer", EventSeverity.Error, "class=Non-Fatal|pci=0000:15:01.0|severity=Uncorrected|source=0000:16:00.0" },
        { "pcieport 0000:00:1c.0: AER: Uncorrectable (Fatal) error message received from 0000:00:1c.0", "pcie_aer", EventSeverity.Error, "class=Fatal|pci=0000:00:1c.0|severity=Uncorrectable|source=0000:00:1c.0" },
        { "pcieport 0000:15:01.0: pciehp: Slot(12-1): Link Down", "pcie_slot", EventSeverity.Error, "pci=0000:15:01.0|slot=12-1|state=Link Down" },

        // Links.
        { "mlx5_core 0000:9b:00.0 ens5f0np0: Link up", "link_up", EventSeverity.Info, "driver=mlx5_core|interface=ens5f0np0|pci=0000:9b:00.0" },
        { "mlx5_core 0000:9b:00.0 ens5f0np0: Link down", "link_down", EventSeverity.Warning, "driver=mlx5_core|interface=ens5f0np0|pci=0000:9b:00.0" },
        { "ixgbe 0000:01:00.0 eth0: NIC Link is Up 10 Gbps, Flow Control: RX/TX", "link_up", EventSeverity.Info, "driver=ixgbe|interface=eth0|pci=0000:01:00.0|speed=10 Gbps" },
        { "ixgbe 0000:01:00.0 eth0: NIC Link is Down", "link_down", EventSeverity.Warning, "driver=ixgbe|interface=eth0|pci=0000:01:00.0" },
        { "igb 0000:02:00.0 eno1: igb: eno1 NIC Link is Up 1000 Mbps Full Duplex, Flow Control: RX", "link_up", EventSeverity.Info, "driver=igb|interface=eno1|pci=0000:02:00.0|speed=1000 Mbps" },
        { "tg3 0000:02:00.0 em1: Link is up at 1000 Mbps, full duplex", "link_up", EventSeverity.Info, "driver=tg3|interface=em1|pci=0000:02:00.0|speed=1000 Mbps" },
        { "tg3 0000:02:00.0 em1: Link is down", "link_down", EventSeverity.Warning, "driver=tg3|interface=em1|pci=0000:02:00.0" },
        { "bnxt_en 0000:41:00.0 ens2f0np0: NIC Link is Up, 25000 Mbps full duplex, Flow control: none", "link_up", EventSeverity.Info, "driver=bnxt_en|interface=ens2f0np0|pci=0000:41:00.0|speed=25000 Mbps" },
        { "bond0: (slave eth1): link status definitely down, disabling slave", "link_down", EventSeverity.Warning, "bond=bond0|interface=eth1" },
        { "bond0: (slave eth1): link status definitely up, 10000 Mbps full duplex", "link_up", EventSeverity.Info, "bond=bond0|interface=eth1|speed=10000 Mbps" },

        // File systems and drives.
        { "EXT4-fs error (device sda1): ext4_find_entry:1455: inode #2: comm ls: reading directory lblock 0", "filesystem_error", EventSeverity.Error, "device=sda1|filesystem=EXT4|function=ext4_find_entry" },
        { "EXT4-fs (sda1): Remounting filesystem read-only", "filesystem_readonly", EventSeverity.Error, "device=sda1|filesystem=EXT4" },
        { "XFS (nvme0n1p2): Corruption of in-memory data (0x8) detected at xfs_trans_cancel (fs/xfs/xfs_trans.c:1098).  Shutting down filesystem.", "filesystem_readonly", EventSeverity.Critical, "device=nvme0n1p2|filesystem=XFS" },
        { "XFS (md0): Metadata corruption detected at xfs_agf_read_verify+0x5e/0x110 [xfs], xfs_agf block 0x1", "filesystem_error", EventSeverity.Error, "device=md0|filesystem=XFS" },
        { "BTRFS info (device nvme0n1p3 state E): forced readonly", "filesystem_readonly", EventSeverity.Error, "device=nvme0n1p3|filesystem=BTRFS" },
        { "BTRFS error (device nvme0n1p3 state EA): parent transid verify failed on logical 1 mirror 1 wanted 2 found 3", "filesystem_error", EventSeverity.Error, "device=nvme0n1p3|filesystem=BTRFS" },
        { "blk_update_request: I/O error, dev sdb, sector 2048 op 0x0:(READ) flags 0x80700 phys_seg 1 prio class 0", "disk_error", EventSeverity.Error, "device=sdb|error=I/O|operation=READ|sector=2048" },
        { "critical medium error, dev nvme1n1, sector 77 op 0x0:(READ) flags 0x0 phys_seg 1 prio class 2", "disk_error", EventSeverity.Error, "device=nvme1n1|error=critical medium|operation=READ|sector=77" },
        { "Buffer I/O error on dev dm-3, logical block 0, async page read", "disk_error", EventSeverity.Error, "block=0|device=dm-3|error=I/O" },
        { "nvme nvme3: I/O 123 QID 4 timeout, aborting", "disk_error", EventSeverity.Error, "device=nvme3|error=I/O 123 QID 4 timeout, aborting" },
        { "nvme nvme3: controller is down; will reset: CSTS=0xffffffff, PCI_STATUS=0xffff", "disk_error", EventSeverity.Error, "device=nvme3|error=controller is down; will reset: CSTS=0xffffffff, PCI_STATUS=0xffff" },
        { "ata1.00: failed command: READ FPDMA QUEUED", "disk_error", EventSeverity.Error, "device=ata1.00|error=failed command: READ FPDMA QUEUED" },

        // The kernel itself.
        { "INFO: task kworker/u8:2:123 blocked for more than 120 seconds.", "hung_task", EventSeverity.Error, "pid=123|process=kworker/u8:2|seconds=120" },
        { "watchdog: BUG: soft lockup - CPU#3 stuck for 22s! [python3:1234]", "soft_lockup", EventSeverity.Error, "cpu=3|pid=1234|process=python3|seconds=22" },
        { "watchdog: Watchdog detected hard LOCKUP on cpu 3", "hard_lockup", EventSeverity.Critical, "cpu=3" },
        { "rcu: INFO: rcu_sched detected stalls on CPUs/tasks:", "rcu_stall", EventSeverity.Error, "flavour=rcu_sched" },
        { "rcu: INFO: rcu_preempt self-detected stall on CPU", "rcu_stall", EventSeverity.Error, "flavour=rcu_preempt" },
        { "CPU4: Package temperature is above threshold, cpu clock is throttled (total events = 17)", "cpu_throttled", EventSeverity.Warning, "count=17|cpu=4|part=Package" },
        { "mce: CPU4: Core temperature above threshold, cpu clock throttled (total events = 1)", "cpu_throttled", EventSeverity.Warning, "count=1|cpu=4|part=Core" },
        { "BUG: kernel NULL pointer dereference, address: 0000000000000008", "kernel_fault", EventSeverity.Critical, "fault=BUG: kernel NULL pointer dereference" },
    };

    [Theory]
    [MemberData(nameof(Lines))]
    public void TryParse_OfALineTheKernelPrints_GivesItsKindAndAttributes(string line, string kind, EventSeverity severity, string attributes)
    {
        Assert.True(KernelEventParser.TryParse(line, out KernelEvent found));

        Assert.Equal(kind, found.Kind);
        Assert.Equal(severity, found.Severity);
        Assert.Equal(attributes, string.Join('|', found.Attributes.Select(label => $"{label.Name}={label.Value}")));
    }

    [Theory]
    [InlineData("")]
    [InlineData("EXT4-fs (vda): mounted filesystem 00000000-0000-0000-0000-000000000000 r/w without journal. Quota mode: none.")]
    [InlineData("IPv6: ADDRCONF(NETDEV_CHANGE): eth0: link becomes ready")]
    [InlineData("EDAC MC0: Giving out device to module i10nm_edac controller Intel_10nm Socket#0 IMC#0: DEV 0000:7e:0c.0 (INTERRUPT)")]
    [InlineData("mce: CPU supports 32 MCE banks")]
    [InlineData("nvme nvme0: 16/0/0 default/read/poll queues")]
    [InlineData("NVRM: loading NVIDIA UNIX x86_64 Kernel Module  570.124.06")]
    [InlineData("oom_reaper: reaped process 2211 (python3), now anon-rss:0kB, file-rss:0kB, shmem-rss:0kB")]
    [InlineData("ata1: SATA link up 6.0 Gbps (SStatus 133 SControl 300)")]
    [InlineData("pcieport 0000:00:01.0: AER: enabled with IRQ 26")]
    [InlineData("CPU4: Package temperature/speed normal")]
    [InlineData("[Firmware Bug]: TSC doesn't count with P0 frequency!")]
    public void TryParse_OfALineThatSaysNothingHappened_IsFalse(string line) => Assert.False(KernelEventParser.TryParse(line, out _));

    [Fact]
    public void TryParseOomContext_OfAMemoryGroupsKill_NamesTheLimitThatWasHit()
    {
        Assert.True(KernelEventParser.TryParseOomContext(
            "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=user.slice,mems_allowed=0-1,oom_memcg=/slurm/job_7,task_memcg=/slurm/job_7/step_0,task=python3,pid=2211,uid=1000",
            out IReadOnlyList<Label> attributes));

        Assert.Contains(new Label("constraint", "CONSTRAINT_MEMCG"), attributes);
        Assert.Contains(new Label("oom_memcg", "/slurm/job_7"), attributes);
        Assert.Contains(new Label("task_memcg", "/slurm/job_7/step_0"), attributes);
        Assert.Contains(new Label("pid", "2211"), attributes);
    }

    [Fact]
    public void TryParseOomContext_OfTheHostRunningOut_HasNoLimit()
    {
        Assert.True(KernelEventParser.TryParseOomContext(
            "oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,task_memcg=/system.slice/a.service,task=a,b,pid=3,uid=0",
            out IReadOnlyList<Label> attributes));

        Assert.DoesNotContain(attributes, label => label.Name == "oom_memcg");
        Assert.Contains(new Label("process", "a,b"), attributes);
    }
}
