using System.Text.Json;
using System.Text.Json.Serialization;

namespace NodeAgent.Commands.Policy;

/// <summary>
/// The policy as written: what people on the network can ask of this node. Without the file, or with an empty one, that is R0 alone.
/// A key that this version does not know is an error, so that a rule with a typing mistake does not silently allow everything.
/// </summary>
public sealed class PolicyFile
{
    /// <summary>1.</summary>
    [JsonRequired]
    public int Version { get; set; }

    /// <summary>Whose signatures count.</summary>
    public List<TrustEntry> Trust { get; set; } = [];

    /// <summary>Rules by the command's name. No rule: R0 is allowed, everything else refused.</summary>
    public Dictionary<string, CommandRule> Commands { get; set; } = [];

    /// <summary>Commands above R0, of all kinds together, an hour. Null: 20.</summary>
    public int? MaxPerHour { get; set; }

    /// <summary>What "diagnose" may run, by name.</summary>
    public Dictionary<string, DiagnosticEntry> Diagnostics { get; set; } = [];

    /// <summary>What "log_bundle" may pack, by name.</summary>
    public Dictionary<string, BundleEntry> Bundles { get; set; } = [];
}

/// <summary>A key and its owner.</summary>
public sealed class TrustEntry
{
    /// <summary>The person, as the audit names them. Two keys of one person are one approval.</summary>
    [JsonRequired]
    public string Owner { get; set; } = "";

    /// <summary>SubjectPublicKeyInfo, DER in Base64: a PEM "PUBLIC KEY" without its first and last line.</summary>
    [JsonRequired]
    public string PublicKey { get; set; } = "";

    /// <summary>The highest class this key may sign: R0 to R3. Null: R2, so that outages are granted on purpose.</summary>
    public string? MaxRisk { get; set; }
}

/// <summary>What one command may do here.</summary>
public sealed class CommandRule
{
    /// <summary>False refuses it whatever else is said.</summary>
    [JsonRequired]
    public bool Allow { get; set; }

    /// <summary>People who must sign. Null, or fewer than the class asks for: as many as the class asks for.</summary>
    public int? Approvals { get; set; }

    /// <summary>Attempts an hour. Null: by class, see <see cref="ActuationLimits"/>, whose ceilings also hold for what is said here.</summary>
    public int? MaxPerHour { get; set; }

    /// <summary>Attempts a day.</summary>
    public int? MaxPerDay { get; set; }

    /// <summary>The longest time to live. Null: one day.</summary>
    public int? MaxTtlSeconds { get; set; }

    /// <summary>Bounds of numbers, by the parameter's name, narrower than the catalogue's.</summary>
    public Dictionary<string, Bound> Bounds { get; set; } = [];

    /// <summary>Allowed values of texts, by the parameter's name. A value that ends in "/*" stands for all below that path.</summary>
    public Dictionary<string, List<string>> Values { get; set; } = [];
}

public sealed class Bound
{
    public long? Min { get; set; }

    public long? Max { get; set; }
}

/// <summary>A program that "diagnose" may run.</summary>
public sealed class DiagnosticEntry
{
    /// <summary>An absolute path and its arguments, passed as they are; there is no shell.</summary>
    [JsonRequired]
    public List<string> Argv { get; set; } = [];
}

/// <summary>Files that "log_bundle" may pack.</summary>
public sealed class BundleEntry
{
    /// <summary>Absolute paths of files, or of folders of which the files directly inside are taken. Links are not followed.</summary>
    [JsonRequired]
    public List<string> Paths { get; set; } = [];

    /// <summary>Bytes before packing. Null: 64 MiB.</summary>
    public long? MaxBytes { get; set; }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    ReadCommentHandling = JsonCommentHandling.Skip,
    AllowTrailingCommas = true,
    RespectNullableAnnotations = true,
    AllowDuplicateProperties = false)]
[JsonSerializable(typeof(PolicyFile))]
internal sealed partial class PolicyJson : JsonSerializerContext;
