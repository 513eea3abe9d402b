using System.Buffers;
using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace NodeAgent.Contracts.Identity;

/// <summary>
/// A join token, <c>na1.ID.SECRET.PIN</c>: id as 16 hexadecimal digits, 256 secret bits as base64url, SHA-256 of the public key
/// (SubjectPublicKeyInfo) of one of the fleet's roots as 64 hexadecimal digits. The pin makes the first contact authenticated in both
/// directions: who holds a token knows whom it may be told to.
/// </summary>
public sealed class EnrolmentToken
{
    /// <summary>Bytes of the secret.</summary>
    public const int SecretBytes = 32;

    private const string Version = "na1";
    private const int IdDigits = 16;
    private const int PinBytes = 32;

    private readonly byte[] _secret;

    private EnrolmentToken(string id, byte[] secret, byte[] pin) => (Id, _secret, Pin) = (id, secret, pin);

    /// <summary>Names it in lists and logs; not secret.</summary>
    public string Id { get; }

    /// <summary>SHA-256 of a root's public key.</summary>
    public ReadOnlyMemory<byte> Pin { get; }

    /// <summary>A new one, with the system's random numbers.</summary>
    public static EnrolmentToken Create(ReadOnlySpan<byte> pin) =>
        new(Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(IdDigits / 2)), RandomNumberGenerator.GetBytes(SecretBytes), pin.ToArray());

    /// <summary>What is kept of the secret: SHA-256. 256 random bits need no slow hash.</summary>
    public byte[] HashSecret() => SHA256.HashData(_secret);

    /// <summary>The whole token, the secret with it: only for the one who asked for it. <see cref="ToString"/> is for everybody.</summary>
    public string Reveal() => $"{Version}.{Id}.{Base64Url.EncodeToString(_secret)}.{Convert.ToHexStringLower(Pin.Span)}";

    /// <summary>For logs: without the secret.</summary>
    public override string ToString() => $"{Version}.{Id}";

    /// <summary>Reads one; surrounding white space is a file's. False: it is none, in any respect; there is one spelling.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out EnrolmentToken? token)
    {
        token = null;
        string[] parts = text.Trim().Split('.');
        if (parts is not [Version, { Length: IdDigits } id, var secretText, { Length: 2 * PinBytes } pinText]
            || !IsHex(id) || !IsHex(pinText) || secretText.Length != Base64Url.GetEncodedLength(SecretBytes))
        {
            return false;
        }

        byte[] secret = new byte[SecretBytes];
        if (Base64Url.DecodeFromChars(secretText, secret, out int read, out int written) != OperationStatus.Done || read != secretText.Length || written != SecretBytes)
        {
            return false;
        }

        token = new EnrolmentToken(id, secret, Convert.FromHexString(pinText));
        if (token.Reveal() != string.Join('.', parts))
        {
            token = null; // unused bits that are not zero
        }

        return token is not null;
    }

    private static bool IsHex(string text) => text.All(c => char.IsAsciiHexDigitLower(c));
}
