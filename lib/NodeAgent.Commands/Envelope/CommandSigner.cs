using System.Security.Cryptography;
using Google.Protobuf;
using NodeAgent.V1;

namespace NodeAgent.Commands.Envelope;

/// <summary>Signs commands with one person's key. Lives where the person is, never on an aggregator; needs no network.</summary>
public sealed class CommandSigner
{
    private readonly ECDsa _key;
    private readonly Guid _fleet;

    /// <param name="key">Private, P-256. Stays the caller's.</param>
    /// <param name="fleet">The fleet that the commands are for; a signature is worth nothing in another one.</param>
    /// <exception cref="ArgumentException">Another curve.</exception>
    public CommandSigner(ECDsa key, Guid fleet)
    {
        if (!TrustedKey.IsP256(key)) throw new ArgumentException("a key on the curve P-256 is wanted", nameof(key));
        _key = key;
        _fleet = fleet;
        KeyId = CommandEnvelope.KeyIdOf(key);
    }

    public IReadOnlyList<byte> KeyId { get; }

    /// <summary>An envelope with this signature alone.</summary>
    public SignedCommand Sign(Command command)
    {
        SignedCommand envelope = new() { Payload = command.ToByteString() };
        AddTo(envelope);
        return envelope;
    }

    /// <summary>Adds this signature: the second person of a two-person command.</summary>
    public void AddTo(SignedCommand envelope) => envelope.Signatures.Add(new CommandSignature
    {
        KeyId = ByteString.CopyFrom([.. KeyId]),
        Algorithm = SignatureAlgorithm.EcdsaP256Sha256,
        Signature = ByteString.CopyFrom(
            _key.SignHash(CommandEnvelope.Digest(_fleet, envelope.Payload.Span), DSASignatureFormat.IeeeP1363FixedFieldConcatenation)),
    });
}
