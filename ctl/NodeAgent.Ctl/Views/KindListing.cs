using System.Globalization;
using NodeAgent.Ctl.Output;

namespace NodeAgent.Ctl.Views;

/// <summary>Columns of <c>nodectl commands</c>, and one kind in full.</summary>
internal static class KindListing
{
    public static readonly Listing<KindItem> Kinds = new(
        "CommandKindList",
        [
            new("COMMAND", "name", item => new Cell(item.Name, Tone.Strong), item => item.Name),
            new("RISK", "risk", item => new Cell(item.Risk, item.Risk is "R2" or "R3" ? Tone.Warn : Tone.Normal), item => item.Risk),
            new("SIGN", "approvals", item => Raw.Whole(item.Approvals), item => Raw.Whole(item.Approvals)) { RightAligned = true },
            new("TTL", "needsTtl", item => item.NeedsTtl ? "needed" : Cell.None, item => item.NeedsTtl ? "true" : "false") { DropOrder = 2 },
            new("UNDO", "undo", item => item.Undo is null ? Cell.None : "yes", item => item.Undo ?? "") { DropOrder = 1 },
            new("SUMMARY", "summary", item => item.Summary, item => item.Summary) { ShrinkTo = 30 },
        ],
        CtlJson.Default.KindItem,
        "no commands");

    /// <summary>One of them, as a document.</summary>
    public static readonly Listing<KindItem> Kind = Kinds with { Kind = "CommandKind" };

    public static StyledLines Render(KindItem item, int width)
    {
        Facts facts = new(width);
        facts.Add("Command", new Cell(item.Name, Tone.Strong), $", {item.Risk}, {item.Approvals} must sign");
        facts.Add("Does", item.Summary);
        foreach (KindParameter parameter in item.Parameters)
        {
            string bounds = parameter.Min is { } min ? string.Create(CultureInfo.InvariantCulture, $" {min} to {parameter.Max} {parameter.Unit}") : "";
            facts.Add("Parameter", new Cell(parameter.Name, Tone.Strong), $"{bounds}{(parameter.Meaning.Length > 0 ? ": " + parameter.Meaning : "")}");
        }

        foreach (KindPrecondition condition in item.Preconditions) facts.Add("Precondition", condition.Name, $": {condition.Meaning}");
        facts.Add("Verified by", item.Verification);
        facts.Add("Undone by", item.Undo ?? "nothing", item.NeedsTtl ? "; reverts by itself, so --ttl is needed" : "");
        facts.Add("Deadline", string.Create(CultureInfo.InvariantCulture, $"{item.DeadlineSeconds:0} s"));
        return facts.Render();
    }
}
