using System.Globalization;

namespace NodeAgent.Ctl.Text;

/// <summary>Durations as people type and read them: <c>500ms</c>, <c>10s</c>, <c>1h30m</c>, <c>2d</c>, <c>1w</c>.</summary>
internal static class DurationText
{
    private static readonly (string Suffix, double Milliseconds)[] Units =
    [
        // "ms" before "m": the longer suffix must win.
        ("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000), ("w", 604_800_000),
    ];

    /// <summary>Reads one or more number-unit pairs without spaces. False: not a duration, negative, or over 100 years.</summary>
    public static bool TryParse(string text, out TimeSpan duration)
    {
        duration = default;
        double total = 0;
        ReadOnlySpan<char> rest = text.AsSpan().Trim();
        if (rest.IsEmpty) return false;

        while (!rest.IsEmpty)
        {
            int digits = 0;
            while (digits < rest.Length && (char.IsAsciiDigit(rest[digits]) || rest[digits] == '.')) digits++;
            if (digits == 0 || !double.TryParse(rest[..digits], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double number)) return false;

            rest = rest[digits..];
            if (!TryTakeUnit(ref rest, out double unit)) return false;
            total += number * unit;
        }

        if (total > TimeSpan.FromDays(36_525).TotalMilliseconds) return false;
        duration = TimeSpan.FromMilliseconds(total);
        return true;
    }

    private static bool TryTakeUnit(ref ReadOnlySpan<char> rest, out double milliseconds)
    {
        foreach ((string suffix, double unit) in Units)
        {
            if (!rest.StartsWith(suffix, StringComparison.Ordinal)) continue;
            rest = rest[suffix.Length..];
            milliseconds = unit;
            return true;
        }

        milliseconds = 0;
        return false;
    }

    /// <summary>At most two units, the largest that fit: <c>0.4s</c>, <c>3s</c>, <c>2m5s</c>, <c>3h12m</c>, <c>4d2h</c>.</summary>
    public static string Short(TimeSpan duration)
    {
        string sign = duration < TimeSpan.Zero ? "-" : "";
        TimeSpan length = duration.Duration();
        return sign + (length.TotalSeconds switch
        {
            0 => "0s",
            < 1 => $"{length.TotalSeconds:0.0}s",
            < 60 => $"{Math.Floor(length.TotalSeconds):0}s",
            < 3600 => Pair(length.Minutes, "m", length.Seconds, "s"),
            < 86400 => Pair(length.Hours, "h", length.Minutes, "m"),
            _ => Pair((int)length.TotalDays, "d", length.Hours, "h"),
        });
    }

    /// <summary>The text that <see cref="TryParse"/> reads back to the same duration: <c>1h30m</c>, <c>250ms</c>.</summary>
    public static string Exact(TimeSpan duration)
    {
        long rest = (long)duration.TotalMilliseconds;
        if (rest == 0) return "0s";
        string text = "";
        foreach ((string suffix, double unit) in Units.Reverse())
        {
            if (suffix == "w") continue;
            long count = rest / (long)unit;
            if (count > 0) text += count.ToString(CultureInfo.InvariantCulture) + suffix;
            rest -= count * (long)unit;
        }

        return text;
    }

    private static string Pair(int large, string largeUnit, int small, string smallUnit) =>
        small == 0 ? $"{large}{largeUnit}" : $"{large}{largeUnit}{small}{smallUnit}";
}
