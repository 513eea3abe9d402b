using NodeAgent.V1;

namespace NodeAgent.Actuation.Ledger;

/// <summary>A command that was consumed, for the limits.</summary>
public readonly record struct Attempt(string Kind, RiskClass Risk, long WallUnixMs);

/// <summary>A setting with a time to live, and how to put back what was there.</summary>
public sealed class ActiveSetting
{
    /// <summary>The command that made it.</summary>
    public required Guid Command { get; init; }

    public required string Kind { get; init; }

    public required UndoPlan Undo { get; init; }

    /// <summary>By the wall clock; survives restarts.</summary>
    public required long RevertsAtUnixMs { get; init; }

    /// <summary>By the monotonic clock of this process: a wall clock that was set back must not keep a setting.</summary>
    public required long DeadlineTimestamp { get; init; }

    /// <summary>Failures so far in this process.</summary>
    public int Failures { get; set; }

    /// <summary>Not tried again before this timestamp.</summary>
    public long NotBeforeTimestamp { get; set; }
}
