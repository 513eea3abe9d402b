using NodeAgent.Contracts.Xids;
using NodeAgent.Detection.Incidents;

namespace NodeAgent.Detection.Rules;

/// <summary>What is known about a cause beyond its findings: how bad, what to do, why it matters, where to read on.</summary>
/// <param name="Severity">info, warning, error or critical.</param>
/// <param name="Action">What policy would do; a name, not an order.</param>
/// <param name="Why">Why anybody should care.</param>
/// <param name="Runbook">A path in the documentation.</param>
public readonly record struct CauseFacts(string Severity, string Action, string Why, string Runbook)
{
    private const string Page = "docs/runbooks/detection.md#";

    private static readonly Dictionary<string, CauseFacts> Detectors = new(StringComparer.Ordinal)
    {
        ["straggler"] = new("warning", "check_peer", "A synchronous job goes at the pace of its slowest member.", Page + "straggler"),
        ["leak"] = new("warning", "restart_when_convenient", "What grows and never comes back ends in an out-of-memory kill.", Page + "leak"),
        ["flat-line"] = new("warning", "check_agent", "A sensor that stands still hides whatever happens behind it.", Page + "flat-line"),
        ["domain-down"] = new("critical", "check_network", "Everything behind a switch, rack or feed is cut off at once.", Page + "domain-down"),
        ["novelty"] = new("info", "look", "Several readings of one node are where they never were.", Page + "odd"),
        ["residual"] = new("info", "look", "Several readings of one node are off what they were expected to be.", Page + "odd"),
        ["gpu-event"] = new("error", "drain", "The GPU's reader says that something is wrong with it.", Page + "gpu-event"),
        ["host-event"] = new("error", "look", "The kernel reports a fault of the machine.", Page + "host-event"),
    };

    /// <summary>The facts of a finding's cause; for an XID as the policy judges it with what the driver asked for then.</summary>
    public static CauseFacts Of(string cause, XidPolicy policy, int recoveryAction = -1)
    {
        if (RuleCatalogue.Embedded.Find(cause) is { } rule)
        {
            return new CauseFacts(rule.Severity, rule.Action, rule.Why, rule.Runbook);
        }

        if (cause.StartsWith(XidRule.Prefix, StringComparison.Ordinal) && int.TryParse(cause.AsSpan(XidRule.Prefix.Length), out int xid))
        {
            XidVerdict verdict = policy.Judge(xid, recoveryAction);
            return new CauseFacts(verdict.Severity, verdict.Action, XidCatalogue.Embedded.Find(xid)?.Note ?? "", Page + "xid");
        }

        return Detectors.TryGetValue(cause, out CauseFacts facts) ? facts
            : CauseMap.ClassOf(cause) == CauseMap.Unknown ? Detectors["host-event"]
            : new CauseFacts("warning", "look", "", Page + "odd");
    }
}
