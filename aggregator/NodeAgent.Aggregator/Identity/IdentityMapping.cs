using System.Security.Cryptography.X509Certificates;
using Google.Protobuf;
using NodeAgent.Aggregator.Identity.Registry;
using NodeAgent.Contracts.Identity;
using NodeAgent.V1;

namespace NodeAgent.Aggregator.Identity;

/// <summary>The registry's entries as messages.</summary>
internal static class IdentityMapping
{
    internal static TokenInfo From(TokenEntry token, DateTimeOffset now) => new()
    {
        Id = token.Id,
        Role = FleetIdentity.RoleName(token.Role),
        Name = token.Name,
        CreatedBy = token.CreatedBy,
        CreatedUnixMs = token.Created.ToUnixTimeMilliseconds(),
        ExpiresUnixMs = token.Expires.ToUnixTimeMilliseconds(),
        State = token.Fate switch
        {
            TokenFate.Used => TokenState.Used,
            TokenFate.Revoked => TokenState.Revoked,
            _ => now >= token.Expires ? TokenState.Expired : TokenState.Open,
        },
        EndedUnixMs = token.Ended?.ToUnixTimeMilliseconds() ?? 0,
        EndedBy = token.EndedBy,
    };

    internal static IdentityInfo From(MemberEntry member, byte[]? bundle) => new()
    {
        Uuid = member.Uuid == Guid.Empty ? ByteString.Empty : ByteString.CopyFrom(member.Uuid.ToByteArray(bigEndian: true)),
        Role = FleetIdentity.RoleName(member.Role),
        Name = member.Name,
        State = member.Fate switch
        {
            MemberFate.Active => IdentityState.Active,
            MemberFate.Quarantined => IdentityState.Quarantined,
            _ => IdentityState.Revoked,
        },
        Reason = member.Reason,
        Generation = member.Generation,
        EnrolledUnixMs = member.Enrolled.ToUnixTimeMilliseconds(),
        RenewedUnixMs = member.Renewed == default ? 0 : member.Renewed.ToUnixTimeMilliseconds(),
        ExpiresUnixMs = (member.Pending?.Expires ?? member.Expires) is var expires && expires == default ? 0 : expires.ToUnixTimeMilliseconds(),
        ChangedUnixMs = member.Changed.ToUnixTimeMilliseconds(),
        Renewing = member.Pending is not null,
        HasBundle = bundle is not null && bundle.AsSpan().SequenceEqual(member.Bundle),
    };

    internal static CaStatus From(FleetTrust trust)
    {
        CaStatus status = new()
        {
            Fleet = trust.Fleet,
            Server = From(trust.Server),
            Bundle = ByteString.CopyFrom(trust.Bundle),
        };
        if (trust.Issuer is { } issuer)
        {
            status.Issuer = From(issuer.Authority);
        }

        status.Roots.AddRange(trust.Roots.Select(From));
        return status;
    }

    private static CertificateInfo From(X509Certificate2 certificate) => new()
    {
        Subject = certificate.Subject,
        Issuer = certificate.Issuer,
        NotBeforeUnixMs = new DateTimeOffset(certificate.NotBefore).ToUnixTimeMilliseconds(),
        NotAfterUnixMs = new DateTimeOffset(certificate.NotAfter).ToUnixTimeMilliseconds(),
        Pin = ByteString.CopyFrom(FleetAuthority.Pin(certificate)),
    };
}
