using System.Diagnostics.CodeAnalysis;
using System.Formats.Asn1;
using System.Security.Cryptography.X509Certificates;
using NodeAgent.Contracts.Identity;

namespace NodeAgent.Ctl.Fleet;

/// <summary>Reads whom a certificate speaks for: its one URI among the subject alternative names.</summary>
internal static class CertificateIdentity
{
    // Context-specific tag of uniformResourceIdentifier in GeneralName, RFC 5280, 4.2.1.6.
    private static readonly Asn1Tag UriTag = new(TagClass.ContextSpecific, 6);

    /// <summary>False: the certificate has no fleet identity, or more than one.</summary>
    public static bool TryRead(X509Certificate2 certificate, [NotNullWhen(true)] out FleetIdentity? identity)
    {
        identity = null;
        List<string> uris = [];
        foreach (X509Extension extension in certificate.Extensions)
        {
            if (extension is X509SubjectAlternativeNameExtension names) Collect(names.RawData, uris);
        }

        return uris.Count == 1 && FleetIdentity.TryParse(uris[0], out identity);
    }

    private static void Collect(byte[] extension, List<string> uris)
    {
        try
        {
            AsnReader names = new AsnReader(extension, AsnEncodingRules.DER).ReadSequence();
            while (names.HasData)
            {
                if (names.PeekTag().HasSameClassAndValue(UriTag)) uris.Add(names.ReadCharacterString(UniversalTagNumber.IA5String, UriTag));
                else names.ReadEncodedValue();
            }
        }
        catch (AsnContentException)
        {
            // Not a list of names: whatever stands there is nobody's identity, which is what an empty list says.
            uris.Clear();
        }
    }
}
