using NodeAgent.Hosting.Configuration;
using NodeAgent.Sampling.Cpu;
using NodeAgent.Sampling.Scheduling;

namespace NodeAgent.Agent.Configuration;

/// <summary>What is read, and how often.</summary>
internal sealed class SamplingSettings
{
    internal CpuDetail CpuDetail { get; set; } = CpuDetail.Automatic;

    internal int MaxCgroups { get; set; } = 128;

    internal string ProcRoot { get; set; } = "/proc";

    internal string SysRoot { get; set; } = "/sys";

    internal string EtcRoot { get; set; } = "/etc";

    internal string KernelLog { get; set; } = "/dev/kmsg";

    /// <summary>By sampler; every sampler of this platform has its entry.</summary>
    internal Dictionary<string, SamplerSettings> Samplers { get; } = SamplerCatalog.Current.ToDictionary(
        entry => entry.Name,
        entry => new SamplerSettings { Enabled = entry.IsEnabledByDefault, Interval = entry.DefaultInterval },
        StringComparer.Ordinal);

    /// <summary>The pace of frames: the shortest interval of a sampler that runs; a second where none does.</summary>
    internal TimeSpan ShortestInterval =>
        Samplers.Values.Where(sampler => sampler.Enabled).Select(sampler => sampler.Interval).DefaultIfEmpty(TimeSpan.FromSeconds(1)).Min();

    internal static SettingCatalog<SamplingSettings> Settings { get; } = SettingCatalog.Define<SamplingSettings>(s => s
        .Choice("cpu_detail", o => o.CpuDetail, (o, v) => o.CpuDetail = v,
            "automatic: series for each processor up to 16 processors, sums above. per_core: always for each. summed: always sums.")
        .Integer("max_cgroups", o => o.MaxCgroups, (o, v) => o.MaxCgroups = v, 1, 4096,
            "Control groups that are sampled at most; those left out are counted. Each holds up to seven files open.")
        .FilePath("proc_root", o => o.ProcRoot, (o, v) => o.ProcRoot = v, "Where procfs is; in a container, the host's mount.", absolute: true)
        .FilePath("sys_root", o => o.SysRoot, (o, v) => o.SysRoot = v, "Where sysfs is.", absolute: true)
        .FilePath("etc_root", o => o.EtcRoot, (o, v) => o.EtcRoot = v, "Where os-release and machine-id are.", absolute: true)
        .FilePath("kernel_log", o => o.KernelLog, (o, v) => o.KernelLog = v, "The kernel log's device.", absolute: true)
        .Map("samplers", o => o.Samplers, SamplerSettings.Settings, "Each sampler by name; `nodeagent config show` lists them.",
            [.. SamplerCatalog.Current.Select(entry => entry.Name)]));
}

/// <summary>One sampler.</summary>
internal sealed class SamplerSettings
{
    internal bool Enabled { get; set; } = true;

    internal TimeSpan Interval { get; set; } = TimeSpan.FromSeconds(1);

    internal static SettingCatalog<SamplerSettings> Settings { get; } = SettingCatalog.Define<SamplerSettings>(s => s
        .Bool("enabled", o => o.Enabled, (o, v) => o.Enabled = v, "Whether it runs.")
        .Duration("interval", o => o.Interval, (o, v) => o.Interval = v, TickSchedule.ShortestInterval, TickSchedule.LongestInterval,
            "Time between two readings, in whole milliseconds."));
}
