using System.Diagnostics.CodeAnalysis;
using System.Formats.Asn1;
using System.Security.Cryptography;

namespace NodeAgent.Aggregator.Identity;

/// <summary>
/// A request for a certificate (PKCS#10, RFC 2986) as far as it is believed: its public key, and that the sender has the private one.
/// Name and attributes are not even looked at; who somebody is says the token or the older certificate. P-256 with SHA-256 only.
/// </summary>
internal static class SigningRequest
{
    /// <summary>An honest one has about 200 bytes.</summary>
    internal const int MaxBytes = 4 * 1024;

    private const string EcdsaWithSha256 = "1.2.840.10045.4.3.2";

    // SubjectPublicKeyInfo of an uncompressed point of P-256, up to the point's coordinates (RFC 5480). There is no other spelling here.
    private static readonly byte[] KeyPrefix = Convert.FromHexString("3059301306072A8648CE3D020106082A8648CE3D03010703420004");
    private const int KeyBytes = 91;

    /// <summary>False: <paramref name="problem"/> says in words what is wrong; nothing else is ever thrown or told.</summary>
    /// <param name="der">As it came.</param>
    /// <param name="key">SubjectPublicKeyInfo, 91 bytes.</param>
    /// <param name="problem">Empty when it is accepted.</param>
    internal static bool TryRead(ReadOnlyMemory<byte> der, [NotNullWhen(true)] out byte[]? key, out string problem)
    {
        key = null;
        if (der.Length > MaxBytes)
        {
            problem = $"the request has {der.Length} bytes, more than {MaxBytes}";
            return false;
        }

        try
        {
            problem = Read(der, out byte[] found);
            key = problem.Length == 0 ? found : null;
            return key is not null;
        }
        catch (Exception e) when (e is AsnContentException or CryptographicException)
        {
            problem = "the request is not well-formed PKCS#10";
            return false;
        }
    }

    private static string Read(ReadOnlyMemory<byte> der, out byte[] key)
    {
        AsnReader whole = new(der, AsnEncodingRules.DER);
        AsnReader request = whole.ReadSequence();
        whole.ThrowIfNotEmpty();
        ReadOnlyMemory<byte> signed = request.PeekEncodedValue();
        key = ReadKey(request.ReadSequence());
        if (key.Length != KeyBytes || !key.AsSpan().StartsWith(KeyPrefix))
        {
            return "the key must be ECDSA P-256, as an uncompressed point";
        }

        AsnReader algorithm = request.ReadSequence();
        string signedWith = algorithm.ReadObjectIdentifier();
        algorithm.ThrowIfNotEmpty(); // RFC 5758, 3.2: without parameters
        byte[] signature = request.ReadBitString(out int unused);
        request.ThrowIfNotEmpty();

        if (signedWith != EcdsaWithSha256 || unused != 0)
        {
            return "the request must be signed with ECDSA and SHA-256";
        }

        using ECDsa verifier = ECDsa.Create();
        verifier.ImportSubjectPublicKeyInfo(key, out _); // refuses what is no point of the curve
        return verifier.VerifyData(signed.Span, signature, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence)
            ? "" : "the request is not signed with the key in it";
    }

    private static byte[] ReadKey(AsnReader info)
    {
        _ = info.ReadInteger(); // version
        _ = info.ReadSequence(); // whom it asks for
        return info.ReadEncodedValue().ToArray();
    }
}
