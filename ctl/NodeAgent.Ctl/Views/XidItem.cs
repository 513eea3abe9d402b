using NodeAgent.Contracts.Xids;
using NodeAgent.Ctl.Output;

namespace NodeAgent.Ctl.Views;

/// <summary>What an XID is, what to do about it, and who says what.</summary>
/// <param name="Xid">The number.</param>
/// <param name="Name">What it is called.</param>
/// <param name="Class">Its kind.</param>
/// <param name="Action">What to do, by key.</param>
/// <param name="ActionText">The same in words.</param>
/// <param name="Severity">info, warning, error, critical.</param>
/// <param name="DecidedBy">driver, policy or catalogue.</param>
/// <param name="Note">What else there is to know; null: nothing.</param>
/// <param name="Catalogue">Version of the data.</param>
/// <param name="Dated">When the sources were read.</param>
/// <param name="Opinions">What each source says.</param>
internal sealed record XidItem(
    int Xid, string Name, string Class, string Action, string ActionText, string Severity, string DecidedBy, string? Note, int Catalogue, string Dated,
    IReadOnlyList<XidOpinion> Opinions);

/// <summary>One source's word on an XID.</summary>
/// <param name="Source">Key of the source.</param>
/// <param name="Says">Its word; null: it does not know this XID.</param>
/// <param name="Reference">Where it says so.</param>
internal sealed record XidOpinion(string Source, string? Says, string Reference);

internal static class XidView
{
    public static readonly Listing<XidItem> Listing = new(
        "Xid",
        [
            new("XID", "xid", item => item.Xid.ToString(), item => item.Xid.ToString()),
            new("NAME", "name", item => item.Name, item => item.Name),
            new("CLASS", "class", item => item.Class, item => item.Class),
            new("ACTION", "action", item => item.Action, item => item.Action),
            new("SEVERITY", "severity", item => item.Severity, item => item.Severity),
            new("DECIDED BY", "decidedBy", item => item.DecidedBy, item => item.DecidedBy),
        ],
        CtlJson.Default.XidItem,
        "no such XID");

    /// <summary>An XID by its number, as the policy and the driver's recovery action have it.</summary>
    public static XidItem Of(int xid, XidPolicy policy, int recoveryAction)
    {
        XidCatalogue catalogue = XidCatalogue.Embedded;
        XidEntry? entry = catalogue.Find(xid);
        XidVerdict verdict = policy.Judge(xid, recoveryAction);
        return new XidItem(
            xid, entry?.Name ?? "not in the catalogue", entry?.Class ?? "unknown", verdict.Action, catalogue.Actions.GetValueOrDefault(verdict.Action, verdict.Action.Replace('_', ' ')),
            verdict.Severity, verdict.Source, entry is { Note.Length: > 0 } ? entry.Note : null, catalogue.Version, catalogue.Dated,
            [.. catalogue.Sources.Select(source => new XidOpinion(source.Key, entry?.Sources.GetValueOrDefault(source.Key), source.Value))]);
    }

    public static StyledLines Render(XidItem item, int width)
    {
        Facts facts = new(width);
        facts.Add($"XID {item.Xid}", new Cell(item.Name, Tone.Strong), $" ({item.Class})");
        facts.Add("Do", item.ActionText, $" ({item.Severity}, decided by the {item.DecidedBy})");
        if (item.Note is { } note) facts.Add("Note", note);
        foreach (XidOpinion opinion in item.Opinions) facts.Add($"  {opinion.Source}", opinion.Says ?? "says nothing", $"  [{opinion.Reference}]");
        facts.Add("Catalogue", $"version {item.Catalogue}, sources as of {item.Dated}");
        return facts.Render();
    }
}
