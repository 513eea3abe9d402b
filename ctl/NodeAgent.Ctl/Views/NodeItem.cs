using NodeAgent.Ctl.Text;
using NodeAgent.V1;

namespace NodeAgent.Ctl.Views;

/// <summary>One node of <c>nodectl nodes</c>.</summary>
internal sealed record NodeItem
{
    public required string Name { get; init; }

    /// <summary>live, late, down or unknown.</summary>
    public required string State { get; init; }

    /// <summary>Since the newest frame arrived, by the aggregator's clock. Null: no frame yet.</summary>
    public required long? AgeMs { get; init; }

    public required string AgentVersion { get; init; }
    public required string BootId { get; init; }

    public required string? LastFrame { get; init; }
    public required long? LastFrameUnixMs { get; init; }
    public required string? LastReceived { get; init; }
    public required long? LastReceivedUnixMs { get; init; }
    public required string? FirstReceived { get; init; }
    public required long? FirstReceivedUnixMs { get; init; }

    public required uint Series { get; init; }
    public required ulong DroppedRecords { get; init; }
    public required long ClockOffsetMs { get; init; }

    /// <summary>synchronised, unsynchronised, stepped or unknown.</summary>
    public required string Clock { get; init; }

    /// <param name="wallUnixMs">The aggregator's clock when it answered.</param>
    public static NodeItem From(Node node, long wallUnixMs) => new()
    {
        Name = node.Name,
        State = Words.Of(node.State),
        AgeMs = node.LastReceivedUnixMs == 0 ? null : Math.Max(0, wallUnixMs - node.LastReceivedUnixMs),
        AgentVersion = node.AgentVersion,
        BootId = node.BootId,
        LastFrame = MomentText.Rfc3339(node.LastFrameUnixMs),
        LastFrameUnixMs = OrNull(node.LastFrameUnixMs),
        LastReceived = MomentText.Rfc3339(node.LastReceivedUnixMs),
        LastReceivedUnixMs = OrNull(node.LastReceivedUnixMs),
        FirstReceived = MomentText.Rfc3339(node.FirstReceivedUnixMs),
        FirstReceivedUnixMs = OrNull(node.FirstReceivedUnixMs),
        Series = node.Series,
        DroppedRecords = node.DroppedRecords,
        ClockOffsetMs = node.ClockOffsetMs,
        Clock = Words.Of(node.Clock),
    };

    internal static long? OrNull(long unixMs) => unixMs == 0 ? null : unixMs;
}
