using NodeAgent.Commands.Catalogue;

namespace NodeAgent.Ctl.Views;

/// <summary>One kind of command.</summary>
internal sealed record KindItem
{
    public required string Name { get; init; }

    /// <summary>R0 to R3.</summary>
    public required string Risk { get; init; }

    public required string Summary { get; init; }

    public required double DeadlineSeconds { get; init; }

    /// <summary>People who must sign at least.</summary>
    public required int Approvals { get; init; }

    public required bool NeedsTtl { get; init; }

    public required IReadOnlyList<KindParameter> Parameters { get; init; }

    public required IReadOnlyList<KindPrecondition> Preconditions { get; init; }

    public required string Verification { get; init; }

    /// <summary>Null: it cannot be undone.</summary>
    public required string? Undo { get; init; }

    public static KindItem From(CommandDescription row) => new()
    {
        Name = row.Name,
        Risk = row.Risk.ToString(),
        Summary = row.Summary,
        DeadlineSeconds = row.Deadline.TotalSeconds,
        Approvals = row.MinApprovals,
        NeedsTtl = row.TtlRequired,
        Parameters = [.. row.Parameters.Select(parameter => new KindParameter(
            parameter.Name, parameter.Unit, parameter.IsNumber ? parameter.Min : null, parameter.IsNumber ? parameter.Max : null, parameter.Meaning))],
        Preconditions = [.. row.Preconditions.Select(condition => new KindPrecondition(condition.Name, condition.Meaning))],
        Verification = row.Verification,
        Undo = row.HasUndo ? row.Undo : null,
    };
}

/// <param name="Name">As after <c>--set</c>.</param>
/// <param name="Unit">Empty: none.</param>
/// <param name="Min">Null: a text.</param>
/// <param name="Max">Null: a text.</param>
/// <param name="Meaning">In a few words.</param>
internal sealed record KindParameter(string Name, string Unit, long? Min, long? Max, string Meaning);

internal sealed record KindPrecondition(string Name, string Meaning);
