using System.Diagnostics.CodeAnalysis;
using System.Runtime.Versioning;
using System.Security.Cryptography;
using System.Text.Json;
using NodeAgent.Commands.Catalogue;
using NodeAgent.Commands.Envelope;
using NodeAgent.V1;

namespace NodeAgent.Commands.Policy;

/// <summary>
/// Reads the policy file and reports every error at once. A file that is wrong in any way gives no policy at all: the actuator then does
/// not start, because half a policy is another policy.
/// </summary>
public static class PolicyReader
{
    public const string DefaultPath = "/etc/nodeagent/policy.json";

    private const int MaxFileBytes = 256 * 1024;
    private const long DefaultBundleBytes = 64L << 20;
    private const long MaxBundleBytes = 1L << 32;

    /// <summary>Reads a file that must be root's alone. A missing file is the default policy.</summary>
    /// <param name="path">Absolute.</param>
    /// <param name="policy">The policy.</param>
    /// <param name="errors">All that is wrong, one sentence each.</param>
    /// <param name="trustedOwner">User id besides 0 whose files count as root's: for tests that are not root.</param>
    [UnsupportedOSPlatform("windows")]
    public static bool TryRead(string path, [NotNullWhen(true)] out ActuationPolicy? policy, out IReadOnlyList<string> errors, uint trustedOwner = 0)
    {
        policy = null;
        errors = [];
        if (!Path.Exists(path))
        {
            policy = ActuationPolicy.Default;
            return true;
        }

        if (FileTrust.Problem(path, trustedOwner) is { } problem)
        {
            errors = [problem];
            return false;
        }

        try
        {
            using FileStream file = File.OpenRead(path);
            byte[] bytes = new byte[MaxFileBytes + 1];
            int length = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            if (length <= MaxFileBytes) return TryParse(bytes.AsSpan(0, length), out policy, out errors);
            errors = [$"{path}: larger than {MaxFileBytes} bytes"];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            errors = [$"{path}: {e.Message}"];
        }

        return false;
    }

    /// <summary>Reads the text of a policy.</summary>
    public static bool TryParse(ReadOnlySpan<byte> json, [NotNullWhen(true)] out ActuationPolicy? policy, out IReadOnlyList<string> errors)
    {
        policy = null;
        List<string> found = [];
        errors = found;
        PolicyFile? file;
        try
        {
            file = JsonSerializer.Deserialize(json, PolicyJson.Default.PolicyFile);
        }
        catch (JsonException e)
        {
            found.Add($"line {e.LineNumber + 1}: {e.Message}");
            return false;
        }

        if (file is null || HoldsNull(file))
        {
            found.Add(file is null ? "null is no policy" : "null stands where an entry is wanted");
            return false;
        }

        if (file.Version != 1) found.Add($"version {file.Version}: 1 is wanted");
        KeyRing keys = ReadKeys(file, found);
        foreach ((string name, CommandRule rule) in file.Commands) CheckRule(name, rule, found);
        foreach ((string name, DiagnosticEntry entry) in file.Diagnostics) CheckDiagnostic(name, entry, found);
        foreach ((string name, BundleEntry entry) in file.Bundles) CheckBundle(name, entry, found);
        int total = file.MaxPerHour ?? ActuationLimits.DefaultTotalPerHour;
        if (total is < 0 or > ActuationLimits.CeilingTotalPerHour) found.Add($"max_per_hour {total}: 0 to {ActuationLimits.CeilingTotalPerHour} is wanted");
        if (found.Count > 0) return false;

        policy = new ActuationPolicy(keys, file.Commands, total, file.Diagnostics, file.Bundles, Convert.ToHexStringLower(SHA256.HashData(json)));
        return true;
    }

    public static long BytesOf(BundleEntry entry) => entry.MaxBytes ?? DefaultBundleBytes;

    // Properties that are null the serializer refuses; what is inside lists and dictionaries it does not look at.
    private static bool HoldsNull(PolicyFile file) =>
        file.Trust.Any(entry => entry is null)
        || file.Commands.Values.Any(rule => rule is null || rule.Bounds.Values.Any(bound => bound is null) || rule.Values.Values.Any(list => list is null || list.Contains(null!)))
        || file.Diagnostics.Values.Any(entry => entry is null || entry.Argv.Contains(null!))
        || file.Bundles.Values.Any(entry => entry is null || entry.Paths.Contains(null!));

    private static KeyRing ReadKeys(PolicyFile file, List<string> errors)
    {
        Dictionary<string, TrustedKey> keys = new(StringComparer.Ordinal);
        for (int i = 0; i < file.Trust.Count; i++)
        {
            TrustEntry entry = file.Trust[i];
            if (entry.Owner.Length == 0) errors.Add($"trust[{i}].owner: wanted");
            if (!TryReadRisk(entry.MaxRisk ?? "R2", out RiskClass risk)) errors.Add($"trust[{i}].max_risk {entry.MaxRisk}: R0, R1, R2 or R3 is wanted");
            byte[] der = new byte[entry.PublicKey.Length];
            if (!Convert.TryFromBase64String(entry.PublicKey, der, out int length)
                || !TrustedKey.TryRead(entry.Owner, der.AsSpan(0, length), risk, out TrustedKey? key))
            {
                errors.Add($"trust[{i}].public_key: no public key on P-256 (SubjectPublicKeyInfo, DER, Base64)");
            }
            else if (!keys.TryAdd(key.Id, key))
            {
                errors.Add($"trust[{i}].public_key: listed twice, for {keys[key.Id].Owner} and {entry.Owner}");
            }
        }

        return new KeyRing(keys.Values);
    }

    private static void CheckRule(string name, CommandRule rule, List<string> errors)
    {
        if (!CommandCatalogue.TryFind(name, out CommandDescription? description))
        {
            errors.Add($"commands.{name}: there is no such command");
            return;
        }

        if (rule.Approvals is < 0 or > 8) errors.Add($"commands.{name}.approvals {rule.Approvals}: 0 to 8 is wanted");
        if (rule.MaxPerHour < 0) errors.Add($"commands.{name}.max_per_hour {rule.MaxPerHour}: at least 0 is wanted");
        if (rule.MaxPerDay < 0) errors.Add($"commands.{name}.max_per_day {rule.MaxPerDay}: at least 0 is wanted");
        if (rule.MaxTtlSeconds < 1) errors.Add($"commands.{name}.max_ttl_seconds {rule.MaxTtlSeconds}: at least 1 is wanted");
        foreach (string parameter in rule.Bounds.Keys) CheckParameter(description, "bounds", parameter, wantsNumber: true, errors);
        foreach (string parameter in rule.Values.Keys) CheckParameter(description, "values", parameter, wantsNumber: false, errors);
    }

    private static void CheckParameter(CommandDescription description, string section, string name, bool wantsNumber, List<string> errors)
    {
        ParameterDescription? parameter = description.Parameters.FirstOrDefault(candidate => candidate.Name == name);
        if (parameter is null) errors.Add($"commands.{description.Name}.{section}.{name}: {description.Name} has no such parameter");
        else if (parameter.IsNumber != wantsNumber) errors.Add($"commands.{description.Name}.{section}.{name}: {(wantsNumber ? "a text has values" : "a number has bounds")}");
    }

    private static void CheckDiagnostic(string name, DiagnosticEntry entry, List<string> errors)
    {
        if (entry.Argv.Count == 0 || !Path.IsPathFullyQualified(entry.Argv[0])) errors.Add($"diagnostics.{name}.argv: an absolute path first");
    }

    private static void CheckBundle(string name, BundleEntry entry, List<string> errors)
    {
        if (entry.Paths.Count == 0) errors.Add($"bundles.{name}.paths: at least one is wanted");
        foreach (string path in entry.Paths.Where(path => !Path.IsPathFullyQualified(path))) errors.Add($"bundles.{name}.paths: {path} is not absolute");
        if (BytesOf(entry) is < 1 or > MaxBundleBytes) errors.Add($"bundles.{name}.max_bytes {entry.MaxBytes}: 1 to {MaxBundleBytes} is wanted");
    }

    private static bool TryReadRisk(string text, out RiskClass risk)
    {
        risk = text switch { "R0" => RiskClass.R0, "R1" => RiskClass.R1, "R2" => RiskClass.R2, "R3" => RiskClass.R3, _ => RiskClass.None };
        return risk != RiskClass.None;
    }
}
