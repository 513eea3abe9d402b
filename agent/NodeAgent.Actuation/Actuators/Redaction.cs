using System.Text.RegularExpressions;

namespace NodeAgent.Actuation.Actuators;

/// <summary>
/// Takes what looks like a secret out of a line. It is a net with known meshes, not a proof: bundles stay confidential, and go only where
/// the operator carries them.
/// </summary>
public static partial class Redaction
{
    private const string Gone = "[redacted]";

    /// <summary>One line without its end. <paramref name="inKey"/>: inside a private key, of which nothing is kept.</summary>
    public static string Line(string line, ref bool inKey)
    {
        if (line.Contains("-----BEGIN ", StringComparison.Ordinal) && line.Contains("PRIVATE KEY", StringComparison.Ordinal)) inKey = true;
        if (inKey)
        {
            inKey = !line.Contains("-----END ", StringComparison.Ordinal);
            return Gone;
        }

        string clean = NamedValue().Replace(line, $"$1{Gone}");
        clean = Bearer().Replace(clean, $"$1 {Gone}");
        clean = UserInUrl().Replace(clean, $"$1{Gone}@");
        clean = JoinToken().Replace(clean, Gone);
        return CloudKey().Replace(clean, Gone);
    }

    // password=x, "api_key": "x", --token x
    [GeneratedRegex("""((?:pass(?:word|wd|phrase)?|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credential)s?["']?\s*(?:[=:]|\s)\s*["']?)[^\s"',;&]+""", RegexOptions.IgnoreCase)]
    private static partial Regex NamedValue();

    [GeneratedRegex(@"\b(Bearer|Basic)\s+[A-Za-z0-9+/=._~-]{6,}", RegexOptions.IgnoreCase)]
    private static partial Regex Bearer();

    [GeneratedRegex(@"(\b[a-z][a-z0-9+.-]*://)[^/\s:@]+:[^/\s@]+@", RegexOptions.IgnoreCase)]
    private static partial Regex UserInUrl();

    [GeneratedRegex(@"\bna1\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{16,}[A-Za-z0-9._-]*")]
    private static partial Regex JoinToken();

    [GeneratedRegex(@"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\bgh[pousr]_[A-Za-z0-9]{20,}\b|\beyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}")]
    private static partial Regex CloudKey();
}
