using NodeAgent.V1;

namespace NodeAgent.Agent.Commands;

/// <summary>
/// What the uplink knows of commands: what came down is handed over, what is there goes up before fresh data. Called by the uplink's
/// thread; costs one read of a flag while there is nothing.
/// </summary>
internal interface ICommandLane
{
    /// <summary>Something is to be sent.</summary>
    bool HasAnswers { get; }

    /// <summary>A stream was opened: the node says what it can do, and what it owes.</summary>
    void Welcomed();

    /// <summary>False: the message is none of its.</summary>
    bool Take(AggregatorMessage message);

    /// <summary>The oldest answer, an encoded <c>AgentMessage</c>; it stays until <see cref="Sent"/>.</summary>
    bool TryPeek(out byte[] answer);

    /// <summary>The stream has taken the oldest answer.</summary>
    void Sent();
}
