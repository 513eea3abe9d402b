using System.Globalization;

namespace NodeAgent.Hosting.Configuration;

/// <summary>Sizes as people write them: "64MiB" is 64 * 2^20, "10GB" is 10 * 10^9 (IEC 80000-13 prefixes), a bare number is bytes.</summary>
public static class ByteText
{
    private static readonly (string Suffix, long Bytes)[] Units =
    [
        ("KiB", 1L << 10), ("MiB", 1L << 20), ("GiB", 1L << 30), ("TiB", 1L << 40),
        ("kB", 1_000), ("KB", 1_000), ("MB", 1_000_000), ("GB", 1_000_000_000), ("TB", 1_000_000_000_000),
        ("B", 1), ("", 1),
    ];

    /// <summary>The shortest exact form; binary units where both are equally short.</summary>
    public static string Format(long bytes)
    {
        string shortest = $"{bytes}B";
        foreach ((string suffix, long unit) in Units)
        {
            string text = $"{bytes / unit}{suffix}";
            if (suffix.Length > 1 && bytes != 0 && bytes % unit == 0 && text.Length < shortest.Length)
            {
                shortest = text;
            }
        }

        return shortest;
    }

    /// <summary>Reads a non-negative number of bytes; false for anything else, for a fraction of a byte, and on overflow.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out long bytes)
    {
        bytes = 0;
        foreach ((string suffix, long unit) in Units)
        {
            if (text.EndsWith(suffix, StringComparison.Ordinal)
                && decimal.TryParse(text[..^suffix.Length], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out decimal number))
            {
                bool fits = number <= long.MaxValue / (decimal)unit && number * unit % 1 == 0;
                bytes = fits ? (long)(number * unit) : 0;
                return fits;
            }
        }

        return false;
    }
}
