using System.Globalization;

namespace NodeAgent.Hosting;

/// <summary>Durations as people write them: "500ms", "1.5s", "5m", "2h", "7d". One spelling in configuration, logs and pages.</summary>
public static class DurationText
{
    // Longest suffix first, so that "ms" is not read as minutes followed by a stray "s".
    private static readonly (string Suffix, long Ticks)[] Units =
    [
        ("us", TimeSpan.TicksPerMicrosecond),
        ("ms", TimeSpan.TicksPerMillisecond),
        ("s", TimeSpan.TicksPerSecond),
        ("m", TimeSpan.TicksPerMinute),
        ("h", TimeSpan.TicksPerHour),
        ("d", TimeSpan.TicksPerDay),
    ];

    /// <summary>The shortest exact form: the largest unit that gives a whole number, or seconds with decimals.</summary>
    public static string Format(TimeSpan duration)
    {
        if (duration == TimeSpan.Zero)
        {
            return "0s";
        }

        for (int i = Units.Length - 1; i >= 0; i--)
        {
            if (duration.Ticks % Units[i].Ticks == 0)
            {
                return string.Create(CultureInfo.InvariantCulture, $"{duration.Ticks / Units[i].Ticks}{Units[i].Suffix}");
            }
        }

        return string.Create(CultureInfo.InvariantCulture, $"{duration.Ticks / (decimal)TimeSpan.TicksPerSecond}s");
    }

    /// <summary>For measured durations in log lines: rounded to about three digits, in the unit a person would pick ("1.23s", "250ms").</summary>
    public static string FormatRounded(TimeSpan duration)
    {
        double seconds = Math.Abs(duration.TotalSeconds);
        (double scale, string suffix) = seconds switch
        {
            0 => (1, "s"),
            < 1e-3 => (1e6, "us"),
            < 1 => (1e3, "ms"),
            < 120 => (1, "s"),
            < 7200 => (1 / 60.0, "m"),
            < 172800 => (1 / 3600.0, "h"),
            _ => (1 / 86400.0, "d"),
        };
        double value = duration.TotalSeconds * scale;
        return value.ToString(Math.Abs(value) < 10 ? "0.##" : Math.Abs(value) < 100 ? "0.#" : "0", CultureInfo.InvariantCulture) + suffix;
    }

    /// <summary>Reads a non-negative decimal number with a unit; a bare 0 needs none. False for anything else, including overflow.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out TimeSpan duration)
    {
        duration = TimeSpan.Zero;
        if (text is "0")
        {
            return true;
        }

        foreach ((string suffix, long ticks) in Units)
        {
            if (text.EndsWith(suffix, StringComparison.Ordinal)
                && decimal.TryParse(text[..^suffix.Length], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out decimal number))
            {
                return TryScale(number, ticks, out duration);
            }
        }

        return false;
    }

    private static bool TryScale(decimal number, long ticks, out TimeSpan duration)
    {
        // The largest TimeSpan is under 2^63 ticks; dividing first keeps the product inside decimal's range.
        bool fits = number <= TimeSpan.MaxValue.Ticks / (decimal)ticks;
        duration = fits ? new TimeSpan((long)(number * ticks)) : TimeSpan.Zero;
        return fits;
    }
}
