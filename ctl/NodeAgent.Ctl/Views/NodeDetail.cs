using NodeAgent.Ctl.Text;
using NodeAgent.V1;

namespace NodeAgent.Ctl.Views;

/// <summary>One node with inventory: <c>nodectl node NAME</c>.</summary>
internal sealed record NodeDetail
{
    public required NodeItem Node { get; init; }

    /// <summary>Null: the agent has not sent it yet.</summary>
    public required InventoryItem? Inventory { get; init; }

    public required IReadOnlyList<SamplerItem> Samplers { get; init; }

    public static NodeDetail From(GetNodeResponse answer) => new()
    {
        Node = NodeItem.From(answer.Node ?? new Node(), answer.WallUnixMs),
        Inventory = answer.Inventory is null ? null : InventoryItem.From(answer.Inventory),
        Samplers = [.. answer.Samplers.Select(sampler => SamplerItem.From(sampler, answer.WallUnixMs))],
    };
}

/// <summary>One sampler of a node.</summary>
internal sealed record SamplerItem(string Name, uint Series, uint IntervalMs, string? LastFrame, long? LastFrameUnixMs, long? AgeMs)
{
    public static SamplerItem From(GetNodeResponse.Types.SamplerState sampler, long wallUnixMs) => new(
        sampler.Name,
        sampler.Series,
        sampler.IntervalMs,
        MomentText.Rfc3339(sampler.LastFrameUnixMs),
        NodeItem.OrNull(sampler.LastFrameUnixMs),
        sampler.LastFrameUnixMs == 0 ? null : Math.Max(0, wallUnixMs - sampler.LastFrameUnixMs));
}
