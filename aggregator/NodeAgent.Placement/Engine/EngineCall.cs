using NodeAgent.Placement.Fleet;
using NodeAgent.Placement.Requests;

namespace NodeAgent.Placement.Engine;

/// <summary>Everything that can change what an engine decides. Replaying the calls in order on a new engine gives the same decisions.</summary>
public abstract record EngineCall
{
    private EngineCall()
    {
    }

    public sealed record Place(PlacementRequest Request, DateTimeOffset Now, bool DryRun, bool Explain) : EngineCall;

    public sealed record Commit(string Token, DateTimeOffset Now) : EngineCall;

    public sealed record Release(string Job, DateTimeOffset Now) : EngineCall;

    public sealed record Condition(string Node, NodeCondition Value) : EngineCall;

    public sealed record Apply(string Description, IReadOnlyList<Plans.PlannedMove> Moves) : EngineCall;

    public sealed record Adopt(PlacementRequest Request, IReadOnlyList<Assignment> Assignments, DateTimeOffset Since, string Token, DateTimeOffset Expires) : EngineCall;

    public sealed record Refused(RefusedAsk Value) : EngineCall;
}

/// <summary>How a commit ended.</summary>
public enum CommitResult
{
    Committed = 0,

    /// <summary>No such token: never given, already committed, or released.</summary>
    Unknown = 1,

    /// <summary>Too late; the place was given back.</summary>
    Expired = 2,

    /// <summary>A node of the placement was taken out of service since; the place was given back. Ask again.</summary>
    Conflict = 3,
}

/// <summary>What came of a call; what its kind does not have is null or false.</summary>
public readonly record struct EngineAnswer
{
    /// <summary>Of a placement.</summary>
    public PlacementDecision? Decision { get; init; }

    /// <summary>Of a commit.</summary>
    public CommitResult? Commit { get; init; }

    /// <summary>Of all others: it was carried out.</summary>
    public bool Done { get; init; }
}
