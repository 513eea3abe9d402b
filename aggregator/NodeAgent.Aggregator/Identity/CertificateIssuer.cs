using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using NodeAgent.Contracts.Identity;

namespace NodeAgent.Aggregator.Identity;

/// <summary>
/// The online CA: signs members' certificates and nothing else. Its own certificate limits it to clients, so that its key, stolen from
/// here, makes no server that an agent would talk to.
/// </summary>
internal sealed class CertificateIssuer(X509Certificate2 authority, string fleet, TimeSpan lifetime, TimeProvider time)
{
    // The host that checks it first may have a slower clock. Little beside the life, of which members renew at half.
    private static readonly TimeSpan LongestBackdate = TimeSpan.FromMinutes(5);

    private TimeSpan Backdate => lifetime / 100 < LongestBackdate ? lifetime / 100 : LongestBackdate;

    /// <summary>The CA's certificate, which goes with each one that it signs.</summary>
    internal X509Certificate2 Authority => authority;

    /// <summary>Empty: it can sign. Else why not.</summary>
    internal string Problem => time.GetUtcNow() < new DateTimeOffset(authority.NotAfter) ? "" : $"the aggregator's issuing CA ended at {authority.NotAfter.ToUniversalTime():u}";

    /// <summary>A certificate for a key. Never longer than the CA itself.</summary>
    /// <param name="role">Its holder's role.</param>
    /// <param name="name">Its holder's name.</param>
    /// <param name="credential">Which enrolment, which generation.</param>
    /// <param name="key">SubjectPublicKeyInfo, checked by <see cref="SigningRequest"/>.</param>
    internal X509Certificate2 Issue(FleetRole role, string name, FleetCredential credential, byte[] key)
    {
        SubjectAlternativeNameBuilder names = new();
        names.AddUri(new Uri(new FleetIdentity(fleet, role, name).ToUri()));
        X500DistinguishedNameBuilder subject = new();
        subject.AddCommonName(name.Length <= 64 ? name : name[..64]); // ub-common-name, RFC 5280, appendix A.1; the URI is what counts
        subject.AddOrganizationName(fleet);
        PublicKey publicKey = PublicKey.CreateFromSubjectPublicKeyInfo(key, out _);
        CertificateRequest request = new(subject.Build(), publicKey, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(FleetAuthority.ClientUse)], critical: false));
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(credential.ToExtension());
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(authority, includeKeyIdentifier: true, includeIssuerAndSerial: false));

        DateTimeOffset now = time.GetUtcNow();
        return request.Create(authority, Later(now - Backdate, authority.NotBefore), Sooner(now + lifetime, authority.NotAfter), FleetAuthority.NewSerial());
    }

    private static DateTimeOffset Later(DateTimeOffset one, DateTimeOffset other) => one > other ? one : other;

    private static DateTimeOffset Sooner(DateTimeOffset one, DateTimeOffset other) => one < other ? one : other;
}
