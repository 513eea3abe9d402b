using NodeAgent.Detection.Rules;

namespace NodeAgent.Detection.Incidents;

/// <summary>How far an effect reaches from its cause.</summary>
public enum Reach
{
    /// <summary>The device itself.</summary>
    Device = 0,

    /// <summary>Its node.</summary>
    Node = 1,

    /// <summary>Every node that shares switch, rack or feed.</summary>
    Domain = 2,

    /// <summary>Every node of the job.</summary>
    Job = 3,
}

/// <summary>One arrow: findings of one class bring about findings of another, so far away, so late.</summary>
public readonly record struct CauseArrow(string Cause, string Effect, Reach Reach, int WithinSeconds);

/// <summary>
/// Which findings explain which: a table of classes and arrows, as data. A finding's class comes from its cause's name, so a new rule joins by a
/// row here. The arrows are physics and plumbing (no fan, then heat, then slow clocks, then a slow GPU, then a slow job), not statistics.
/// </summary>
public static class CauseMap
{
    /// <summary>The class of what no row names.</summary>
    public const string Unknown = "unknown";

    private static readonly Dictionary<string, string> Classes = new(StringComparer.Ordinal)
    {
        ["gpu-lost"] = "gpu-lost", ["gpu-excluded"] = "gpu-lost", ["gpu-gone"] = "gpu-lost", ["gpu-missing"] = "gpu-lost", ["gpu-recovery-asked"] = "gpu-recovery",
        ["gpu-reader-hung"] = "hang", ["collector-stalled"] = "stale", ["gpu-hang"] = "hang",
        ["ecc-uncorrected"] = "memory", ["ecc-corrected-growth"] = "memory", ["row-remap-pending"] = "memory-repair", ["row-remap-failed"] = "memory", ["sram-ecc"] = "memory",
        ["throttle-thermal"] = "throttle", ["throttle-thermal-software"] = "throttle", ["throttle-power-brake"] = "power-brake", ["power-capped"] = "power-cap",
        ["thermal-margin"] = "hot", ["fan-stopped"] = "fan", ["pcie-downtrained"] = "pcie", ["nvlink-down"] = "nvlink", ["nvlink-errors"] = "nvlink",
        ["clock-step"] = "clock", ["disk-filling"] = "disk", ["inodes-filling"] = "disk", ["filesystem-read-only"] = "disk", ["oom-kill"] = "oom", ["leak"] = "leak",
        ["network-errors"] = "network", ["link-lost"] = "network-down", ["agent-silent"] = "silent", ["spool-dropping"] = "spool", ["domain-down"] = "domain",
        ["straggler"] = "straggler", ["noisy-neighbour"] = "neighbour", ["flat-line"] = "sensor", ["novelty"] = "odd", ["residual"] = "odd", ["variance"] = "odd", ["shift"] = "odd",
    };

    private static readonly Dictionary<int, string> XidClasses = new()
    {
        [48] = "memory", [63] = "memory-repair", [64] = "memory", [94] = "memory", [95] = "memory", [171] = "memory", [172] = "memory",
        [74] = "nvlink", [79] = "gpu-lost", [119] = "hang", [120] = "hang", [62] = "hang", [167] = "pcie", [54] = "power-brake", [154] = "gpu-recovery",
        [13] = "application", [31] = "application", [43] = "application", [45] = "cleanup",
    };

    /// <summary>The arrows.</summary>
    public static IReadOnlyList<CauseArrow> Arrows { get; } =
    [
        new("domain", "silent", Reach.Domain, 120), new("domain", "network-down", Reach.Domain, 120), new("domain", "power-brake", Reach.Domain, 120),
        new("network-down", "silent", Reach.Node, 120), new("network-down", "network", Reach.Node, 120), new("network", "straggler", Reach.Node, 300),
        new("network-down", "straggler", Reach.Job, 300), new("silent", "straggler", Reach.Job, 300), new("silent", "stale", Reach.Node, 120),
        new("fan", "hot", Reach.Device, 1800), new("fan", "throttle", Reach.Device, 1800), new("hot", "throttle", Reach.Device, 1800), new("fan", "hot", Reach.Node, 1800),
        new("throttle", "straggler", Reach.Device, 600), new("power-brake", "straggler", Reach.Device, 600), new("power-cap", "straggler", Reach.Device, 600), new("hot", "straggler", Reach.Device, 600),
        new("pcie", "straggler", Reach.Device, 600), new("nvlink", "straggler", Reach.Device, 600), new("nvlink", "application", Reach.Job, 300),
        new("memory", "memory-repair", Reach.Device, 3600), new("memory", "gpu-recovery", Reach.Device, 3600), new("memory", "application", Reach.Job, 300), new("memory", "cleanup", Reach.Job, 300), new("memory", "straggler", Reach.Device, 600),
        new("gpu-lost", "gpu-recovery", Reach.Device, 600), new("gpu-lost", "gpu-lost", Reach.Node, 300), new("gpu-lost", "hang", Reach.Node, 300), new("gpu-lost", "application", Reach.Job, 300),
        new("gpu-lost", "cleanup", Reach.Job, 300), new("gpu-lost", "straggler", Reach.Job, 300), new("hang", "stale", Reach.Node, 300), new("hang", "gpu-lost", Reach.Node, 600),
        new("hang", "straggler", Reach.Job, 300), new("hang", "sensor", Reach.Node, 900), new("stale", "sensor", Reach.Node, 900), new("application", "cleanup", Reach.Job, 120),
        new("leak", "oom", Reach.Node, 86_400), new("oom", "application", Reach.Job, 300), new("disk", "application", Reach.Job, 600), new("neighbour", "straggler", Reach.Node, 600),
        new("clock", "stale", Reach.Node, 120), new("spool", "stale", Reach.Node, 600),
    ];

    // A few seconds of disorder between sources: the effect may be noticed before its cause.
    private const int EarlySeconds = 90;

    /// <summary>The class of a cause.</summary>
    public static string ClassOf(string cause) =>
        cause.StartsWith(XidRule.Prefix, StringComparison.Ordinal) && int.TryParse(cause.AsSpan(XidRule.Prefix.Length), out int xid)
            ? XidClasses.GetValueOrDefault(xid, Unknown)
            : Classes.GetValueOrDefault(cause, Unknown);

    /// <summary>Does the one finding explain the other?</summary>
    public static bool Explains(Finding cause, Finding effect, ITopology topology)
    {
        string from = ClassOf(cause.Cause);
        string to = ClassOf(effect.Cause);
        double late = (effect.SinceUnixMs - cause.SinceUnixMs) / 1000.0;
        if (late < -EarlySeconds)
        {
            return false;
        }

        // Something merely odd is explained by anything known to be wrong with the same device or node.
        if (to == "odd" && from is not ("odd" or Unknown))
        {
            return late <= 900 && Reaches(Reach.Node, cause.Subject, effect.Subject, topology);
        }

        foreach (CauseArrow arrow in Arrows)
        {
            if (arrow.Cause == from && arrow.Effect == to && late <= arrow.WithinSeconds && Reaches(arrow.Reach, cause.Subject, effect.Subject, topology))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>The same thing said again: same class about the same device, or about its node.</summary>
    public static bool Repeats(Finding one, Finding other)
    {
        string kind = ClassOf(one.Cause);
        return kind == ClassOf(other.Cause) && one.Subject.Node == other.Subject.Node && (kind != Unknown || one.Cause == other.Cause)
            && (one.Subject.Device == other.Subject.Device || one.Subject.Device.Length == 0 || other.Subject.Device.Length == 0 || kind == "odd");
    }

    private static bool Reaches(Reach reach, Subject cause, Subject effect, ITopology topology) => reach switch
    {
        Reach.Device => cause.Node == effect.Node && (cause.Device == effect.Device || cause.Device.Length == 0 || effect.Device.Length == 0),
        Reach.Node => cause.Node == effect.Node,
        Reach.Domain => cause.Node == effect.Node || (topology.DomainOf(cause.Node) is { Length: > 0 } domain && domain == topology.DomainOf(effect.Node)),
        _ => cause.Node == effect.Node || (topology.JobOf(cause.Node, cause.Device) is { Length: > 0 } job && job == topology.JobOf(effect.Node, effect.Device)),
    };
}
