namespace NodeAgent.Sampling.Inventory;

/// <summary>Lines such as <c>MemTotal:  24684092 kB</c>, alone or behind <c>Node 0</c>.</summary>
internal static class KilobyteParser
{
    /// <summary>The value behind a key in bytes; 0 where there is none.</summary>
    public static ulong Bytes(string text, string key)
    {
        foreach (ReadOnlySpan<char> line in text.AsSpan().EnumerateLines())
        {
            int at = line.IndexOf(key, StringComparison.Ordinal);
            if (at < 0)
            {
                continue;
            }

            ReadOnlySpan<char> value = line[(at + key.Length)..].Trim();
            if (value.EndsWith(" kB") && ulong.TryParse(value[..^3].Trim(), out ulong kilobytes) && kilobytes < ulong.MaxValue / 1024)
            {
                return kilobytes * 1024;
            }
        }

        return 0;
    }
}
