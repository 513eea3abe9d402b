using System.Formats.Asn1;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using NodeAgent.Contracts.Identity;

namespace NodeAgent.Aggregator.Identity;

/// <summary>
/// Reads a fleet identity out of a certificate that the handshake has accepted: its one URI among the subject alternative names
/// (RFC 5280, 4.2.1.6). None, several, or one that is not ours: nobody.
/// </summary>
internal static class CertificateIdentity
{
    private const string SubjectAlternativeNames = "2.5.29.17";
    private static readonly Asn1Tag UriTag = new(TagClass.ContextSpecific, 6);

    // A connection has one certificate object for all its calls; parsing it each time would cost more than most calls do.
    private static readonly ConditionalWeakTable<X509Certificate2, Holder> Known = [];

    internal static CallerIdentity? Read(X509Certificate2 certificate) => Known.GetValue(certificate, static c => new Holder(Parse(c))).Identity;

    private static CallerIdentity? Parse(X509Certificate2 certificate)
    {
        try
        {
            X509Extension? names = certificate.Extensions.FirstOrDefault(extension => extension.Oid?.Value == SubjectAlternativeNames);
            return names is not null && SingleUri(names.RawData) is { } uri && FleetIdentity.TryParse(uri, out FleetIdentity? identity)
                ? new CallerIdentity(identity)
                : null;
        }
        catch (Exception e) when (e is AsnContentException or CryptographicException)
        {
            // Malformed inside a certificate that our own CA signed: it still proves nothing.
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

    private sealed record Holder(CallerIdentity? Identity);
}
