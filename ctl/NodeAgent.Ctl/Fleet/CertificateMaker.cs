using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using NodeAgent.Contracts.Identity;

namespace NodeAgent.Ctl.Fleet;

/// <summary>
/// Makes the fleet's certificates: ECDSA P-256 with SHA-256 (small, fast to verify, in every TLS stack), serial numbers of 127 random bits.
/// Pure but for the random numbers of keys and serials, which must be the system's.
/// </summary>
internal sealed class CertificateMaker(TimeProvider time)
{
    // Starts a little in the past, because the machine that checks it may have a slower clock.
    private static readonly TimeSpan Backdate = TimeSpan.FromMinutes(5);

    /// <summary>The fleet's root: signs certificates and nothing else, and one kind of CA below it, the aggregator's issuing one.</summary>
    public X509Certificate2 MakeAuthority(string fleet, TimeSpan validity)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new($"CN={fleet} fleet CA", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: true, pathLengthConstraint: 1, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        DateTimeOffset now = time.GetUtcNow();
        return request.CreateSelfSigned(now - Backdate, now + validity);
    }

    /// <summary>
    /// The CA that an aggregator issues members' certificates with, so that the root can stay offline. It may sign clients only, and no
    /// other CA: who steals its key can be anybody towards this aggregator, and no aggregator towards anybody.
    /// </summary>
    public X509Certificate2 MakeIssuer(X509Certificate2 authority, string fleet, TimeSpan validity)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new($"CN={fleet} issuing CA, O={fleet}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: true, pathLengthConstraint: 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(FleetAuthority.ClientUse)], critical: false));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        return Sign(request, key, authority, validity);
    }

    /// <summary>The aggregator's certificate. It is also a client's, for aggregators among each other.</summary>
    /// <param name="names">DNS names and IP addresses that agents and tools connect to.</param>
    public X509Certificate2 MakeServer(X509Certificate2 authority, string fleet, IReadOnlyList<string> names, TimeSpan validity)
    {
        SubjectAlternativeNameBuilder alternative = new();
        foreach (string name in names)
        {
            if (IPAddress.TryParse(name, out IPAddress? address)) alternative.AddIpAddress(address);
            else alternative.AddDnsName(name);
        }

        return MakeMember(authority, $"CN=aggregator, O={fleet}", alternative, [FleetAuthority.ServerUse, FleetAuthority.ClientUse], validity);
    }

    /// <summary>A client's certificate, its identity in a URI.</summary>
    public X509Certificate2 MakeClient(X509Certificate2 authority, FleetIdentity identity, TimeSpan validity)
    {
        SubjectAlternativeNameBuilder alternative = new();
        alternative.AddUri(new Uri(identity.ToUri()));
        return MakeMember(authority, $"CN={identity.Name}, O={identity.Fleet}, OU={FleetRoles.Word(identity.Role)}", alternative, [FleetAuthority.ClientUse], validity);
    }

    private X509Certificate2 MakeMember(X509Certificate2 authority, string subject, SubjectAlternativeNameBuilder names, string[] usages, TimeSpan validity)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new(subject, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([.. usages.Select(usage => new Oid(usage))], critical: false));
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        return Sign(request, key, authority, validity);
    }

    private X509Certificate2 Sign(CertificateRequest request, ECDsa key, X509Certificate2 authority, TimeSpan validity)
    {
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(authority, includeKeyIdentifier: true, includeIssuerAndSerial: false));

        DateTimeOffset now = time.GetUtcNow();
        DateTimeOffset end = now + validity;
        // A certificate that outlives its issuer fails later, when nobody remembers why.
        if (end > authority.NotAfter) end = authority.NotAfter;
        DateTimeOffset start = now - Backdate;
        if (start < authority.NotBefore) start = authority.NotBefore;
        using X509Certificate2 bare = request.Create(authority, start, end, FleetAuthority.NewSerial());
        return bare.CopyWithPrivateKey(key);
    }
}
