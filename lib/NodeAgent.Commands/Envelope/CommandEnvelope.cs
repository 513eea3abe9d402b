using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Google.Protobuf;
using NodeAgent.V1;

namespace NodeAgent.Commands.Envelope;

/// <summary>The rules of the envelope that signer and verifier share: sizes, the signed bytes, the canonical form.</summary>
public static class CommandEnvelope
{
    /// <summary>A hundred times what any command needs, and small enough to be kept whole in the audit.</summary>
    public const int MaxBytes = 16 * 1024;

    public const int IdBytes = 16;

    public const int SignatureBytes = 64;

    /// <summary>Long enough for slow links and a person's second look, short enough that a withheld command is soon worth nothing.</summary>
    public static readonly TimeSpan MaxWindow = TimeSpan.FromMinutes(15);

    // The zero ends the name: no other purpose's prefix can run into what follows.
    private static ReadOnlySpan<byte> Domain => "nodeagent.cmd.v1\0"u8;

    /// <summary>SHA-256 of domain, fleet and payload: what ECDSA signs.</summary>
    public static byte[] Digest(Guid fleet, ReadOnlySpan<byte> payload)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> fleetBytes = stackalloc byte[IdBytes];
        fleet.TryWriteBytes(fleetBytes, bigEndian: true, out _);
        hash.AppendData(Domain);
        hash.AppendData(fleetBytes);
        hash.AppendData(payload);
        return hash.GetHashAndReset();
    }

    /// <summary>The id of a key: the first 16 bytes of SHA-256 over its SubjectPublicKeyInfo.</summary>
    public static byte[] KeyIdOf(ECDsa key) => SHA256.HashData(key.ExportSubjectPublicKeyInfo())[..IdBytes];

    public static ByteString ToBytes(Guid id) => ByteString.CopyFrom(id.ToByteArray(bigEndian: true));

    /// <exception cref="ArgumentException">Not 16 bytes.</exception>
    public static Guid ToGuid(ByteString id) => new(id.Span, bigEndian: true);

    /// <summary>Milliseconds of the window, or -1 where the two ends make no window.</summary>
    public static long WindowMs(Command command) =>
        command.NotBeforeUnixMs < 0 || command.NotAfterUnixMs <= command.NotBeforeUnixMs ? -1 : command.NotAfterUnixMs - command.NotBeforeUnixMs;

    /// <summary>
    /// Decodes a message that is encoded the one way that this version would encode it. That refuses unknown fields, repeated fields and
    /// every other way to say the same in other bytes, at any depth.
    /// </summary>
    public static bool TryParseCanonical<T>(MessageParser<T> parser, ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out T? message)
        where T : class, IMessage<T>
    {
        message = null;
        T parsed;
        try
        {
            parsed = parser.WithDiscardUnknownFields(true).ParseFrom(bytes);
        }
        catch (InvalidProtocolBufferException)
        {
            // The caller says "malformed": bytes from outside that are no message are a value here, not an exception.
            return false;
        }

        if (parsed.CalculateSize() != bytes.Length || !bytes.SequenceEqual(parsed.ToByteArray())) return false;
        message = parsed;
        return true;
    }

    /// <summary>Sixteen bytes of a UUIDv7: the time first, so that ids of one day lie together in a log.</summary>
    public static Guid NewId(DateTimeOffset now) => Guid.CreateVersion7(now);
}
