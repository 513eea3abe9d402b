using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using NodeAgent.V1;

namespace NodeAgent.Commands.Envelope;

/// <summary>A key that an agent's policy trusts, and whose it is. Approvals count people, so two keys of one owner are one approval.</summary>
public sealed class TrustedKey : IDisposable
{
    private readonly ECDsa _key;

    private TrustedKey(string owner, ECDsa key, RiskClass maxRisk)
    {
        Owner = owner;
        MaxRisk = maxRisk;
        _key = key;
        Id = Convert.ToHexStringLower(CommandEnvelope.KeyIdOf(key));
    }

    /// <summary>The id in lower-case hexadecimal.</summary>
    public string Id { get; }

    public string Owner { get; }

    /// <summary>The highest class that this key may sign.</summary>
    public RiskClass MaxRisk { get; }

    /// <summary>Reads a public key.</summary>
    /// <param name="owner">The person, as the audit will name them.</param>
    /// <param name="subjectPublicKeyInfo">DER, as inside a PEM "PUBLIC KEY".</param>
    /// <param name="maxRisk">The highest class the key may sign.</param>
    /// <param name="key">The key.</param>
    public static bool TryRead(
        string owner, ReadOnlySpan<byte> subjectPublicKeyInfo, RiskClass maxRisk, [NotNullWhen(true)] out TrustedKey? key)
    {
        key = null;
        ECDsa read = ECDsa.Create();
        try
        {
            read.ImportSubjectPublicKeyInfo(subjectPublicKeyInfo, out int used);
            if (used == subjectPublicKeyInfo.Length && IsP256(read)) key = new TrustedKey(owner, read, maxRisk);
        }
        catch (Exception e) when (e is CryptographicException or PlatformNotSupportedException or ArgumentException)
        {
            // An unknown curve raises PlatformNotSupported, not Cryptographic; whichever, these bytes are no key of ours. key stays null.
            key = null;
        }

        if (key is null) read.Dispose();
        return key is not null;
    }

    public bool Verifies(byte[] digest, ReadOnlySpan<byte> signature) =>
        signature.Length == CommandEnvelope.SignatureBytes
        && _key.VerifyHash(digest, signature, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);

    public void Dispose() => _key.Dispose();

    internal static bool IsP256(ECDsa key) =>
        key.ExportParameters(includePrivateParameters: false).Curve is { IsNamed: true, Oid: var oid }
        && (oid.Value == ECCurve.NamedCurves.nistP256.Oid.Value || oid.FriendlyName == ECCurve.NamedCurves.nistP256.Oid.FriendlyName);
}
