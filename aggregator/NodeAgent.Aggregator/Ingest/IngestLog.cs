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

    internal void Refused(string node, string reason)
    {
        if (gate.IsFirst(nameof(AgentStreamRefused), node))
        {
            AgentStreamRefused(logger, node, reason);
        }
    }

    internal void DiskFails(string error) => WalDiskFails(logger, error);

    internal void DiskWorks(long syncErrors, long writeErrors) => WalDiskWorks(logger, syncErrors, writeErrors);

    internal void Replayed(long records, long nodes, TimeSpan elapsed) => WalReplayed(logger, records, nodes, elapsed);

    internal void Damaged(long records, long tornBytes, int places) => WalDamaged(logger, records, tornBytes, places);

    internal void LetGo(long maxBytes)
    {
        if (gate.IsFirst(nameof(WalLetGo), ""))
        {
            WalLetGo(logger, maxBytes);
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
        Meaning = "One record was not stored, or not all of it; the agent was told, and the stream goes on. Unless it was merely too old, it is kept in the quarantine.",
        Cause = "The node's clock is far off, the data is older than retention, the record was damaged, or a schema is over a limit.",
        Action = "Check the node's clock (`nodectl node NAME` shows the offset) and the reason in the message.")]
    private static partial void RecordRejected(ILogger logger, string node, ulong sequence, string reason);

    [LoggerMessage(EventId = 6006, EventName = "AgentStreamBroken", Level = LogLevel.Error,
        Message = "agent {Node} broke the contract and its stream was ended: {Reason}")]
    [EventHelp(
        Meaning = "This agent's data is not being stored: it reconnects and fails the same way.",
        Cause = "A version mismatch between agent and aggregator, a series quota, or something that is no agent using an agent's certificate.",
        Action = "Compare `nodeagent version` with `nodectl version`; the reason names the field or the limit.")]
    private static partial void AgentStreamBroken(ILogger logger, string node, string reason);

    [LoggerMessage(EventId = 6007, EventName = "AgentStreamRefused", Level = LogLevel.Warning,
        Message = "agent {Node} was sent away for now: {Reason}")]
    [EventHelp(
        Meaning = "The agent keeps its records and comes back; nothing is lost as long as its spool lasts.",
        Cause = "It sends more than its quota and did not heed the request to wait, or the aggregator's disk has failed for so long that memory is full.",
        Action = "If the log's disk fails, see WalDiskFails. Otherwise see what the node sends, or raise quota.*.")]
    private static partial void AgentStreamRefused(ILogger logger, string node, string reason);

    [LoggerMessage(EventId = 6010, EventName = "WalDiskFails", Level = LogLevel.Error,
        Message = "the write-ahead log cannot be written: {Error}; nothing is acknowledged until it can")]
    [EventHelp(
        Meaning = "Agents are asked to wait and keep their records. Queries are answered, also about what came in since. The health service says NOT_SERVING for 'durable'.",
        Cause = "The disk is full, read-only or broken.",
        Action = "Make room under state.directory, or repair the disk. No restart is needed: it is tried again every few seconds.")]
    private static partial void WalDiskFails(ILogger logger, string error);

    [LoggerMessage(EventId = 6011, EventName = "WalDiskWorks", Level = LogLevel.Information,
        Message = "the write-ahead log is written again; so far {SyncErrors} syncs and {WriteErrors} writes have failed")]
    private static partial void WalDiskWorks(ILogger logger, long syncErrors, long writeErrors);

    [LoggerMessage(EventId = 6012, EventName = "WalReplayed", Level = LogLevel.Information,
        Message = "{Records} records of {Nodes} nodes were read back from the write-ahead log in {Elapsed}")]
    private static partial void WalReplayed(ILogger logger, long records, long nodes, TimeSpan elapsed);

    [LoggerMessage(EventId = 6013, EventName = "WalDamaged", Level = LogLevel.Error,
        Message = "the write-ahead log is damaged in {Places} places: {Records} records are lost, {TornBytes} bytes of an unfinished end were cut off")]
    [EventHelp(
        Meaning = "Acknowledged data is lost: so many records exactly, those that cannot be read without the lost ones included. The damaged bytes are in wal/quarantine.",
        Cause = "The disk returned other bytes than were written, or somebody changed or removed files under state.directory.",
        Action = "Check the disk (`smartctl -a`, the kernel log) and who else writes there.")]
    private static partial void WalDamaged(ILogger logger, long records, long tornBytes, int places);

    [LoggerMessage(EventId = 6014, EventName = "WalLetGo", Level = LogLevel.Warning,
        Message = "the write-ahead log has reached {MaxBytes} bytes; its oldest records go before the store's retention is over")]
    [EventHelp(
        Meaning = "Nothing is lost now; but after a restart the store begins later than its retention says.",
        Cause = "More nodes or series than wal.max_bytes was made for.",
        Action = "Raise wal.max_bytes, or live with a shorter look back after a restart.")]
    private static partial void WalLetGo(ILogger logger, long maxBytes);
}
