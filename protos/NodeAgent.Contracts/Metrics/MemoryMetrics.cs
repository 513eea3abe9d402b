using static NodeAgent.Contracts.Metrics.MetricDefinition;

namespace NodeAgent.Contracts.Metrics;

/// <summary>Memory of the host: /proc/meminfo with node_exporter's names, paging, NUMA, huge pages, swap.</summary>
public static class MemoryMetrics
{
    private const string UnknownHelp = "As the kernel names it.";

    private static readonly Dictionary<string, MetricDefinition> HostByKey = new(StringComparer.Ordinal)
    {
        ["MemTotal"] = HostBytes("MemTotal", "Memory the kernel manages."),
        ["MemFree"] = HostBytes("MemFree", "Memory nobody uses."),
        ["MemAvailable"] = HostBytes("MemAvailable", "Memory that new programs can have without swapping, the kernel's estimate."),
        ["Buffers"] = HostBytes("Buffers", "Block device buffers."),
        ["Cached"] = HostBytes("Cached", "Page cache without swap cache."),
        ["SwapCached"] = HostBytes("SwapCached", "Swapped memory that is back in memory and still in swap."),
        ["Active"] = HostBytes("Active", "Memory used recently."),
        ["Inactive"] = HostBytes("Inactive", "Memory not used recently."),
        ["Active(anon)"] = HostBytes("Active(anon)", "Anonymous memory used recently."),
        ["Inactive(anon)"] = HostBytes("Inactive(anon)", "Anonymous memory not used recently."),
        ["Active(file)"] = HostBytes("Active(file)", "Page cache used recently."),
        ["Inactive(file)"] = HostBytes("Inactive(file)", "Page cache not used recently."),
        ["Unevictable"] = HostBytes("Unevictable", "Memory that cannot be reclaimed."),
        ["Mlocked"] = HostBytes("Mlocked", "Memory locked by mlock."),
        ["HighTotal"] = HostBytes("HighTotal", "High memory of 32-bit kernels."),
        ["HighFree"] = HostBytes("HighFree", "Free high memory of 32-bit kernels."),
        ["LowTotal"] = HostBytes("LowTotal", "Low memory of 32-bit kernels."),
        ["LowFree"] = HostBytes("LowFree", "Free low memory of 32-bit kernels."),
        ["MmapCopy"] = HostBytes("MmapCopy", "Memory copied for mmap without an MMU."),
        ["SwapTotal"] = HostBytes("SwapTotal", "Swap space."),
        ["SwapFree"] = HostBytes("SwapFree", "Free swap space."),
        ["Zswap"] = HostBytes("Zswap", "Memory that holds compressed swap."),
        ["Zswapped"] = HostBytes("Zswapped", "Anonymous memory held compressed, by its size before."),
        ["Dirty"] = HostBytes("Dirty", "Memory waiting to be written to disk."),
        ["Writeback"] = HostBytes("Writeback", "Memory being written to disk."),
        ["AnonPages"] = HostBytes("AnonPages", "Anonymous memory mapped by programs."),
        ["Mapped"] = HostBytes("Mapped", "Files mapped by programs."),
        ["Shmem"] = HostBytes("Shmem", "Shared memory and tmpfs."),
        ["KReclaimable"] = HostBytes("KReclaimable", "Kernel memory that can be reclaimed."),
        ["Slab"] = HostBytes("Slab", "Kernel slab caches."),
        ["SReclaimable"] = HostBytes("SReclaimable", "Slab caches that can be reclaimed."),
        ["SUnreclaim"] = HostBytes("SUnreclaim", "Slab caches that cannot be reclaimed."),
        ["KernelStack"] = HostBytes("KernelStack", "Kernel stacks."),
        ["ShadowCallStack"] = HostBytes("ShadowCallStack", "Shadow call stacks."),
        ["PageTables"] = HostBytes("PageTables", "Page tables."),
        ["SecPageTables"] = HostBytes("SecPageTables", "Secondary page tables, of virtual machines and IOMMUs."),
        ["NFS_Unstable"] = HostBytes("NFS_Unstable", "NFS pages not yet stable; always 0 since 5.8."),
        ["Bounce"] = HostBytes("Bounce", "Bounce buffers of block devices."),
        ["WritebackTmp"] = HostBytes("WritebackTmp", "FUSE write-back buffers."),
        ["CommitLimit"] = HostBytes("CommitLimit", "Memory that can be committed under strict overcommit."),
        ["Committed_AS"] = HostBytes("Committed_AS", "Memory committed to programs."),
        ["VmallocTotal"] = HostBytes("VmallocTotal", "Address space for vmalloc."),
        ["VmallocUsed"] = HostBytes("VmallocUsed", "Memory used by vmalloc."),
        ["VmallocChunk"] = HostBytes("VmallocChunk", "Largest free vmalloc block; always 0 since 4.4."),
        ["Percpu"] = HostBytes("Percpu", "Memory of the per-CPU allocator."),
        ["EarlyMemtestBad"] = HostBytes("EarlyMemtestBad", "Memory the early memory test found bad."),
        ["HardwareCorrupted"] = HostBytes("HardwareCorrupted", "Memory out of use because the hardware reported it corrupt."),
        ["AnonHugePages"] = HostBytes("AnonHugePages", "Anonymous transparent huge pages."),
        ["ShmemHugePages"] = HostBytes("ShmemHugePages", "Shared memory in huge pages."),
        ["ShmemPmdMapped"] = HostBytes("ShmemPmdMapped", "Shared memory mapped as huge pages."),
        ["FileHugePages"] = HostBytes("FileHugePages", "Page cache in huge pages."),
        ["FilePmdMapped"] = HostBytes("FilePmdMapped", "Page cache mapped as huge pages."),
        ["CmaTotal"] = HostBytes("CmaTotal", "Contiguous memory area."),
        ["CmaFree"] = HostBytes("CmaFree", "Free contiguous memory area."),
        ["Unaccepted"] = HostBytes("Unaccepted", "Memory the guest has not accepted from the hypervisor."),
        ["Balloon"] = HostBytes("Balloon", "Memory given back to the hypervisor."),
        ["GPUActive"] = HostBytes("GPUActive", "Memory that graphics devices use."),
        ["GPUReclaim"] = HostBytes("GPUReclaim", "Graphics memory that can be reclaimed."),
        ["Quicklists"] = HostBytes("Quicklists", "Page table quick lists; before 5.2."),
        ["Hugepagesize"] = HostBytes("Hugepagesize", "Size of a default huge page."),
        ["Hugetlb"] = HostBytes("Hugetlb", "Memory in the huge page pools of all sizes."),
        ["DirectMap4k"] = HostBytes("DirectMap4k", "Kernel's direct map in 4 KiB pages."),
        ["DirectMap2M"] = HostBytes("DirectMap2M", "Kernel's direct map in 2 MiB pages."),
        ["DirectMap4M"] = HostBytes("DirectMap4M", "Kernel's direct map in 4 MiB pages."),
        ["DirectMap1G"] = HostBytes("DirectMap1G", "Kernel's direct map in 1 GiB pages."),
        ["HugePages_Total"] = HostCount("HugePages_Total", "Default huge pages in the pool."),
        ["HugePages_Free"] = HostCount("HugePages_Free", "Default huge pages not in use."),
        ["HugePages_Rsvd"] = HostCount("HugePages_Rsvd", "Default huge pages promised and not yet in use."),
        ["HugePages_Surp"] = HostCount("HugePages_Surp", "Default huge pages above the pool's size."),
    };

    private static readonly Dictionary<string, MetricDefinition> NumaByKey = new(StringComparer.Ordinal)
    {
        ["MemTotal"] = NumaBytes("MemTotal", "Memory the kernel manages."),
        ["MemFree"] = NumaBytes("MemFree", "Memory nobody uses."),
        ["SwapCached"] = NumaBytes("SwapCached", "Swapped memory that is back in memory and still in swap."),
        ["Active"] = NumaBytes("Active", "Memory used recently."),
        ["Inactive"] = NumaBytes("Inactive", "Memory not used recently."),
        ["Active(anon)"] = NumaBytes("Active(anon)", "Anonymous memory used recently."),
        ["Inactive(anon)"] = NumaBytes("Inactive(anon)", "Anonymous memory not used recently."),
        ["Active(file)"] = NumaBytes("Active(file)", "Page cache used recently."),
        ["Inactive(file)"] = NumaBytes("Inactive(file)", "Page cache not used recently."),
        ["Unevictable"] = NumaBytes("Unevictable", "Memory that cannot be reclaimed."),
        ["Mlocked"] = NumaBytes("Mlocked", "Memory locked by mlock."),
        ["Dirty"] = NumaBytes("Dirty", "Memory waiting to be written to disk."),
        ["Writeback"] = NumaBytes("Writeback", "Memory being written to disk."),
        ["Mapped"] = NumaBytes("Mapped", "Files mapped by programs."),
        ["AnonPages"] = NumaBytes("AnonPages", "Anonymous memory mapped by programs."),
        ["Shmem"] = NumaBytes("Shmem", "Shared memory and tmpfs."),
        ["KernelStack"] = NumaBytes("KernelStack", "Kernel stacks."),
        ["ShadowCallStack"] = NumaBytes("ShadowCallStack", "Shadow call stacks."),
        ["PageTables"] = NumaBytes("PageTables", "Page tables."),
        ["SecPageTables"] = NumaBytes("SecPageTables", "Secondary page tables, of virtual machines and IOMMUs."),
        ["NFS_Unstable"] = NumaBytes("NFS_Unstable", "NFS pages not yet stable; always 0 since 5.8."),
        ["Bounce"] = NumaBytes("Bounce", "Bounce buffers of block devices."),
        ["WritebackTmp"] = NumaBytes("WritebackTmp", "FUSE write-back buffers."),
        ["KReclaimable"] = NumaBytes("KReclaimable", "Kernel memory that can be reclaimed."),
        ["Slab"] = NumaBytes("Slab", "Kernel slab caches."),
        ["SReclaimable"] = NumaBytes("SReclaimable", "Slab caches that can be reclaimed."),
        ["SUnreclaim"] = NumaBytes("SUnreclaim", "Slab caches that cannot be reclaimed."),
        ["AnonHugePages"] = NumaBytes("AnonHugePages", "Anonymous transparent huge pages."),
        ["ShmemHugePages"] = NumaBytes("ShmemHugePages", "Shared memory in huge pages."),
        ["ShmemPmdMapped"] = NumaBytes("ShmemPmdMapped", "Shared memory mapped as huge pages."),
        ["FileHugePages"] = NumaBytes("FileHugePages", "Page cache in huge pages."),
        ["FilePmdMapped"] = NumaBytes("FilePmdMapped", "Page cache mapped as huge pages."),
        ["Unaccepted"] = NumaBytes("Unaccepted", "Memory the guest has not accepted from the hypervisor."),
        ["Balloon"] = NumaBytes("Balloon", "Memory given back to the hypervisor."),
        ["HugePages_Total"] = NumaCount("HugePages_Total", "Default huge pages in the pool."),
        ["HugePages_Free"] = NumaCount("HugePages_Free", "Default huge pages not in use."),
        ["HugePages_Surp"] = NumaCount("HugePages_Surp", "Default huge pages above the pool's size."),
        ["MemUsed"] = NumaBytes("MemUsed", "Memory of the node in use."),
        ["FilePages"] = NumaBytes("FilePages", "Page cache on the node."),
    };

    private static readonly Dictionary<string, MetricDefinition> NumastatByKey = new(StringComparer.Ordinal)
    {
        ["numa_hit"] = Numastat("numa_hit", "Pages allocated on the node that was wanted."),
        ["numa_miss"] = Numastat("numa_miss", "Pages allocated on this node although another was wanted."),
        ["numa_foreign"] = Numastat("numa_foreign", "Pages wanted on this node and allocated on another."),
        ["interleave_hit"] = Numastat("interleave_hit", "Interleaved pages allocated on the node that was wanted."),
        ["local_node"] = Numastat("local_node", "Pages allocated on this node by a program that ran on it."),
        ["other_node"] = Numastat("other_node", "Pages allocated on this node by a program that ran on another."),
    };

    private static readonly Dictionary<string, MetricDefinition> VmstatByKey = new(StringComparer.Ordinal)
    {
        ["pgpgin"] = Vmstat("pgpgin", "KiB read from block devices."),
        ["pgpgout"] = Vmstat("pgpgout", "KiB written to block devices."),
        ["pswpin"] = Vmstat("pswpin", "Pages read from swap."),
        ["pswpout"] = Vmstat("pswpout", "Pages written to swap."),
        ["pgfault"] = Vmstat("pgfault", "Page faults."),
        ["pgmajfault"] = Vmstat("pgmajfault", "Page faults that needed the disk."),
        ["oom_kill"] = Vmstat("oom_kill", "Processes the kernel killed for want of memory."),
    };

    public static readonly MetricDefinition HugepagesTotal = Gauge(
        "node_hugepages_total", Unit.None, 1, "Huge pages in the pool of each size (/sys/kernel/mm/hugepages).", "size");

    public static readonly MetricDefinition HugepagesFree = Gauge(
        "node_hugepages_free", Unit.None, 1, "Huge pages of each size not in use.", "size");

    public static readonly MetricDefinition HugepagesReserved = Gauge(
        "node_hugepages_reserved", Unit.None, 1, "Huge pages of each size promised and not yet in use.", "size");

    public static readonly MetricDefinition HugepagesSurplus = Gauge(
        "node_hugepages_surplus", Unit.None, 1, "Huge pages of each size above the pool's size.", "size");

    public static readonly MetricDefinition SwapSizeBytes = Gauge(
        "node_swap_size_bytes", Unit.Bytes, 1, "Size of each swap device or file (/proc/swaps).", "device");

    public static readonly MetricDefinition SwapUsedBytes = Gauge(
        "node_swap_used_bytes", Unit.Bytes, 1, "Used part of each swap device or file (/proc/swaps).", "device");

    public static readonly MetricFamily Family = new(
        "memory",
        "Memory of the host, paging, NUMA, huge pages, swap.",
        [
            .. HostByKey.Values, .. VmstatByKey.Values, .. NumaByKey.Values, .. NumastatByKey.Values,
            HugepagesTotal, HugepagesFree, HugepagesReserved, HugepagesSurplus, SwapSizeBytes, SwapUsedBytes,
        ]);

    /// <summary>The metric of a line of /proc/meminfo. A key no kernel up to 6.18 prints gets a metric by the same rule.</summary>
    /// <param name="key">As the kernel prints it: "Active(anon)".</param>
    /// <param name="isBytes">The line ends in kB.</param>
    public static MetricDefinition Meminfo(string key, bool isBytes) =>
        HostByKey.GetValueOrDefault(key) ?? (isBytes ? HostBytes(key, UnknownHelp) : HostCount(key, UnknownHelp));

    /// <summary>As <see cref="Meminfo"/>, for the memory of one NUMA node. Values are bytes where the kernel says kB.</summary>
    public static MetricDefinition NumaMeminfo(string key, bool isBytes) =>
        NumaByKey.GetValueOrDefault(key) ?? (isBytes ? NumaBytes(key, UnknownHelp) : NumaCount(key, UnknownHelp));

    /// <summary>The metric of a line of a NUMA node's numastat; null for a key unknown up to 6.18.</summary>
    public static MetricDefinition? NumastatMetric(string key) => NumastatByKey.GetValueOrDefault(key);

    /// <summary>The metric of a line of /proc/vmstat; null for those not sampled.</summary>
    public static MetricDefinition? VmstatMetric(string key) => VmstatByKey.GetValueOrDefault(key);

    // node_exporter's rule: parentheses become an underscore, kB becomes bytes with the unit in the name.
    private static string Mangle(string key) => key.Replace('(', '_').Replace(")", "", StringComparison.Ordinal);

    private static MetricDefinition HostBytes(string key, string help) =>
        Gauge($"node_memory_{Mangle(key)}_bytes", Unit.Bytes, 1, $"{help.TrimEnd('.')} (/proc/meminfo {key}).");

    private static MetricDefinition HostCount(string key, string help) =>
        Gauge($"node_memory_{Mangle(key)}", Unit.None, 1, $"{help.TrimEnd('.')} (/proc/meminfo {key}).");

    // node_exporter leaves the unit out of these names, although the values are bytes.
    private static MetricDefinition NumaBytes(string key, string help) =>
        Gauge($"node_memory_numa_{Mangle(key)}", Unit.Bytes, 1, $"{help} Of each NUMA node (node*/meminfo {key}).", "numa_node");

    private static MetricDefinition NumaCount(string key, string help) =>
        Gauge($"node_memory_numa_{Mangle(key)}", Unit.None, 1, $"{help} Of each NUMA node (node*/meminfo {key}).", "numa_node");

    private static MetricDefinition Numastat(string key, string help) =>
        Counter($"node_memory_numa_{key}_total", Unit.None, 1, $"{help.TrimEnd('.')} (node*/numastat).", "numa_node");

    private static MetricDefinition Vmstat(string key, string help) =>
        Counter($"node_vmstat_{key}", Unit.None, 1, $"{help.TrimEnd('.')} (/proc/vmstat).");
}
