using NodeAgent.Contracts.Xids;

namespace NodeAgent.Detection.Rules;

/// <summary>An XID as a finding: what the driver asks for first, then the site's policy, then the catalogue (docs/decisions/xids.md).</summary>
public static class XidRule
{
    /// <summary>The cause of every XID's finding begins with this.</summary>
    public const string Prefix = "xid-";

    /// <summary>The finding.</summary>
    /// <param name="policy">Who is right about an XID.</param>
    /// <param name="xid">Its number.</param>
    /// <param name="recoveryAction">What the driver asked for then; -1: it does not say.</param>
    /// <param name="node">The node.</param>
    /// <param name="gpu">The GPU.</param>
    /// <param name="unixMs">When.</param>
    public static Finding Judge(XidPolicy policy, int xid, int recoveryAction, string node, string gpu, long unixMs)
    {
        XidVerdict verdict = policy.Judge(xid, recoveryAction);
        XidEntry? entry = XidCatalogue.Embedded.Find(xid);
        string text = $"XID {xid} ({entry?.Name ?? "not in the catalogue"}): {verdict.Action}, says the {verdict.Source}";
        double sureness = verdict.Severity switch { "info" => 0.3, "warning" => 0.7, _ => 1 };
        return new Finding(unixMs, unixMs, FindingKind.Rule, Prefix + xid, new Subject(node, gpu), double.NaN, xid, sureness, text) { Severity = verdict.Severity, Action = verdict.Action };
    }
}
