using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace NodeAgent.Commands.Audit;

/// <summary>
/// Where a chain ends: the index of its last record and that record's hash. Whoever holds a head can tell later whether anything up to it
/// was altered or taken away, the end included; without one, records cut off the end leave no trace. So agents and aggregators hold each
/// other's.
/// </summary>
/// <param name="Index">1 for the first record; 0: the chain is empty.</param>
/// <param name="Hash">SHA-256, 64 lower-case hexadecimal digits.</param>
public sealed record AuditHead(ulong Index, string Hash)
{
    /// <summary>Like "1042:9f86d0...": what people write down.</summary>
    public override string ToString() => $"{Index}:{Hash}";

    public static bool TryParse(string text, [NotNullWhen(true)] out AuditHead? head)
    {
        head = null;
        int colon = text.IndexOf(':', StringComparison.Ordinal);
        if (colon < 1 || !ulong.TryParse(text.AsSpan(0, colon), NumberStyles.None, CultureInfo.InvariantCulture, out ulong index)) return false;
        string hash = text[(colon + 1)..].Trim().ToLowerInvariant();
        if (hash.Length != 2 * AuditLink.HashBytes || !hash.All(char.IsAsciiHexDigit)) return false;
        head = new AuditHead(index, hash);
        return true;
    }
}
