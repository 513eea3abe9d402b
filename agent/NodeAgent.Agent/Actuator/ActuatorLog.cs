using Microsoft.Extensions.Logging;
using NodeAgent.Hosting.Logs;

namespace NodeAgent.Agent.Actuator;

/// <summary>Events of the actuator (5000 to 5099).</summary>
internal static partial class ActuatorLog
{
    [LoggerMessage(EventId = 5000, EventName = "ActuatorStarted", Level = LogLevel.Information,
        Message = "actuator of {Node} in {Fleet} starts: policy {Policy}, {Records} records, {Settings} settings to put back")]
    public static partial void ActuatorStarted(this ILogger logger, string node, string fleet, string policy, ulong records, int settings);

    [LoggerMessage(EventId = 5001, EventName = "ActuatorEnded", Level = LogLevel.Information, Message = "actuator ends: {Reason}")]
    public static partial void ActuatorEnded(this ILogger logger, string reason);

    [LoggerMessage(EventId = 5002, EventName = "ActuatorUnusable", Level = LogLevel.Error, Message = "the actuator cannot start: {Reason}")]
    [EventHelp(
        Meaning = "This node takes no commands; telemetry goes on.",
        Cause = "Its journal, its socket or the node's certificate cannot be used, or belong to another node.",
        Action = "Do what the reason says; docs/runbooks/commands.md has each.")]
    public static partial void ActuatorUnusable(this ILogger logger, string reason);

    [LoggerMessage(EventId = 5003, EventName = "PolicyUnusable", Level = LogLevel.Error, Message = "the policy cannot be used: {Reason}")]
    [EventHelp(
        Meaning = "This node takes no commands.",
        Cause = "There is no policy file, others than root may write it, or something in it is wrong.",
        Action = "`nodectl policy check FILE` lists every error; the file must be root's, and writable by nobody else.")]
    public static partial void PolicyUnusable(this ILogger logger, string reason);

    [LoggerMessage(EventId = 5004, EventName = "CommandJournalDamaged", Level = LogLevel.Error, Message = "{Reason}: nothing above reading is done")]
    [EventHelp(
        Meaning = "Which commands were carried out is no longer certain, so only reading ones are taken.",
        Cause = "The disk lost or changed records, or somebody did.",
        Action = "Compare with the aggregator's head (`nodectl audit verify --node NODE`). If it was the disk, move the state directory away and start again: the node gets another id, and old commands are worth nothing.")]
    public static partial void JournalDamaged(this ILogger logger, string reason);

    [LoggerMessage(EventId = 5005, EventName = "CommandInterrupted", Level = LogLevel.Warning, Message = "{Kind} {Command} was under way when the actuator ended")]
    [EventHelp(
        Meaning = "It may have happened or not, and is not run again by itself. A reboot that another boot followed counts as done.",
        Cause = "The actuator was killed, or the machine lost power, in the middle of a command.",
        Action = "Look at the node, then sign the command anew if it is still wanted.")]
    public static partial void Interrupted(this ILogger logger, string kind, Guid command);

    [LoggerMessage(EventId = 5006, EventName = "CommandEnded", Level = LogLevel.Information, Message = "command {Command}: {Outcome}: {Detail}")]
    public static partial void CommandEnded(this ILogger logger, string command, string outcome, string detail);

    [LoggerMessage(EventId = 5007, EventName = "CommandRefused", Level = LogLevel.Warning, Message = "command {Command} refused ({Refusal}): {Detail}")]
    [EventHelp(
        Meaning = "Nothing was done.",
        Cause = "The refusal names the check that failed; the policy names the rule.",
        Action = "If the command was wanted, correct what the detail names. Many of these that nobody sent: somebody tries; look at the aggregator.")]
    public static partial void CommandRefused(this ILogger logger, string command, string refusal, string detail);

    [LoggerMessage(EventId = 5008, EventName = "SettingsReverted", Level = LogLevel.Information, Message = "{Settings} settings whose time was up were put back")]
    public static partial void SettingsReverted(this ILogger logger, int settings);

    [LoggerMessage(EventId = 5009, EventName = "ActuatorCallerRefused", Level = LogLevel.Warning, Message = "a process of user {User} may not ask the actuator")]
    [EventHelp(
        Meaning = "Somebody on this node tried to reach the actuator and was turned away.",
        Cause = "A tool of another user, or actuator.agent_user does not name the agent's.",
        Action = "If it was the agent, set actuator.agent_user; else find out who it was.")]
    public static partial void CallerRefused(this ILogger logger, string user);

    [LoggerMessage(EventId = 5010, EventName = "ActuatorConnectionBroken", Level = LogLevel.Debug, Message = "a local connection broke: {Reason}")]
    public static partial void ConnectionBroken(this ILogger logger, string reason);
}
