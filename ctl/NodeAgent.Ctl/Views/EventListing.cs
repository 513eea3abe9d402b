using NodeAgent.Ctl.Output;
using NodeAgent.Ctl.Text;
using NodeAgent.V1;

namespace NodeAgent.Ctl.Views;

/// <summary>One event of <c>nodectl events</c>.</summary>
internal sealed record EventItem(
    string Node,
    string? Time,
    long UnixMs,
    string? Received,
    long ReceivedUnixMs,
    string Kind,
    string Severity,
    string Message,
    IReadOnlyDictionary<string, string> Attributes,
    string BootId,
    ulong? KernelSequence,
    ulong Sequence)
{
    public static EventItem From(ListEventsResponse answer)
    {
        Event happened = answer.Event ?? new Event();
        return new(
            answer.Node,
            MomentText.Rfc3339(happened.WallUnixMs),
            happened.WallUnixMs,
            MomentText.Rfc3339(answer.ReceivedUnixMs),
            answer.ReceivedUnixMs,
            happened.Kind,
            Words.Of(happened.Severity),
            happened.Message,
            LabelText.Map(happened.Attributes),
            happened.BootId,
            happened.HasKernelSequence ? happened.KernelSequence : null,
            happened.Sequence);
    }
}

/// <summary>Columns of <c>nodectl events</c>.</summary>
internal static class EventListing
{
    public static readonly Listing<EventItem> Events = new(
        "EventList",
        [
            new("TIME (UTC)", "time", item => MomentText.DateAndClock(item.UnixMs), item => item.Time ?? "") { StreamWidth = 19 },
            new("UNIX MS", "unixMs", item => "", item => Raw.Whole(item.UnixMs)) { WideOnly = true },
            new("NODE", "node", item => new Cell(item.Node, Tone.Strong), item => item.Node) { ShrinkTo = 10, StreamWidth = 12 },
            new("SEVERITY", "severity", item => new Cell(item.Severity, Words.ToneOfSeverity(item.Severity)), item => item.Severity) { StreamWidth = 8 },
            new("KIND", "kind", item => item.Kind, item => item.Kind) { StreamWidth = 13, ShrinkTo = 10, DropOrder = 2 },
            new("ATTRIBUTES", "attributes", item => "", item => LabelText.Braces(item.Attributes)) { WideOnly = true },
            new("BOOT ID", "bootId", item => "", item => item.BootId) { WideOnly = true },
            new("KERNEL SEQ", "kernelSequence", item => "", item => item.KernelSequence is { } sequence ? Raw.Whole(sequence) : "") { WideOnly = true },
            new("RECEIVED", "received", item => "", item => item.Received ?? "") { WideOnly = true },
            new("MESSAGE", "message", item => item.Message, item => item.Message) { ShrinkTo = 16 },
        ],
        CtlJson.Default.EventItem,
        "no events");
}
