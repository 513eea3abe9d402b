using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace NodeAgent.Contracts.Identity;

/// <summary>
/// Whom a certificate speaks for: its one URI among the subject alternative names (RFC 5280, 4.2.1.6). None, several, or one that is not
/// ours: nobody. Both sides read it with this, so that an agent takes itself for nobody else than its aggregator does.
/// </summary>
public static class FleetCertificate
{
    private const string SubjectAlternativeNames = "2.5.29.17";
    private static readonly Asn1Tag UriTag = new(TagClass.ContextSpecific, 6);

    /// <summary>The identity; null: nobody's. Says nothing of whether the certificate is to be believed.</summary>
    public static FleetIdentity? ReadIdentity(X509Certificate2 certificate)
    {
        try
        {
            X509Extension? names = certificate.Extensions.FirstOrDefault(extension => extension.Oid?.Value == SubjectAlternativeNames);
            return names is not null && SingleUri(names.RawData) is { } uri && FleetIdentity.TryParse(uri, out FleetIdentity? identity) ? identity : null;
        }
        catch (Exception e) when (e is AsnContentException or CryptographicException)
        {
            // Malformed, perhaps inside a certificate that our own CA signed: it still proves nothing.
            return null;
        }
    }

    private static string? SingleUri(byte[] extension)
    {
        AsnReader whole = new(extension, AsnEncodingRules.DER);
        AsnReader names = whole.ReadSequence();
        whole.ThrowIfNotEmpty();
        string? found = null;
        while (names.HasData)
        {
            if (!names.PeekTag().HasSameClassAndValue(UriTag))
            {
                names.ReadEncodedValue();
                continue;
            }

            string uri = names.ReadCharacterString(UniversalTagNumber.IA5String, UriTag);
            if (found is not null)
            {
                return null;
            }

            found = uri;
        }

        return found;
    }
}
