using System.Diagnostics.CodeAnalysis;
using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace NodeAgent.Contracts.Identity;

/// <summary>
/// Which life of an identity a certificate belongs to. Enrolment puts it into what it issues: a name that is enrolled again gets another
/// uuid and inherits nothing, and a renewed certificate has the next generation, so that a copy of an older one shows itself.
/// Certificates made by hand have none.
/// </summary>
/// <param name="Uuid">Of this enrolment; what commands are addressed to.</param>
/// <param name="Generation">From 1, one more with each renewal.</param>
public sealed record FleetCredential(Guid Uuid, uint Generation)
{
    // An arc that needs no registration: 2.25 and a UUID as a number (ITU-T X.667, 8.1).
    internal const string ExtensionId = "2.25.147613677060253494308065004685447442582";

    /// <summary>For a certificate: SEQUENCE { OCTET STRING uuid, INTEGER generation }, not critical, because TLS need not know it.</summary>
    public X509Extension ToExtension()
    {
        AsnWriter writer = new(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            writer.WriteOctetString(Uuid.ToByteArray(bigEndian: true));
            writer.WriteInteger(Generation);
        }

        return new X509Extension(new Oid(ExtensionId), writer.Encode(), critical: false);
    }

    /// <summary>False: the certificate was made by hand. Says nothing of whether it is to be believed.</summary>
    public static bool TryRead(X509Certificate2 certificate, [NotNullWhen(true)] out FleetCredential? credential)
    {
        credential = null;
        X509Extension[] found = [.. certificate.Extensions.Where(extension => extension.Oid?.Value == ExtensionId)];
        if (found is not [{ RawData: var data }])
        {
            return false;
        }

        try
        {
            AsnReader whole = new(data, AsnEncodingRules.DER);
            AsnReader fields = whole.ReadSequence();
            whole.ThrowIfNotEmpty();
            byte[] uuid = fields.ReadOctetString();
            if (uuid.Length != 16 || !fields.TryReadUInt32(out uint generation) || generation == 0)
            {
                return false;
            }

            fields.ThrowIfNotEmpty();
            credential = new FleetCredential(new Guid(uuid, bigEndian: true), generation);
            return true;
        }
        catch (AsnContentException)
        {
            // Malformed, perhaps inside a certificate that our own CA signed: as if it were not there.
            return false;
        }
    }
}
