using Microsoft.Extensions.Logging;
using NodeAgent.Hosting.Logs;

namespace NodeAgent.Aggregator.Identity;

/// <summary>What happens to identities: 10000 to 10049, and 1105, which is older. This is the audit of who let whom in.</summary>
internal sealed partial class IdentityLog(ILogger<IdentityLog> logger, RepeatedEventGate gate)
{
    internal void Enrolled(string member, Guid uuid, string token, string by, string address) => IdentityEnrolled(logger, member, address, token, by, uuid);

    internal void Renewed(string member, uint generation, DateTimeOffset until) => IdentityRenewed(logger, member, generation, until);

    internal void TokenCreated(string id, string role, string name, string by, DateTimeOffset until) => JoinTokenCreated(logger, by, id, role, name, until);

    internal void TokenRevoked(string id, string by) => JoinTokenRevoked(logger, by, id);

    internal void JoinRefused(string address, string token, string reason)
    {
        if (gate.IsFirst(nameof(JoinTokenRefused), address))
        {
            JoinTokenRefused(logger, address, token, reason);
        }
    }

    internal void TokenReused(string id, string role, string name, string first, string second) => JoinTokenReused(logger, id, second, first, role, name);

    internal void RenewalRefused(string member, string reason)
    {
        if (gate.IsFirst(nameof(IdentityRenewalRefused), member))
        {
            IdentityRenewalRefused(logger, member, reason);
        }
    }

    internal void Revoked(string member, Guid uuid, string by, string reason) => IdentityRevoked(logger, by, member, uuid, reason);

    internal void Quarantined(string member, Guid uuid, string by, string reason) => IdentityQuarantined(logger, by, member, uuid, reason);

    internal void Lifted(string member, Guid uuid, string by, string reason) => IdentityQuarantineLifted(logger, by, member, uuid, reason);

    internal void Cloned(string member, Guid uuid, uint seen, uint known) => IdentityCloned(logger, member, uuid, seen, known);

    internal void Behind(string member, uint known, uint seen)
    {
        if (gate.IsFirst(nameof(IdentityRegistryBehind), "registry"))
        {
            IdentityRegistryBehind(logger, member, seen, known);
        }
    }

    internal void Damaged(long lost, long unread) => IdentityStateDamaged(logger, lost, unread);

    internal void DiskFails(string reason)
    {
        if (gate.IsFirst(nameof(IdentityDiskFails), "registry"))
        {
            IdentityDiskFails(logger, reason);
        }
    }

    internal void ConnectionEnded(string member, string peer, string reason) => IdentityConnectionEnded(logger, member, peer, reason);

    internal void Refused(string peer, string subject, string reason)
    {
        if (gate.IsFirst(nameof(CertificateRefused), peer))
        {
            CertificateRefused(logger, peer, subject, reason);
        }
    }

    internal void Serving(string address, string issuer, DateTimeOffset until) => EnrolmentReady(logger, address, issuer, until);

    internal void IssuerEnds(string issuer, DateTimeOffset until)
    {
        if (gate.IsFirst(nameof(IssuerEndsSoon), issuer))
        {
            IssuerEndsSoon(logger, issuer, until);
        }
    }

    internal void Reloaded(string by, string changes) => AuthoritiesReloaded(logger, by, changes);

    [LoggerMessage(EventId = 10000, EventName = "IdentityEnrolled", Level = LogLevel.Information,
        Message = "{Member} enrolled from {Address} with token {Token} of {By}: {Uuid}")]
    private static partial void IdentityEnrolled(ILogger logger, string member, string address, string token, string by, Guid uuid);

    // Twice a day and host: of interest to nobody who does not look for it.
    [LoggerMessage(EventId = 10001, EventName = "IdentityRenewed", Level = LogLevel.Debug, Message = "{Member} renewed: generation {Generation} until {Until:u}")]
    private static partial void IdentityRenewed(ILogger logger, string member, uint generation, DateTimeOffset until);

    [LoggerMessage(EventId = 10002, EventName = "JoinTokenCreated", Level = LogLevel.Information, Message = "{By} made token {Token} for {Role}/{Name}, good until {Until:u}")]
    private static partial void JoinTokenCreated(ILogger logger, string by, string token, string role, string name, DateTimeOffset until);

    [LoggerMessage(EventId = 10003, EventName = "JoinTokenRevoked", Level = LogLevel.Information, Message = "{By} revoked token {Token}")]
    private static partial void JoinTokenRevoked(ILogger logger, string by, string token);

    [LoggerMessage(EventId = 10004, EventName = "JoinTokenRefused", Level = LogLevel.Warning, Message = "{Address} may not join with token {Token}: {Reason}")]
    [EventHelp(
        Meaning = "A host asked to be enrolled and was refused; it was told only that the token is not good.",
        Cause = "The token expired, was revoked or used, is not whole; or somebody guesses.",
        Action = "Make a new one: `nodectl token create`. If nobody enrols a host there, ask who is at that address.")]
    private static partial void JoinTokenRefused(ILogger logger, string address, string token, string reason);

    [LoggerMessage(EventId = 10005, EventName = "JoinTokenReused", Level = LogLevel.Error,
        Message = "token {Token} was presented from {Second} with another key, after {First} had used it for {Role}/{Name}")]
    [EventHelp(
        Meaning = "Two parties have the same token. The second one was refused; the first one is enrolled, whoever that is.",
        Cause = "The token was copied on its way, or somebody set the host up twice.",
        Action = "See docs/runbooks/identity.md: make sure that the first address is the host; otherwise `nodectl revoke NAME` at once.")]
    private static partial void JoinTokenReused(ILogger logger, string token, string second, string first, string role, string name);

    [LoggerMessage(EventId = 10006, EventName = "IdentityRevoked", Level = LogLevel.Information, Message = "{By} revoked {Member} ({Uuid}): {Reason}")]
    private static partial void IdentityRevoked(ILogger logger, string by, string member, Guid uuid, string reason);

    [LoggerMessage(EventId = 10007, EventName = "IdentityQuarantined", Level = LogLevel.Information, Message = "{By} quarantined {Member} ({Uuid}): {Reason}")]
    private static partial void IdentityQuarantined(ILogger logger, string by, string member, Guid uuid, string reason);

    [LoggerMessage(EventId = 10008, EventName = "IdentityQuarantineLifted", Level = LogLevel.Information, Message = "{By} lifted the quarantine of {Member} ({Uuid}): {Reason}")]
    private static partial void IdentityQuarantineLifted(ILogger logger, string by, string member, Guid uuid, string reason);

    [LoggerMessage(EventId = 10009, EventName = "IdentityCloned", Level = LogLevel.Error,
        Message = "{Member} ({Uuid}) exists twice: generation {Seen} was used while {Known} is the one; both are quarantined")]
    [EventHelp(
        Meaning = "Two hosts have one identity. Neither is let in any more, because nobody can tell here which one is the host.",
        Cause = "A disk image or a snapshot with the identity in it was started beside, or put in place of, the host; or the key was stolen.",
        Action = "See docs/runbooks/identity.md: find both, end the wrong one, enrol the right one with a new token.")]
    private static partial void IdentityCloned(ILogger logger, string member, Guid uuid, uint seen, uint known);

    [LoggerMessage(EventId = 10010, EventName = "IdentityRenewalRefused", Level = LogLevel.Warning, Message = "{Member} may not renew: {Reason}")]
    [EventHelp(
        Meaning = "A host could not get a fresh certificate; it goes on until its present one ends.",
        Cause = "The request is not acceptable, or the identity changed meanwhile.",
        Action = "If it repeats, look at the host's own log; `nodectl token create` and `nodeagent enrol` start afresh.")]
    private static partial void IdentityRenewalRefused(ILogger logger, string member, string reason);

    [LoggerMessage(EventId = 10011, EventName = "IdentityRegistryBehind", Level = LogLevel.Warning,
        Message = "{Member} uses generation {Seen}, which this registry knows nothing of (it knows {Known}); it was let in")]
    [EventHelp(
        Meaning = "Certificates are in use that this aggregator's CA signed and its registry does not know of.",
        Cause = "The aggregator's state was restored from a backup.",
        Action = "Revoke again what was revoked after the backup: docs/runbooks/identity.md.")]
    private static partial void IdentityRegistryBehind(ILogger logger, string member, uint seen, uint known);

    [LoggerMessage(EventId = 10012, EventName = "IdentityStateDamaged", Level = LogLevel.Error,
        Message = "the identity registry lost {Lost} records and cannot read {Unread}")]
    [EventHelp(
        Meaning = "Some enrolments, tokens or revocations may be missing.",
        Cause = "Damage on the disk, or a later version wrote them.",
        Action = "Compare `nodectl identities --all` with what should be; revoke again what should be revoked.")]
    private static partial void IdentityStateDamaged(ILogger logger, long lost, long unread);

    [LoggerMessage(EventId = 10013, EventName = "IdentityDiskFails", Level = LogLevel.Error, Message = "the identity registry cannot be written: {Reason}")]
    [EventHelp(
        Meaning = "Nobody can be enrolled and nothing renewed until that is over; certificates that are there stay good.",
        Cause = "The disk of state.directory is full or fails.",
        Action = "Free space, or mend the disk; the registry heals by itself.")]
    private static partial void IdentityDiskFails(ILogger logger, string reason);

    [LoggerMessage(EventId = 10014, EventName = "IdentityConnectionEnded", Level = LogLevel.Information, Message = "the connection of {Member} from {Peer} was ended: {Reason}")]
    private static partial void IdentityConnectionEnded(ILogger logger, string member, string peer, string reason);

    [LoggerMessage(EventId = 1105, EventName = "CertificateRefused", Level = LogLevel.Warning, Message = "{Peer} was turned away in the handshake: {Subject}: {Reason}")]
    [EventHelp(
        Meaning = "Somebody tried to connect with a certificate that is not accepted, or with none. The other side sees only a closed connection.",
        Cause = "The reason says it: expired, revoked, quarantined, of another fleet or CA, not a client's, or a clock that is far off.",
        Action = "If it is one of ours, `nodectl identities` shows how it stands, and docs/runbooks/identity.md what to do; otherwise ask who connects there.")]
    private static partial void CertificateRefused(ILogger logger, string peer, string subject, string reason);

    [LoggerMessage(EventId = 10016, EventName = "EnrolmentReady", Level = LogLevel.Information, Message = "hosts can be enrolled on {Address}; {Issuer} signs until {Until:u}")]
    private static partial void EnrolmentReady(ILogger logger, string address, string issuer, DateTimeOffset until);

    [LoggerMessage(EventId = 10017, EventName = "IssuerEndsSoon", Level = LogLevel.Warning, Message = "the issuing CA {Issuer} ends at {Until:u}")]
    [EventHelp(
        Meaning = "When it ends, no certificate can be renewed, and within a day every enrolled host is shut out.",
        Cause = "Issuing CAs live for 90 days by design.",
        Action = "`nodectl fleet issuer DIR` where the fleet's root is, copy the two files to the aggregator, then `nodectl ca reload`.")]
    private static partial void IssuerEndsSoon(ILogger logger, string issuer, DateTimeOffset until);

    [LoggerMessage(EventId = 10018, EventName = "AuthoritiesReloaded", Level = LogLevel.Information, Message = "{By} had the CA files read again: {Changes}")]
    private static partial void AuthoritiesReloaded(ILogger logger, string by, string changes);
}
