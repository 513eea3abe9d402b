using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using NodeAgent.Contracts.Identity;
using NodeAgent.V1;

namespace NodeAgent.Agent.Identity;

/// <summary>What the aggregator issued, checked before it replaces anything: a bad answer must not cost the identity that works.</summary>
internal static class Issued
{
    /// <summary>Null: <paramref name="problem"/> says why the answer is of no use.</summary>
    /// <param name="issued">The answer.</param>
    /// <param name="keyPem">The key that was asked for.</param>
    /// <param name="believed">Roots of which at least one must stay: a change of roots overlaps.</param>
    /// <param name="now">The host's clock.</param>
    /// <param name="problem">Empty when it is good.</param>
    internal static (string IdentityPem, string RootsPem)? Check(
        IssuedCertificate issued, string keyPem, X509Certificate2Collection believed, DateTimeOffset now, out string problem)
    {
        try
        {
            X509Certificate2Collection chain = [.. issued.Chain.Select(der => X509CertificateLoader.LoadCertificate(der.Span))];
            X509Certificate2Collection roots = [.. issued.Roots.Select(der => X509CertificateLoader.LoadCertificate(der.Span))];
            problem = ProblemOf(chain, roots, keyPem, believed, now);
            if (problem.Length > 0)
            {
                return null;
            }

            StringBuilder identity = new(keyPem);
            foreach (X509Certificate2 certificate in chain)
            {
                identity.Append(certificate.ExportCertificatePem()).Append('\n');
            }

            return (identity.ToString(), string.Concat(roots.Select(root => root.ExportCertificatePem() + "\n")));
        }
        catch (CryptographicException e)
        {
            problem = $"what the aggregator issued is no certificate: {e.Message}";
            return null;
        }
    }

    private static string ProblemOf(
        X509Certificate2Collection chain, X509Certificate2Collection roots, string keyPem, X509Certificate2Collection believed, DateTimeOffset now)
    {
        if (chain.Count == 0 || roots.Count == 0)
        {
            return "the aggregator issued no certificate or no roots";
        }

        HashSet<string> known = [.. believed.Select(root => Convert.ToHexString(FleetAuthority.Pin(root)))];
        return !roots.Any(root => known.Contains(Convert.ToHexString(FleetAuthority.Pin(root)))) ? "none of the roots that the aggregator sent is believed here"
            : !chain[0].PublicKey.ExportSubjectPublicKeyInfo().AsSpan().SequenceEqual(KeyRequest.PublicKeyOf(keyPem)) ? "the aggregator issued a certificate for another key"
            : FleetCertificate.ReadIdentity(chain[0]) is not { Role: FleetRole.Agent } ? "the aggregator issued a certificate that is not an agent's"
            : !FleetAuthority.Trusts(chain[0], roots, [.. chain.Skip(1)], FleetAuthority.ClientUse, Within(chain[0], now), out string untrusted) ? $"what the aggregator issued does not hold together: {untrusted}"
            : "";
    }

    // A host's clock may be off; the aggregator's judgement is what counts in the end.
    private static DateTimeOffset Within(X509Certificate2 certificate, DateTimeOffset now)
    {
        DateTimeOffset first = new(certificate.NotBefore);
        DateTimeOffset last = new DateTimeOffset(certificate.NotAfter).AddSeconds(-1);
        return now < first ? first : now > last ? last : now;
    }
}
