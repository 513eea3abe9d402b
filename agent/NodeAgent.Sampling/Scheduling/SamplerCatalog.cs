using NodeAgent.Sampling.Cgroups;
using NodeAgent.Sampling.Clock;
using NodeAgent.Sampling.Cpu;
using NodeAgent.Sampling.Disk;
using NodeAgent.Sampling.Filesystem;
using NodeAgent.Sampling.Linux;
using NodeAgent.Sampling.Memory;
using NodeAgent.Sampling.Network;
using NodeAgent.Sampling.Power;
using NodeAgent.Sampling.Processes;
using NodeAgent.Sampling.Rdma;
using NodeAgent.Sampling.Sensors;
using NodeAgent.Sampling.Windows;

namespace NodeAgent.Sampling.Scheduling;

// To add a sampler: its folder (Sampler, Parser, Reading), its metric family in NodeAgent.Contracts/Metrics with a line in
// MetricCatalog, a line here, and its files in tests/fixtures/hosts (tests/fixtures/capture-host.sh) with the golden beside them.

/// <summary>Every sampler there is, once. The agent's own are not listed: they always run, and one needs the runners of the others.</summary>
public static class SamplerCatalog
{
    private static readonly TimeSpan Fast = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Slow = TimeSpan.FromSeconds(10); // a file per core, node or group, or one that is dear to the kernel
    private static readonly TimeSpan HangDeadline = TimeSpan.FromSeconds(5); // longer than a slow bus, shorter than a dead server
    private static readonly TimeSpan Slower = TimeSpan.FromSeconds(60); // a file per process: 9 us each, of which a large host has thousands

    /// <summary>Those of the platform this runs on.</summary>
    public static IReadOnlyList<SamplerEntry> Current => OperatingSystem.IsWindows() ? Windows : Linux;

    /// <summary>In the order they run.</summary>
    public static IReadOnlyList<SamplerEntry> Linux { get; } =
    [
        new("cpu", Fast, true, "Processor time by mode, context switches, interrupts, forks.", c => new CpuSampler(c.Roots, c.CpuDetail)),
        new("loadavg", Fast, true, "Load averages.", c => new LoadSampler(c.Roots)),
        new("pressure", Fast, true, "Time lost waiting for processor, memory and I/O.", c => new PressureSampler(c.Roots)),
        new("schedstat", Slow, true, "Run queues of the processors.", c => new SchedstatSampler(c.Roots, c.CpuDetail)),
        new("cpufreq", Slow, true, "Processor frequency.", c => new CpuFrequencySampler(c.Roots, c.CpuDetail)),
        new("thermal_throttle", Slow, true, "Throttling of cores and packages for heat.", c => new ThermalThrottleSampler(c.Roots, c.CpuDetail)),
        new("meminfo", Fast, true, "Host memory.", c => new MeminfoSampler(c.Roots)),
        new("vmstat", Slow, true, "Paging, faults, OOM kills.", c => new VmstatSampler(c.Roots)),
        new("meminfo_numa", Slow, true, "Memory of each NUMA node.", c => new NumaSampler(c.Roots)),
        new("hugepages", Slow, true, "Huge page pools.", c => new HugepageSampler(c.Roots)),
        new("swaps", Slow, true, "Swap devices.", c => new SwapSampler(c.Roots)),
        new("processes", Slower, true, "Processes by state, threads, limits.", c => new ProcessSampler(c.Roots)),
        new("filefd", Slow, true, "Open file handles.", c => new FileHandleSampler(c.Roots)),
        new("time", Fast, true, "Wall clock and uptime.", _ => new TimeSampler()),
        new("timex", Fast, true, "Clock synchronisation.", c => new TimexSampler(c.Timex)),
        new("disk", Fast, true, "Requests, bytes and times of block devices.", c => new DiskSampler(c.Roots)),
        new("filesystem", Slow, true, "Space and inodes of mounts.", c => new FilesystemSampler(c.Roots, c.Mounts), HangDeadline),
        new("network", Fast, true, "Traffic and errors of interfaces.", c => new NetworkSampler(c.Roots)),
        new("network_link", Slow, true, "Link state and properties of interfaces.", c => new NetworkLinkSampler(c.Roots)),
        new("netstat", Fast, true, "Protocol counters of the network stack.", c => NetstatSampler.Basic(c.Roots)),
        new("netstat_extended", Slow, true, "Rarer protocol counters and those of IPv6.", c => NetstatSampler.Extended(c.Roots)),
        new("sockets", Fast, true, "Sockets by protocol.", c => new SocketSampler(c.Roots, c.PageBytes)),
        new("conntrack", Slow, true, "Fill of the connection tracking table.", c => new ConntrackSampler(c.Roots)),
        new("softnet", Fast, true, "Packet processing of the processors.", c => new SoftnetSampler(c.Roots, c.CpuDetail)),
        new("rdma", Fast, true, "InfiniBand and RoCE ports.", c => new RdmaSampler(c.Roots), HangDeadline),
        new("hwmon", Slow, true, "Sensors of boards, drives and adapters.", c => new HwmonSampler(c.Roots), HangDeadline),
        new("thermal", Slow, true, "Thermal zones and cooling devices.", c => new ThermalSampler(c.Roots), HangDeadline),
        new("power", Fast, true, "Energy of processors and memory (RAPL).", c => new PowerSampler(c.Roots)),
        new("edac", Slow, true, "Memory errors.", c => new EdacSampler(c.Roots)),
        new("cgroups", Slow, true, "Services, containers, pods, jobs.", c => new CgroupSampler(c.Roots, c.MaxCgroups)),
    ];

    /// <summary>In the order they run.</summary>
    public static IReadOnlyList<SamplerEntry> Windows { get; } =
    [
        new("cpu", Fast, true, "Processor time by mode.", c => new WindowsCpuSampler(c.Win32)),
        new("memory", Fast, true, "Host memory.", c => new WindowsMemorySampler(c.Win32)),
        new("processes", Slow, true, "Processes, threads, handles.", c => new WindowsProcessSampler(c.Win32)),
        new("time", Fast, true, "Wall clock and uptime.", c => new WindowsUptimeSampler(c.Win32)),
        new("filesystem", Slow, true, "Space of drives.", c => new WindowsFilesystemSampler(c.Win32), HangDeadline),
        new("network", Fast, true, "Traffic and errors of interfaces.", c => new WindowsNetworkSampler(c.Win32)),
    ];
}

/// <summary>One sampler as it can be configured.</summary>
/// <param name="Name">The sampler's name; the configuration key.</param>
/// <param name="DefaultInterval">100 ms to 60 s.</param>
/// <param name="IsEnabledByDefault">Whether it runs where nothing is configured.</param>
/// <param name="Summary">One sentence for documentation and doctor.</param>
/// <param name="Create">Makes it; opens its files, never throws because the host lacks something.</param>
/// <param name="Deadline">Set where a call can hang in a driver or on a dead server; after it the sampler is Stalled. Null: it reads only the kernel's memory.</param>
public sealed record SamplerEntry(
    string Name, TimeSpan DefaultInterval, bool IsEnabledByDefault, string Summary, Func<SamplerContext, ISampler> Create, TimeSpan? Deadline = null)
{
    /// <summary>As <see cref="Create"/>, on a thread of its own where it can hang: what the tick runs.</summary>
    public ISampler CreateForTick(SamplerContext context) =>
        Deadline is { } deadline ? new OwnBeatSampler(Create(context), deadline) : Create(context);
}

/// <summary>What the samplers may need to be made.</summary>
public sealed record SamplerContext
{
    /// <summary>Where the kernel's file systems are.</summary>
    public HostRoots Roots { get; init; } = new();

    /// <summary>Whether processor series are kept for each processor; default: up to 16 processors.</summary>
    public CpuDetail CpuDetail { get; init; } = CpuDetail.Automatic;

    /// <summary>
    /// Most control groups that are sampled, 1 to 4,096; default 128. Each holds up to seven files open, so 128 stay below the
    /// usual soft limit of 1,024.
    /// </summary>
    public int MaxCgroups { get; init; } = 128;

    /// <summary>Size of a memory page in bytes.</summary>
    public int PageBytes { get; init; } = Environment.SystemPageSize;

    internal IMountStatistics Mounts { get; init; } = new KernelMountStatistics();

    internal ITimexSource Timex { get; init; } = new KernelTimex();

    /// <exception cref="PlatformNotSupportedException">This is not Windows and none was given.</exception>
    internal IWin32 Win32
    {
        get => field ?? throw new PlatformNotSupportedException("the samplers of Windows need Windows");
        init;
    } = OperatingSystem.IsWindows() ? new Win32Calls() : null!;
}
