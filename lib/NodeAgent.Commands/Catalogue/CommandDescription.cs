using NodeAgent.V1;

namespace NodeAgent.Commands.Catalogue;

/// <summary>A precondition by its stable name, and what it means.</summary>
public sealed record PreconditionDescription(string Name, string Meaning);

/// <summary>One kind of command, as data: what people see in a list is what agents enforce.</summary>
public sealed record CommandDescription
{
    public required Command.ActionOneofCase Action { get; init; }

    /// <summary>As in the policy file and the audit, like "gpu_power_limit".</summary>
    public required string Name { get; init; }

    public required string Summary { get; init; }

    public required RiskClass Risk { get; init; }

    /// <summary>From the first precondition to the last reading back. What is not done by then is "interrupted".</summary>
    public required TimeSpan Deadline { get; init; }

    public IReadOnlyList<ParameterDescription> Parameters { get; init; } = [];

    public IReadOnlyList<PreconditionDescription> Preconditions { get; init; } = [];

    /// <summary>How success is proved, in a sentence.</summary>
    public required string Verification { get; init; }

    /// <summary>How it is undone; "" where it cannot be.</summary>
    public string Undo { get; init; } = "";

    public bool HasUndo => Undo.Length > 0;

    /// <summary>Reversible ones must revert: that is what makes them R1. A no-op has nothing to revert.</summary>
    public bool TtlRequired => HasUndo && Risk == RiskClass.R1;

    /// <summary>People who must sign whatever the policy says; the policy can only ask for more.</summary>
    public int MinApprovals => Risk switch { RiskClass.R0 => 0, RiskClass.R1 or RiskClass.R2 => 1, _ => 2 };
}
