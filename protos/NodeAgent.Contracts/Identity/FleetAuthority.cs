using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace NodeAgent.Contracts.Identity;

/// <summary>What both sides must agree on about the fleet's roots, so that neither takes for good what the other refuses.</summary>
public static class FleetAuthority
{
    /// <summary>id-kp-serverAuth, RFC 5280, 4.2.1.12.</summary>
    public const string ServerUse = "1.3.6.1.5.5.7.3.1";

    /// <summary>id-kp-clientAuth, RFC 5280, 4.2.1.12.</summary>
    public const string ClientUse = "1.3.6.1.5.5.7.3.2";

    /// <summary>How long after its end a certificate can still be renewed, and nothing else: an outage of that length needs nobody's hand.</summary>
    public static readonly TimeSpan RenewalGrace = TimeSpan.FromDays(14);

    /// <summary>SHA-256 of the certificate's public key (SubjectPublicKeyInfo); outlives a root that is issued again for its key.</summary>
    public static byte[] Pin(X509Certificate2 certificate) => SHA256.HashData(certificate.PublicKey.ExportSubjectPublicKeyInfo());

    /// <summary>SHA-256 over the sorted pins: the same for all who hold the same roots, in whatever order.</summary>
    public static byte[] Bundle(X509Certificate2Collection roots)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (string pin in roots.Select(root => Convert.ToHexString(Pin(root))).Distinct().Order(StringComparer.Ordinal))
        {
            hash.AppendData(Convert.FromHexString(pin));
        }

        return hash.GetHashAndReset();
    }

    /// <summary>Whether one of the roots stands behind a certificate at a moment, for a use, all the way. Fetches nothing from anywhere.</summary>
    /// <param name="certificate">The leaf.</param>
    /// <param name="roots">All that is believed.</param>
    /// <param name="between">Certificates that may lie between; null: none.</param>
    /// <param name="use"><see cref="ServerUse"/> or <see cref="ClientUse"/>, asked of every certificate that limits its uses.</param>
    /// <param name="at">The moment.</param>
    /// <param name="problem">Why not, in words; empty when it is trusted.</param>
    public static bool Trusts(
        X509Certificate2 certificate, X509Certificate2Collection roots, X509Certificate2Collection? between, string use, DateTimeOffset at, out string problem)
    {
        using X509Chain chain = new();
        X509ChainPolicy policy = chain.ChainPolicy;
        policy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        policy.CustomTrustStore.AddRange(roots);
        policy.ExtraStore.AddRange(between ?? []);
        policy.RevocationMode = X509RevocationMode.NoCheck; // no CRL is published; the aggregator keeps its own list
        policy.DisableCertificateDownloads = true;
        policy.VerificationTime = at.LocalDateTime;
        policy.ApplicationPolicy.Add(new Oid(use));
        bool isTrusted = chain.Build(certificate);
        problem = isTrusted ? "" : string.Join("; ", chain.ChainStatus.Select(status => status.StatusInformation.Trim().TrimEnd('.')).Distinct());
        foreach (X509ChainElement element in chain.ChainElements)
        {
            element.Certificate.Dispose();
        }

        return isTrusted;
    }

    /// <summary>A serial number for a certificate: positive, 16 bytes of the 20 that RFC 5280 allows, above the 64 random bits that are the CA/Browser Forum's minimum.</summary>
    public static byte[] NewSerial()
    {
        byte[] serial = RandomNumberGenerator.GetBytes(16);
        serial[0] = (byte)((serial[0] & 0x7f) | 0x40);
        return serial;
    }
}
