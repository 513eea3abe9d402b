using System.Text.Json;

namespace NodeAgent.Commands.Audit;

/// <summary>
/// A chain as text, one JSON object a line: index, type, previous and hash in hexadecimal, record in Base64. Anybody with SHA-256 can check
/// it: docs/formats/audit.md says how.
/// </summary>
public static class AuditExport
{
    /// <summary>Three times the largest envelope in Base64; a longer line is no record.</summary>
    private const int MaxLine = 64 * 1024 * 2;

    /// <summary>Verifies an exported chain.</summary>
    /// <param name="from">The lines.</param>
    /// <param name="owner">Whose chain it is to be.</param>
    /// <param name="heads">Heads that somebody else held.</param>
    public static AuditReport Verify(TextReader from, Guid owner, IEnumerable<AuditHead>? heads = null)
    {
        AuditWalk walk = new(owner, heads);
        ulong last = 0;
        while (from.ReadLine() is { } line)
        {
            if (line.Length == 0) continue;
            if (TryParse(line, out ulong index, out byte type, out byte[] link)) walk.Add(last = index, type, link);
            else walk.Add(++last, 0, []); // Shorter than any record: found as unreadable.
        }

        return walk.Finish();
    }

    internal static void Write(TextWriter into, ulong index, byte type, ReadOnlySpan<byte> link)
    {
        if (link.Length < AuditLink.HeaderBytes) return;
        into.Write($"{{\"index\":{index},\"type\":{type},\"previous\":\"{Convert.ToHexStringLower(link[..AuditLink.HashBytes])}\",");
        into.Write($"\"hash\":\"{Convert.ToHexStringLower(link.Slice(AuditLink.HashBytes, AuditLink.HashBytes))}\",");
        into.Write($"\"record\":\"{Convert.ToBase64String(link[AuditLink.HeaderBytes..])}\"}}\n");
    }

    private static bool TryParse(string line, out ulong index, out byte type, out byte[] link)
    {
        (index, type, link) = (0, 0, []);
        if (line.Length > MaxLine) return false;
        try
        {
            using JsonDocument document = JsonDocument.Parse(line);
            JsonElement root = document.RootElement;
            index = root.GetProperty("index").GetUInt64();
            type = root.GetProperty("type").GetByte();
            byte[] previous = Convert.FromHexString(root.GetProperty("previous").GetString()!);
            byte[] hash = Convert.FromHexString(root.GetProperty("hash").GetString()!);
            link = [.. previous, .. hash, .. root.GetProperty("record").GetBytesFromBase64()];
            return previous.Length == AuditLink.HashBytes && hash.Length == AuditLink.HashBytes;
        }
        catch (Exception e) when (e is JsonException or FormatException or KeyNotFoundException or InvalidOperationException or ArgumentNullException)
        {
            // The caller reports the line as unreadable: a file from outside may hold anything.
            return false;
        }
    }
}
