using System.Diagnostics.CodeAnalysis;

namespace NodeAgent.Tsdb;

/// <summary>What became of a schema.</summary>
public enum RegisterStatus
{
    /// <summary>The handle can be appended to.</summary>
    Accepted = 0,

    /// <summary>The node would have more series than its quota allows.</summary>
    QuotaExceeded = 1,

    /// <summary>The schema breaks a rule of the contract; the detail names the column and the rule.</summary>
    Invalid = 2,
}

/// <summary>Outcome of <see cref="ISeriesWriter.Register"/>.</summary>
/// <param name="Status">What became of it.</param>
/// <param name="Handle">Null unless accepted.</param>
/// <param name="Detail">Empty when accepted, else one sentence for the agent's log.</param>
public readonly record struct RegisterResult(RegisterStatus Status, SchemaHandle? Handle, string Detail)
{
    /// <summary>Whether there is a handle.</summary>
    [MemberNotNullWhen(true, nameof(Handle))]
    public bool IsAccepted => Status == RegisterStatus.Accepted;

    internal static RegisterResult Accept(SchemaHandle handle) => new(RegisterStatus.Accepted, handle, "");

    internal static RegisterResult Refuse(RegisterStatus status, string detail) => new(status, null, detail);
}
