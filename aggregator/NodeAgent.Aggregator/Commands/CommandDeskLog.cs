using Microsoft.Extensions.Logging;
using NodeAgent.Hosting.Logs;

namespace NodeAgent.Aggregator.Commands;

/// <summary>Events of commands on the aggregator (5200 to 5299).</summary>
internal sealed partial class CommandDeskLog(ILogger<CommandDeskLog> logger)
{
    [LoggerMessage(EventId = 5200, EventName = "RolloutOpened", Level = LogLevel.Information, Message = "{Person} submitted {Kind} for {Targets} nodes as rollout {Rollout}: {Detail}")]
    public partial void Opened(string person, string kind, int targets, Guid rollout, string detail);

    [LoggerMessage(EventId = 5201, EventName = "RolloutApproved", Level = LogLevel.Information, Message = "{Person} approved rollout {Rollout}")]
    public partial void Approved(string person, Guid rollout);

    [LoggerMessage(EventId = 5202, EventName = "RolloutClosed", Level = LogLevel.Information, Message = "rollout {Rollout} of {Kind}: {Phase}, {Succeeded} of {Targets} succeeded; {Detail}")]
    public partial void Closed(Guid rollout, string kind, string phase, int succeeded, int targets, string detail);

    [LoggerMessage(EventId = 5203, EventName = "RolloutStopped", Level = LogLevel.Warning, Message = "rollout {Rollout} of {Kind} was stopped after {Ended} of {Targets}: {Reason}")]
    [EventHelp(
        Meaning = "Nodes that were not commanded yet are not.",
        Cause = "Commands failed, or nodes fell silent after theirs.",
        Action = "`nodectl watch ROLLOUT` lists each node's result; docs/runbooks/commands.md, \"A rollout stopped\".")]
    public partial void Stopped(Guid rollout, string kind, int ended, int targets, string reason);

    [LoggerMessage(EventId = 5204, EventName = "CommandsHalted", Level = LogLevel.Warning, Message = "{Person} halted all commands: {Reason}")]
    [EventHelp(
        Meaning = "Nothing goes out to any node, and open rollouts ended.",
        Cause = "Somebody said so with `nodectl halt`.",
        Action = "When what it was for is over: `nodectl halt --off`, then submit again what is still wanted.")]
    public partial void Halted(string person, string reason);

    [LoggerMessage(EventId = 5205, EventName = "CommandsResumed", Level = LogLevel.Information, Message = "{Person} ended the halt: {Reason}")]
    public partial void Resumed(string person, string reason);

    [LoggerMessage(EventId = 5206, EventName = "CommandsReplayed", Level = LogLevel.Information, Message = "commands: {Rollouts} open rollouts and {Nodes} nodes again, audit head {Head}")]
    public partial void Replayed(int rollouts, int nodes, string head);

    [LoggerMessage(EventId = 5207, EventName = "CommandBookDamaged", Level = LogLevel.Error, Message = "the chain of commands is not whole: {Findings}; {Lost} records lost, {Unread} unreadable")]
    [EventHelp(
        Meaning = "What was commanded can no longer be proved in full. Nodes still refuse what they consumed before.",
        Cause = "The disk lost or changed records, or somebody did.",
        Action = "`nodectl audit verify` shows which. Compare with nodes' own chains and with an exported copy.")]
    public partial void Damaged(string findings, long lost, long unread);

    [LoggerMessage(EventId = 5208, EventName = "CommandBookFails", Level = LogLevel.Error, Message = "the chain of commands cannot be written; nothing is sent")]
    [EventHelp(
        Meaning = "No command goes out, because what goes out must be on the disk first. `nodectl halt` still works.",
        Cause = "The disk of the state directory fails or is full.",
        Action = "See to the disk; rollouts go on by themselves if their windows last.")]
    public partial void Fails();

    [LoggerMessage(EventId = 5209, EventName = "NodeHeadWentBack", Level = LogLevel.Error, Message = "the audit chain of {Node} ends at {Now}, and was at {Before}")]
    [EventHelp(
        Meaning = "The node's record of what was done on it was cut off or written anew, or its disk went back in time.",
        Cause = "Tampering, a restored image, or a disk that lost what it had confirmed.",
        Action = "`nodectl audit verify --node NODE` with the head that this aggregator holds. Until it is explained, take the node out of use.")]
    public partial void HeadWentBack(string node, string now, string before);
}
