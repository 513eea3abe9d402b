using System.Runtime.Versioning;
using NodeAgent.Actuation.Actuators;
using NodeAgent.Actuation.Host;
using NodeAgent.Commands.Policy;

namespace NodeAgent.Actuation;

/// <summary>What the actuators of a Linux host need to know of it.</summary>
public sealed record HostActuatorOptions
{
    public HostPaths Paths { get; init; } = new();

    public Tools Tools { get; init; } = new();

    /// <summary>Where log bundles go.</summary>
    public required string BundleFolder { get; init; }

    /// <summary>The NVML library; null: the usual places.</summary>
    public string? NvmlLibrary { get; init; }

    public required IGpuQuiesce Quiesce { get; init; }

    /// <summary>Why the node should not go away now.</summary>
    public required BusyReason Busy { get; init; }

    /// <summary>Interfaces that must not be cut off, besides those of the default routes: that of the aggregator's connection.</summary>
    public IReadOnlyCollection<string> ManagementInterfaces { get; init; } = [];
}

/// <summary>All actuators of a Linux host: one for each row of the catalogue.</summary>
[SupportedOSPlatform("linux")]
public static class HostActuators
{
    public static IReadOnlyList<IActuator> All(ActuationPolicy policy, HostActuatorOptions options) =>
    [
        new NoOpActuator(),
        new DiagnoseActuator(policy, options.Tools, options.Paths),
        new LogBundleActuator(policy, options.BundleFolder),
        new ProcessKillActuator(options.Paths),
        new CgroupLimitActuator(options.Paths),
        new CpuGovernorActuator(options.Paths),
        new ServiceRestartActuator(options.Tools, options.Paths),
        new NetworkRateActuator(options.Tools, options.Paths, options.ManagementInterfaces),
        new RebootActuator(options.Tools, options.Paths, options.Busy),
        new SlurmDrainActuator(options.Tools, options.Paths),
        new SlurmResumeActuator(options.Tools, options.Paths),
        .. GpuSettingActuator.All(options.NvmlLibrary),
        new GpuClockLockActuator(options.NvmlLibrary),
        new GpuResetActuator(options.NvmlLibrary, options.Tools, options.Paths, options.Quiesce),
    ];
}
