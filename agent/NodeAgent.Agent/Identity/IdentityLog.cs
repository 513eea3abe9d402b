using Microsoft.Extensions.Logging;
using NodeAgent.Hosting.Logs;

namespace NodeAgent.Agent.Identity;

/// <summary>What happens to this host's identity: 10100 to 10149.</summary>
internal sealed partial class IdentityLog(ILogger<IdentityLog> logger, RepeatedEventGate gate)
{
    internal void Enrolled(MemberIdentity identity, string server) => AgentEnrolled(logger, identity.Identity.ToString(), identity.Identity.Fleet, server, identity.NotAfter);

    internal void EnrolmentFailed(string server, string reason, TimeSpan retryIn)
    {
        if (gate.IsFirst(nameof(AgentEnrolmentFailed), server))
        {
            AgentEnrolmentFailed(logger, server, reason, retryIn);
        }
    }

    internal void EnrolmentRefused(string server, string reason) => AgentEnrolmentRefused(logger, server, reason);

    internal void Renewed(MemberIdentity identity)
    {
        gate.Recovered(nameof(AgentRenewalFailed), "renewal");
        AgentRenewed(logger, identity.Identity.ToString(), identity.Credential?.Generation ?? 0, identity.NotAfter);
    }

    internal void RenewalFailed(string server, string reason, DateTimeOffset until)
    {
        if (gate.IsFirst(nameof(AgentRenewalFailed), "renewal"))
        {
            AgentRenewalFailed(logger, server, reason, until);
        }
    }

    internal void Expired(string path, DateTimeOffset since)
    {
        if (gate.IsFirst(nameof(AgentIdentityExpired), path))
        {
            AgentIdentityExpired(logger, path, since);
        }
    }

    [LoggerMessage(EventId = 10100, EventName = "AgentEnrolled", Level = LogLevel.Information, Message = "enrolled as {Member} of fleet {Fleet} by {Server}; certificate until {Until:u}")]
    private static partial void AgentEnrolled(ILogger logger, string member, string fleet, string server, DateTimeOffset until);

    [LoggerMessage(EventId = 10101, EventName = "AgentEnrolmentFailed", Level = LogLevel.Warning, Message = "not enrolled by {Server}: {Reason}; next try in {RetryIn}")]
    [EventHelp(
        Meaning = "This host has no certificate yet and samples nothing until it has one.",
        Cause = "The aggregator is not reachable at identity.enrolment, or its clock or this one is wrong.",
        Action = "Check the address and the port (7444 unless configured otherwise); the token lives an hour unless it was made for longer.")]
    private static partial void AgentEnrolmentFailed(ILogger logger, string server, string reason, TimeSpan retryIn);

    [LoggerMessage(EventId = 10102, EventName = "AgentEnrolmentRefused", Level = LogLevel.Error, Message = "{Server} does not enrol this host: {Reason}")]
    [EventHelp(
        Meaning = "The agent did not start (exit code 2): trying again with this token will not help.",
        Cause = "The token expired, was used or revoked; or the server is not of the fleet that made it.",
        Action = "Make a new token: `nodectl token create NAME`, and put it into identity.token_file. The aggregator's log says JoinTokenRefused and why.")]
    private static partial void AgentEnrolmentRefused(ILogger logger, string server, string reason);

    [LoggerMessage(EventId = 10103, EventName = "AgentRenewed", Level = LogLevel.Information, Message = "{Member} has a new certificate: generation {Generation}, until {Until:u}")]
    private static partial void AgentRenewed(ILogger logger, string member, uint generation, DateTimeOffset until);

    [LoggerMessage(EventId = 10104, EventName = "AgentRenewalFailed", Level = LogLevel.Warning, Message = "{Server} did not renew this host's certificate: {Reason}; the present one is good until {Until:u}")]
    [EventHelp(
        Meaning = "Telemetry goes on. After its end the certificate can be renewed for 14 more days, and does nothing else.",
        Cause = "The aggregator is away, its disk fails, or this host was revoked or quarantined (the reason says which).",
        Action = "docs/runbooks/identity.md. It is tried again with every connection, at least about once an hour.")]
    private static partial void AgentRenewalFailed(ILogger logger, string server, string reason, DateTimeOffset until);

    [LoggerMessage(EventId = 10105, EventName = "AgentIdentityExpired", Level = LogLevel.Error, Message = "the identity in {Path} expired at {Since:u}, too long ago to be renewed")]
    [EventHelp(
        Meaning = "Telemetry is kept in the spool; the aggregator does not let this host in.",
        Cause = "The host or the aggregator was away for more than 14 days; or this host's clock is wrong.",
        Action = "Check the clock. Then `nodectl token create NAME` and on the host `nodeagent enrol --force`; the spool is handed over afterwards.")]
    private static partial void AgentIdentityExpired(ILogger logger, string path, DateTimeOffset since);
}
