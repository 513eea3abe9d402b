using NodeAgent.Ctl.Output;
using NodeAgent.Ctl.Text;

namespace NodeAgent.Ctl.Views;

/// <summary>Columns of <c>nodectl nodes</c>.</summary>
internal static class NodeListing
{
    // A disciplined clock stays within tens of milliseconds; the offset also holds the one-way delay.
    private const long ClockOffsetWarnMs = 1_000;

    public static readonly Listing<NodeItem> Nodes = new(
        "NodeList",
        [
            new("NAME", "name", node => new Cell(node.Name, Tone.Strong), node => node.Name) { ShrinkTo = 12 },
            new("STATE", "state", node => new Cell(node.State, Words.ToneOfState(node.State)), node => node.State),
            new("AGE", "ageMs", Age, node => Raw.Moment(node.AgeMs)) { RightAligned = true },
            new("SERIES", "series", node => Human.Grouped(node.Series), node => Raw.Whole(node.Series)) { RightAligned = true, DropOrder = 2 },
            new("DROPPED", "droppedRecords", Dropped, node => Raw.Whole(node.DroppedRecords)) { RightAligned = true, DropOrder = 3 },
            new("CLOCK", "clock", node => new Cell(node.Clock, Words.ToneOfClock(node.Clock)), node => node.Clock) { DropOrder = 5 },
            new("OFFSET", "clockOffsetMs", Offset, node => Raw.Whole(node.ClockOffsetMs)) { RightAligned = true, DropOrder = 4 },
            new("AGENT", "agentVersion", node => OrNone(node.AgentVersion), node => node.AgentVersion) { DropOrder = 6, ShrinkTo = 8 },
            new("LAST FRAME", "lastFrame", node => OrNone(node.LastFrame), node => node.LastFrame ?? "") { WideOnly = true },
            new("LAST FRAME MS", "lastFrameUnixMs", node => "", node => Raw.Moment(node.LastFrameUnixMs)) { WideOnly = true },
            new("LAST RECEIVED", "lastReceived", node => OrNone(node.LastReceived), node => node.LastReceived ?? "") { WideOnly = true },
            new("FIRST RECEIVED", "firstReceived", node => OrNone(node.FirstReceived), node => node.FirstReceived ?? "") { WideOnly = true },
            new("BOOT ID", "bootId", node => OrNone(node.BootId), node => node.BootId) { WideOnly = true },
        ],
        CtlJson.Default.NodeItem,
        "no nodes");

    internal static Cell Age(NodeItem node) =>
        node.AgeMs is { } age ? new Cell(Human.Age(age), node.State == "live" ? Tone.Normal : Words.ToneOfState(node.State)) : Cell.None;

    internal static Cell OrNone(string? text) => string.IsNullOrEmpty(text) ? Cell.None : text;

    private static Cell Dropped(NodeItem node) =>
        new(Human.Count(node.DroppedRecords), node.DroppedRecords == 0 ? Tone.Dim : Tone.Warn);

    private static Cell Offset(NodeItem node)
    {
        string sign = node.ClockOffsetMs > 0 ? "+" : "";
        Tone tone = Math.Abs(node.ClockOffsetMs) >= ClockOffsetWarnMs ? Tone.Warn : Tone.Normal;
        return new Cell(sign + Human.Seconds(node.ClockOffsetMs / 1000.0), tone);
    }
}
