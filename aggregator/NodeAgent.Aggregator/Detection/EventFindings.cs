using NodeAgent.Contracts.Xids;
using NodeAgent.Detection;
using NodeAgent.Detection.Rules;
using NodeAgent.V1;
using Finding = NodeAgent.Detection.Finding;

namespace NodeAgent.Aggregator.Detection;

/// <summary>What events mean to detection. An agent's own policy has judged an XID already; its word counts.</summary>
internal static class EventFindings
{
    private const double SureOfErrors = 0.95;
    private const double SureOfWarnings = 0.6; // below what opens an incident: it joins one

    // The same fault as a rule of the catalogue, told sooner by an event: same name, so that they are one incident.
    private static readonly Dictionary<string, string> CauseOfKind = new(StringComparer.Ordinal)
    {
        ["oom_kill"] = "oom-kill", ["gpu_lost"] = "gpu-lost", ["gpu_missing"] = "gpu-missing", ["gpu_double_bit_ecc"] = "ecc-uncorrected",
        ["gpu_reader_stalled"] = "gpu-reader-hung", ["gpu_reader_crashed"] = "gpu-reader-hung", ["filesystem_readonly"] = "filesystem-read-only",
        ["machine_check"] = "machine-check", ["edac"] = "memory-error", ["pcie_aer"] = "pcie-error", ["pcie_slot"] = "pcie-error", ["sxid"] = "nvswitch-error",
        ["filesystem_error"] = "filesystem-error", ["disk_error"] = "disk-error", ["hung_task"] = "hung-task", ["soft_lockup"] = "kernel-lockup", ["hard_lockup"] = "kernel-lockup",
        ["rcu_stall"] = "kernel-lockup", ["kernel_fault"] = "kernel-fault", ["link_down"] = "link-down", ["gpu_driver_error"] = "gpu-event",
    };

    /// <summary>Null: it is no news of a fault.</summary>
    internal static Finding? Of(QueuedEvent happened, WatchedNode? node, XidPolicy policy)
    {
        Event record = happened.Event;

        // A host whose clock is ahead would make incidents that never end.
        long at = record.WallUnixMs <= 0 ? happened.ReceivedUnixMs : Math.Min(record.WallUnixMs, happened.ReceivedUnixMs);
        string device = node?.GpuOf(Attribute(record, "uuid"), Attribute(record, "pci")) ?? Attribute(record, "pci");
        if (record.Kind == "xid")
        {
            return Xid(record, happened.Node, device, at, policy);
        }

        if (record.Kind == "gpu_recovery_action")
        {
            return Attribute(record, "action") is "" or "0" or "none" ? null : Told("gpu-recovery-asked");
        }

        return CauseOfKind.TryGetValue(record.Kind, out string? cause) ? Told(cause) : null;

        Finding Told(string cause) => new(
            at, at, FindingKind.Event, cause, new Subject(happened.Node, device), double.NaN, double.NaN,
            record.Severity >= Severity.Error || cause == "oom-kill" ? SureOfErrors : SureOfWarnings, FirstLine(record.Message))
        {
            Severity = WordOf(record.Severity),
        };
    }

    private static Finding? Xid(Event record, string node, string device, long at, XidPolicy policy)
    {
        if (!int.TryParse(Attribute(record, "number"), out int number))
        {
            return null;
        }

        int recovery = int.TryParse(Attribute(record, "recovery_action"), out int asked) ? asked : -1;
        Finding finding = XidRule.Judge(policy, number, recovery, node, device, at) with { Kind = FindingKind.Event };
        string action = Attribute(record, "action");
        return Attribute(record, "action_source") != "policy" || action.Length == 0 ? finding : finding with
        {
            Action = action,
            Severity = WordOf(record.Severity),
            Sureness = record.Severity >= Severity.Error ? 1 : SureOfWarnings,
        };
    }

    private static string Attribute(Event record, string name) => record.Attributes.FirstOrDefault(label => label.Name == name)?.Value ?? "";

    private static string WordOf(Severity severity) => severity switch
    {
        Severity.Info => "info",
        Severity.Warning => "warning",
        Severity.Error => "error",
        Severity.Critical => "critical",
        _ => "",
    };

    private static string FirstLine(string text)
    {
        const int most = 300;
        string line = text.AsSpan().IndexOf('\n') is var end && end >= 0 ? text[..end] : text;
        return line.Length <= most ? line : line[..most];
    }
}
