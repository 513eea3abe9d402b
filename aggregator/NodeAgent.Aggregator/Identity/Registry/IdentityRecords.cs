using System.Text.Json;
using System.Text.Json.Serialization;
using NodeAgent.Contracts.Identity;

namespace NodeAgent.Aggregator.Identity.Registry;

/// <summary>Kinds of record in the identity journal (docs/formats/identity-journal.md). Numbers are on disk: they never change.</summary>
internal enum IdentityRecordKind : byte
{
    Token = 1,
    Member = 2,
}

/// <summary>What became of a token. Names are on disk. Expiry is the clock's.</summary>
internal enum TokenFate
{
    Open,
    Used,
    Revoked,
}

/// <summary>Whether a member may come in. Names are on disk.</summary>
internal enum MemberFate
{
    Active,
    Quarantined,
    Revoked,
}

/// <summary>A join token, without its secret.</summary>
/// <param name="Id">As in its text.</param>
/// <param name="SecretHash">SHA-256 of the secret.</param>
/// <param name="Role">What it enrols as.</param>
/// <param name="Name">Whom it enrols.</param>
/// <param name="CreatedBy">Admin.</param>
/// <param name="Created">When.</param>
/// <param name="Expires">Of no use from then on.</param>
internal sealed record TokenEntry(
    string Id, byte[] SecretHash, FleetRole Role, string Name, string CreatedBy, DateTimeOffset Created, DateTimeOffset Expires)
{
    public TokenFate Fate { get; init; }

    /// <summary>When it was used or revoked.</summary>
    public DateTimeOffset? Ended { get; init; }

    /// <summary>Address that used it, or admin that revoked it.</summary>
    public string EndedBy { get; init; } = "";

    /// <summary>SHA-256 of the key that it was used for: the same host may ask again.</summary>
    public byte[]? KeyHash { get; init; }

    /// <summary>The member it made.</summary>
    public Guid? Uuid { get; init; }
}

/// <summary>A certificate that was issued and not seen in use yet: its holder may have died before it had it.</summary>
/// <param name="Serial">Hexadecimal.</param>
/// <param name="KeyHash">SHA-256 of its key.</param>
/// <param name="Certificate">DER: who asks again with the same key gets the same.</param>
/// <param name="Expires">Its end.</param>
internal sealed record PendingCertificate(string Serial, byte[] KeyHash, byte[] Certificate, DateTimeOffset Expires);

/// <summary>One enrolment of a name. Revoked ones stay, so that what they held is recognised.</summary>
/// <param name="Uuid">Empty: a name that was revoked without having been enrolled.</param>
/// <param name="Role">Its role.</param>
/// <param name="Name">Node or person.</param>
/// <param name="Enrolled">When.</param>
internal sealed record MemberEntry(Guid Uuid, FleetRole Role, string Name, DateTimeOffset Enrolled)
{
    public MemberFate Fate { get; init; }

    /// <summary>Why it is not active.</summary>
    public string Reason { get; init; } = "";

    /// <summary>When the fate changed last.</summary>
    public DateTimeOffset Changed { get; init; }

    /// <summary>Of the newest certificate that was seen in use; 0: none was.</summary>
    public uint Generation { get; init; }

    /// <summary>Its serial number, hexadecimal.</summary>
    public string Serial { get; init; } = "";

    /// <summary>Its end.</summary>
    public DateTimeOffset Expires { get; init; }

    /// <summary>When a certificate was issued last.</summary>
    public DateTimeOffset Renewed { get; init; }

    /// <summary>Of generation <see cref="Generation"/> + 1; null: none is on its way.</summary>
    public PendingCertificate? Pending { get; init; }

    /// <summary>Roots that it said it believes, or was given with a certificate it uses; null: it never said.</summary>
    public byte[]? Bundle { get; init; }

    /// <summary>Roots that came with the pending certificate.</summary>
    public byte[]? PendingBundle { get; init; }

    [JsonIgnore]
    public string Member => $"{FleetIdentity.RoleName(Role)}/{Name}";
}

/// <summary>Records as bytes: a version, then JSON. They are few, and are read by people who ask who let somebody in.</summary>
internal static class IdentityRecord
{
    private const byte Version = 1;

    internal static byte[] Write(TokenEntry token) => [Version, .. JsonSerializer.SerializeToUtf8Bytes(token, IdentityJson.Default.TokenEntry)];

    internal static byte[] Write(MemberEntry member) => [Version, .. JsonSerializer.SerializeToUtf8Bytes(member, IdentityJson.Default.MemberEntry)];

    /// <summary>Null: a later version wrote it, or damage that no checksum saw.</summary>
    internal static TokenEntry? ReadToken(ReadOnlySpan<byte> payload) => Read(payload, IdentityJson.Default.TokenEntry);

    /// <summary>As <see cref="ReadToken"/>.</summary>
    internal static MemberEntry? ReadMember(ReadOnlySpan<byte> payload) => Read(payload, IdentityJson.Default.MemberEntry);

    private static T? Read<T>(ReadOnlySpan<byte> payload, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type)
        where T : class
    {
        if (payload is not [Version, ..])
        {
            return null;
        }

        try
        {
            return JsonSerializer.Deserialize(payload[1..], type);
        }
        catch (JsonException)
        {
            // Counted by the caller, as every record that says nothing to us.
            return null;
        }
    }
}

[JsonSourceGenerationOptions(UseStringEnumConverter = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(TokenEntry))]
[JsonSerializable(typeof(MemberEntry))]
internal sealed partial class IdentityJson : JsonSerializerContext;
