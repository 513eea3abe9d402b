using Microsoft.Extensions.Logging;
using NodeAgent.Hosting.Logs;

namespace NodeAgent.Agent.Uplink;

/// <summary>What the uplink tells people: a change once, a repeated failure as a count.</summary>
internal sealed partial class UplinkLog(ILogger<UplinkLog> logger, RepeatedEventGate gate)
{
    internal void Connected(string peer, string node, string aggregatorVersion, ulong unacknowledgedRecords)
    {
        gate.Recovered(nameof(UplinkLost), peer);
        UplinkConnected(logger, peer, node, aggregatorVersion, unacknowledgedRecords);
    }

    internal void Lost(string peer, string reason, TimeSpan retryIn)
    {
        if (gate.IsFirst(nameof(UplinkLost), peer))
        {
            UplinkLost(logger, peer, reason, retryIn);
        }
    }

    internal void BacklogLost(string peer, string reason, TimeSpan retryIn)
    {
        if (gate.IsFirst(nameof(UplinkBacklogLost), peer))
        {
            UplinkBacklogLost(logger, peer, reason, retryIn);
        }
    }

    internal void BacklogSent(string peer) => gate.Recovered(nameof(UplinkBacklogLost), peer);

    internal void Throttled(string peer, TimeSpan pause, string reason)
    {
        if (gate.IsFirst(nameof(UplinkThrottled), peer))
        {
            UplinkThrottled(logger, peer, pause, reason);
        }
    }

    internal void Rejected(string peer, ulong sequence, string reason)
    {
        if (gate.IsFirst(nameof(UplinkRecordRejected), peer))
        {
            UplinkRecordRejected(logger, peer, sequence, reason);
        }
    }

    [LoggerMessage(EventId = 4001, EventName = "UplinkConnected", Level = LogLevel.Information,
        Message = "connected to {Peer} as node {Node}, aggregator {AggregatorVersion}; {Records} records to send")]
    private static partial void UplinkConnected(ILogger logger, string peer, string node, string aggregatorVersion, ulong records);

    [LoggerMessage(EventId = 4002, EventName = "UplinkLost", Level = LogLevel.Warning,
        Message = "not connected to {Peer}: {Reason}; next try in {RetryIn}")]
    [EventHelp(
        Meaning = "Telemetry is kept in the spool until the aggregator is back; sampling goes on.",
        Cause = "The aggregator is stopped or restarting, the network between is cut, or a certificate is not accepted (the reason says which).",
        Action = "Run `nodectl doctor` from this host; on the aggregator look for AggregatorReady and CertificateRefused; docs/runbooks/identity.md.")]
    private static partial void UplinkLost(ILogger logger, string peer, string reason, TimeSpan retryIn);

    [LoggerMessage(EventId = 4003, EventName = "UplinkThrottled", Level = LogLevel.Warning,
        Message = "{Peer} asks for a pause of {Pause}: {Reason}")]
    [EventHelp(
        Meaning = "The aggregator cannot take more now; records wait in the spool.",
        Cause = "It is overloaded, or its disk is full.",
        Action = "Look at the aggregator's own log and `nodectl status`.")]
    private static partial void UplinkThrottled(ILogger logger, string peer, TimeSpan pause, string reason);

    [LoggerMessage(EventId = 4004, EventName = "UplinkRecordRejected", Level = LogLevel.Warning,
        Message = "{Peer} set record {Sequence} aside: {Reason}")]
    [EventHelp(
        Meaning = "One record is not, or not wholly, stored; the stream goes on.",
        Cause = "This host's clock is far off, or the record is older than the aggregator keeps.",
        Action = "Check the clock (`timedatectl`); the reason says which way it is off.")]
    private static partial void UplinkRecordRejected(ILogger logger, string peer, ulong sequence, string reason);

    [LoggerMessage(EventId = 4005, EventName = "UplinkBacklogLost", Level = LogLevel.Warning,
        Message = "handing the backlog to {Peer} was cut short: {Reason}; next try in {RetryIn}")]
    [EventHelp(
        Meaning = "Fresh telemetry goes on; what piled up earlier stays in the spool and is sent later.",
        Cause = "The aggregator refuses or does not answer on the backlog's stream; the reason says which.",
        Action = "Nothing at once. If it repeats, look at the aggregator's log for this node.")]
    private static partial void UplinkBacklogLost(ILogger logger, string peer, string reason, TimeSpan retryIn);
}
