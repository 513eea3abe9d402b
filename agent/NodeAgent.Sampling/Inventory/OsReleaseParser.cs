namespace NodeAgent.Sampling.Inventory;

/// <summary>os-release(5): KEY=value lines, values optionally in quotes.</summary>
internal static class OsReleaseParser
{
    /// <summary>PRETTY_NAME, else NAME and VERSION_ID, else "".</summary>
    public static string PrettyName(string text)
    {
        string pretty = Value(text, "PRETTY_NAME=");
        return pretty.Length > 0 ? pretty : $"{Value(text, "NAME=")} {Value(text, "VERSION_ID=")}".Trim();
    }

    private static string Value(string text, string key)
    {
        foreach (ReadOnlySpan<char> line in text.AsSpan().EnumerateLines())
        {
            if (line.StartsWith(key, StringComparison.Ordinal))
            {
                return line[key.Length..].Trim().Trim("\"'").ToString();
            }
        }

        return "";
    }
}
