using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using NodeAgent.Contracts.Identity;

namespace NodeAgent.Agent.Identity;

/// <summary>Who this host is to its fleet: a certificate with its key, what stands between it and a root, and the roots it believes.</summary>
internal sealed class MemberIdentity : IDisposable
{
    private MemberIdentity(X509Certificate2 certificate, X509Certificate2Collection between, X509Certificate2Collection roots, FleetIdentity identity)
    {
        (Certificate, Between, Roots, Identity) = (certificate, between, roots, identity);
        Credential = FleetCredential.TryRead(certificate, out FleetCredential? credential) ? credential : null;
    }

    internal X509Certificate2 Certificate { get; }

    internal X509Certificate2Collection Between { get; }

    internal X509Certificate2Collection Roots { get; }

    internal FleetIdentity Identity { get; }

    /// <summary>Null: the certificate was made by hand, and cannot be renewed.</summary>
    internal FleetCredential? Credential { get; }

    internal DateTimeOffset NotBefore => new(Certificate.NotBefore);

    internal DateTimeOffset NotAfter => new(Certificate.NotAfter);

    /// <summary>From what the files hold. Null: <paramref name="problem"/> says what is wrong with it.</summary>
    /// <param name="identityPem">Key, leaf and further certificates.</param>
    /// <param name="rootsPem">Roots.</param>
    /// <param name="path">Of the identity, for the problem.</param>
    /// <param name="problem">Empty when all is well.</param>
    internal static MemberIdentity? TryParse(string identityPem, string rootsPem, string path, out string problem)
    {
        try
        {
            using X509Certificate2 pem = X509Certificate2.CreateFromPem(identityPem, identityPem);
            X509Certificate2Collection chain = [];
            chain.ImportFromPem(identityPem);
            X509Certificate2Collection roots = [];
            roots.ImportFromPem(rootsPem);

            // SslStream on Windows cannot use the ephemeral key that the PEM reader makes; a round trip through PKCS#12 serves both.
            X509Certificate2 own = X509CertificateLoader.LoadPkcs12(pem.Export(X509ContentType.Pkcs12), password: null);
            return TryMake(own, [.. chain.Skip(1)], roots, path, out problem);
        }
        catch (CryptographicException e)
        {
            problem = $"{path}: {e.Message}";
            return null;
        }
    }

    /// <summary>From parts that were loaded otherwise. Null: it is no agent's.</summary>
    internal static MemberIdentity? TryMake(
        X509Certificate2 own, X509Certificate2Collection between, X509Certificate2Collection roots, string path, out string problem)
    {
        if (FleetCertificate.ReadIdentity(own) is { Role: FleetRole.Agent } identity && roots.Count > 0)
        {
            problem = "";
            return new MemberIdentity(own, between, roots, identity);
        }

        // The aggregator would refuse it at every attempt; better said once, by who can say why.
        own.Dispose();
        problem = roots.Count == 0 ? $"{path} has no roots beside it"
            : $"{path} is not an agent's: its one URI name must be {FleetIdentity.Scheme}://FLEET/agent/NODE";
        return null;
    }

    public void Dispose() => Certificate.Dispose();
}
