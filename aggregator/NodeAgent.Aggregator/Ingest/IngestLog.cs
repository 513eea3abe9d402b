using Microsoft.Extensions.Logging;
using NodeAgent.Hosting.Logs;

namespace NodeAgent.Aggregator.Ingest;

/// <summary>
/// What ingest tells people. Failures that one agent can repeat at will go through the gate, so no agent can fill the log.
/// </summary>
internal sealed partial class IngestLog(ILogger<IngestLog> logger, RepeatedEventGate gate)
{
    internal void Connected(string node, string peer, string agentVersion, ulong droppedRecords)
    {
        AgentConnected(logger, node, peer, agentVersion);
        if (droppedRecords > 0)
        {
            AgentDroppedRecords(logger, node, droppedRecords);
        }
    }

    internal void Ended(string node, string peer, string reason) => AgentDisconnected(logger, node, peer, reason);

    internal void Displaced(string node, string peer) => AgentStreamDisplaced(logger, node, peer);

    internal void Rejected(string node, ulong sequence, string reason)
    {
        if (gate.IsFirst(nameof(RecordRejected), node))
        {
            RecordRejected(logger, node, sequence, reason);
        }
    }

    internal void Broken(string node, string reason)
    {
        if (gate.IsFirst(nameof(AgentStreamBroken), node))
        {
            AgentStreamBroken(logger, node, reason);
        }
    }

    [LoggerMessage(EventId = 6001, EventName = "AgentConnected", Level = LogLevel.Information,
        Message = "agent {Node} connected from {Peer}, version {AgentVersion}")]
    private static partial void AgentConnected(ILogger logger, string node, string peer, string agentVersion);

    [LoggerMessage(EventId = 6002, EventName = "AgentDisconnected", Level = LogLevel.Information,
        Message = "agent {Node} at {Peer} disconnected: {Reason}")]
    private static partial void AgentDisconnected(ILogger logger, string node, string peer, string reason);

    [LoggerMessage(EventId = 6003, EventName = "AgentStreamDisplaced", Level = LogLevel.Warning,
        Message = "agent {Node} opened a second stream from {Peer}; the former one ends")]
    [EventHelp(
        Meaning = "Two streams came with the same node's certificate; the newer one is served.",
        Cause = "The agent reconnected before the aggregator noticed that the old connection was dead; if it repeats, two machines use one certificate.",
        Action = "Once: nothing. Repeated: find the second machine by its peer address and issue it a certificate of its own (`nodectl fleet issue`).")]
    private static partial void AgentStreamDisplaced(ILogger logger, string node, string peer);

    [LoggerMessage(EventId = 6004, EventName = "AgentDroppedRecords", Level = LogLevel.Warning,
        Message = "agent {Node} has dropped {Records} records because its spool was full")]
    [EventHelp(
        Meaning = "There is a hole in this node's data: the agent had to drop its oldest unsent records.",
        Cause = "The aggregator was away, or too slow for this agent, for longer than the agent's spool lasts.",
        Action = "Look for AgentDisconnected of this node to see how long; raise spool.max_bytes on the agent if such outages must be bridged.")]
    private static partial void AgentDroppedRecords(ILogger logger, string node, ulong records);

    [LoggerMessage(EventId = 6005, EventName = "RecordRejected", Level = LogLevel.Warning,
        Message = "record {Sequence} of agent {Node} was set aside: {Reason}")]
    [EventHelp(
        Meaning = "One record was not stored, or not all of it; the agent was told, and the stream goes on.",
        Cause = "The node's clock is far off, the data is older than retention, or the record was damaged.",
        Action = "Check the node's clock (`nodectl node NAME` shows the offset) and the reason in the message.")]
    private static partial void RecordRejected(ILogger logger, string node, ulong sequence, string reason);

    [LoggerMessage(EventId = 6006, EventName = "AgentStreamBroken", Level = LogLevel.Error,
        Message = "agent {Node} broke the contract and its stream was ended: {Reason}")]
    [EventHelp(
        Meaning = "This agent's data is not being stored: it reconnects and fails the same way.",
        Cause = "A version mismatch between agent and aggregator, a series quota, or something that is no agent using an agent's certificate.",
        Action = "Compare `nodeagent version` with `nodectl version`; the reason names the field or the limit.")]
    private static partial void AgentStreamBroken(ILogger logger, string node, string reason);
}
