using NodeAgent.Ctl.Output;

namespace NodeAgent.Ctl.Views;

/// <summary>Columns of <c>nodectl audit tail</c> and <c>heads</c>.</summary>
internal static class AuditListing
{
    public static readonly Listing<AuditItem> Records = new(
        "AuditList",
        [
            new("INDEX", "index", item => Raw.Whole(item.Index), item => Raw.Whole(item.Index)) { RightAligned = true },
            new("TIME", "time", item => item.Time ?? "", item => item.Time ?? ""),
            new("WHAT", "what", item => new Cell(item.What, item.What is "refused" ? Tone.Warn : Tone.Strong), item => item.What),
            new("DETAIL", "detail", item => item.Detail, item => item.Detail) { ShrinkTo = 30 },
            new("HASH", "hash", item => item.Hash, item => item.Hash) { WideOnly = true },
        ],
        CtlJson.Default.AuditItem,
        "no records");

    public static readonly Listing<HeadItem> Heads = new(
        "AuditHeadList",
        [
            new("NODE", "node", item => new Cell(item.Node, Tone.Strong), item => item.Node),
            new("HEAD", "head", item => item.Head, item => item.Head),
            new("SEEN", "seen", item => item.Seen ?? "", item => item.Seen ?? "") { DropOrder = 1 },
            new("OWNER", "owner", item => item.Owner, item => item.Owner) { WideOnly = true },
        ],
        CtlJson.Default.HeadItem,
        "no heads");
}
