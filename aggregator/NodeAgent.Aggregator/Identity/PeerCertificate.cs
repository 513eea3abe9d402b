using System.Security.Cryptography.X509Certificates;
using NodeAgent.Contracts.Identity;

namespace NodeAgent.Aggregator.Identity;

/// <summary>What of a peer's certificate decides whether it may come in, beside its signature.</summary>
/// <param name="Identity">Whom it names.</param>
/// <param name="Credential">Which enrolment it is of; null: it was made by hand.</param>
/// <param name="Serial">Hexadecimal.</param>
/// <param name="NotAfter">Its end.</param>
/// <param name="KeyHash">SHA-256 of its SubjectPublicKeyInfo.</param>
internal sealed record PeerCertificate(FleetIdentity Identity, FleetCredential? Credential, string Serial, DateTimeOffset NotAfter, byte[] KeyHash)
{
    internal static PeerCertificate Of(X509Certificate2 certificate, FleetIdentity identity) => new(
        identity, FleetCredential.TryRead(certificate, out FleetCredential? credential) ? credential : null,
        certificate.SerialNumber, new DateTimeOffset(certificate.NotAfter), FleetAuthority.Pin(certificate));

    internal bool HasExpired(TimeProvider time) => time.GetUtcNow() >= NotAfter;

    /// <summary>It has expired, and not so long ago that it could not be renewed.</summary>
    internal bool IsRenewable(TimeProvider time) => time.GetUtcNow() < NotAfter + FleetAuthority.RenewalGrace;
}
