using NodeAgent.Commands.Catalogue;
using NodeAgent.V1;

namespace NodeAgent.Commands.Envelope;

/// <summary>What a policy says to a command, and which of its rules said so.</summary>
/// <param name="Allowed">False: refused, whoever signed.</param>
/// <param name="Approvals">People who must have signed; 0 only for R0 and dry runs.</param>
/// <param name="Rule">The rule that decided, like "commands.reboot.allow".</param>
/// <param name="Detail">One sentence.</param>
public sealed record PolicyDecision(bool Allowed, int Approvals, string Rule, string Detail);

/// <summary>The agent's own opinion. It comes from a local file, so that nobody on the network can widen it.</summary>
public interface ICommandPolicy
{
    KeyRing Keys { get; }

    PolicyDecision Decide(Command command, CommandDescription description);
}

/// <summary>What was consumed before; survives restarts.</summary>
public interface IReplayMemory
{
    bool WasConsumed(Guid id);

    /// <summary>The highest sequence of any signed command ever consumed; 0: none was.</summary>
    ulong HighestSequence { get; }

    /// <summary>The latest not_before of a signed and consumed command: the clock is at least that late, whatever it says. 0: none.</summary>
    long HighestSignedUnixMs { get; }
}

/// <summary>What an agent knows of itself while it checks a command.</summary>
public interface IAgentFacts
{
    Guid Agent { get; }

    Guid Fleet { get; }

    /// <summary>/proc/sys/kernel/random/boot_id; "" where there is none.</summary>
    string BootId { get; }

    /// <summary>Whether the kernel's clock is disciplined (adjtimex).</summary>
    bool IsClockSynchronised { get; }
}
