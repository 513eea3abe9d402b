using System.Globalization;

namespace NodeAgent.Ctl.Text;

/// <summary>Numbers for people: three significant digits and a unit. "-" stands for no value.</summary>
internal static class Human
{
    private static readonly string[] Binary = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    private static readonly string[] Large = ["", "k", "M", "G", "T", "P", "E"];
    private static readonly string[] Small = ["", "m", "µ", "n"];

    /// <summary>What a missing value looks like everywhere.</summary>
    public const string None = "-";

    /// <summary>A value in one of the catalogue's units (<c>bytes</c>, <c>seconds</c>, <c>ratio</c>, …) or a rate of one (<c>bytes_per_second</c>).</summary>
    /// <param name="value">NaN: no value.</param>
    /// <param name="unit">Empty: a plain count.</param>
    /// <param name="metric">Decides what a value in seconds is: a moment (<c>…_time_seconds</c>) or a duration.</param>
    public static string Value(double value, string unit, string? metric = null) => double.IsNaN(value) ? None : unit switch
    {
        "" => Count(value),
        "bytes" => Bytes(value),
        "ratio" => Percent(value),
        "seconds" => IsMoment(value, metric) ? MomentText.DateAndClock((long)(value * 1000)) : Seconds(value),
        "celsius" => Digits(value) + " °C",
        "hertz" => Scaled(value) + "Hz",
        "watts" => Scaled(value) + "W",
        "joules" => Scaled(value) + "J",
        "volts" => Scaled(value) + "V",
        "amperes" => Scaled(value) + "A",
        "bits" => Scaled(value) + "bit",
        // A second per second is a share of the time: busy, waiting, stalled.
        "seconds_per_second" => Percent(value),
        "joules_per_second" => Scaled(value) + "W",
        "per_second" => Count(value) + "/s",
        _ when unit.EndsWith("_per_second", StringComparison.Ordinal) => Value(value, unit[..^"_per_second".Length]) + "/s",
        _ => Count(value) + " " + unit,
    };

    /// <summary><c>512 B</c>, <c>1.2 GiB</c>.</summary>
    public static string Bytes(double value)
    {
        if (double.IsNaN(value)) return None;
        double size = Math.Abs(value);
        int power = 0;
        // 999.5 and not 1024: "1000 KiB" would be wider than every other number.
        while (size >= 999.5 && power < Binary.Length - 1)
        {
            size /= 1024;
            power++;
        }

        string number = Rounded(size, power);
        return $"{Sign(value, number)}{number} {Binary[power]}";
    }

    /// <summary>Bytes for a narrow column: <c>950</c>, <c>24.4K</c>, <c>3.8G</c> (powers of 1024).</summary>
    public static string CompactBytes(double value)
    {
        string[] parts = Bytes(value).Split(' ');
        return parts is [string number, string unit] && unit != "B" ? number + unit[0] : parts[0];
    }

    /// <summary>A plain number: whole ones as they are up to 9,999, then <c>12.3k</c>, <c>4.5M</c>; small ones with three digits.</summary>
    public static string Count(double value)
    {
        if (double.IsNaN(value)) return None;
        if (double.IsInfinity(value)) return value > 0 ? "+Inf" : "-Inf";
        double size = Math.Abs(value);
        if (size < 9_999.5) return value == Math.Truncate(value) ? value.ToString("0", CultureInfo.InvariantCulture) : Digits(value);
        int power = 0;
        while (size >= 999.5 && power < Large.Length - 1)
        {
            size /= 1000;
            power++;
        }

        return (value < 0 ? "-" : "") + Digits(size) + Large[power];
    }

    /// <summary>A share of one: <c>45 %</c>, below ten <c>4.5 %</c>.</summary>
    public static string Percent(double ratio)
    {
        if (double.IsNaN(ratio)) return None;
        double percent = ratio * 100;
        double size = Math.Abs(percent);
        string number = size is 0 or >= 9.95 ? size.ToString("0", CultureInfo.InvariantCulture) : size.ToString("0.0", CultureInfo.InvariantCulture);
        return Sign(percent, number) + number + " %";
    }

    /// <summary>A duration in seconds: <c>340 µs</c>, <c>12 ms</c>, <c>1.5 s</c>, then as an age (<c>2m5s</c>).</summary>
    public static string Seconds(double seconds)
    {
        if (double.IsNaN(seconds)) return None;
        double size = Math.Abs(seconds);
        if (size is < 60 or > 3e9) return Scaled(seconds) + "s";
        return DurationText.Short(TimeSpan.FromSeconds(seconds));
    }

    /// <summary>How long ago, never negative: a clock that is ahead by a little must not print "-0.2s".</summary>
    public static string Age(double milliseconds) => double.IsNaN(milliseconds)
        ? None
        : DurationText.Short(TimeSpan.FromMilliseconds(Math.Max(0, Math.Min(milliseconds, 1e15))));

    /// <summary>Whole numbers with thousands separators, where every digit counts.</summary>
    public static string Grouped(ulong value) => value.ToString("#,0", CultureInfo.InvariantCulture);

    private static bool IsMoment(double value, string? metric) =>
        value is > 1e9 and < 1e11 && metric is not null
        && (metric.EndsWith("_time_seconds", StringComparison.Ordinal) || metric.EndsWith("_timestamp_seconds", StringComparison.Ordinal));

    /// <summary>Number, space, SI prefix: the unit's symbol follows directly.</summary>
    private static string Scaled(double value)
    {
        if (double.IsInfinity(value)) return (value > 0 ? "+Inf" : "-Inf") + " ";
        double size = Math.Abs(value);
        string sign = value < 0 ? "-" : "";
        if (size is 0) return "0 ";
        int power = 0;
        if (size >= 1)
        {
            while (size >= 999.5 && power < Large.Length - 1) (size, power) = (size / 1000, power + 1);
            return $"{sign}{Digits(size)} {Large[power]}";
        }

        while (size < 0.9995 && power < Small.Length - 1) (size, power) = (size * 1000, power + 1);
        return $"{sign}{Digits(size)} {Small[power]}";
    }

    // One decimal below a hundred, so that a column of sizes lines up.
    private static string Rounded(double size, int power) =>
        size.ToString(power == 0 || size >= 99.95 ? "0" : "0.0", CultureInfo.InvariantCulture);

    // Three significant digits without trailing zeros after a whole number: 0.012, 1.5, 12.3, 123.
    private static string Digits(double value)
    {
        double size = Math.Abs(value);
        string text = size switch
        {
            0 => "0",
            >= 99.95 => value.ToString("0", CultureInfo.InvariantCulture),
            >= 9.995 => value.ToString("0.#", CultureInfo.InvariantCulture),
            >= 0.9995 => value.ToString("0.##", CultureInfo.InvariantCulture),
            >= 0.0001 => value.ToString("0.####", CultureInfo.InvariantCulture),
            _ => value.ToString("0.##E0", CultureInfo.InvariantCulture),
        };
        return text;
    }

    private static string Sign(double value, string number) => value < 0 && number.AsSpan().ContainsAnyExcept("0.") ? "-" : "";
}
