using System.Globalization;

namespace NodeAgent.Ctl.Text;

/// <summary>Moments as people type them and as every output prints them. Always UTC; milliseconds since 1970.</summary>
internal static class MomentText
{
    private static readonly string[] Forms =
    [
        "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK", "yyyy-MM-dd'T'HH:mmK", "yyyy-MM-dd HH:mm:ss.FFFFFFFK", "yyyy-MM-dd HH:mmK", "yyyy-MM-dd",
    ];

    /// <summary>
    /// <c>now</c>; a duration with or without a minus sign (that long before now: <c>-10m</c>, <c>1h</c>); RFC 3339 or
    /// <c>2026-11-21 09:30</c> (UTC unless it names an offset); seconds or milliseconds since 1970.
    /// </summary>
    public static bool TryParse(string text, DateTimeOffset now, out long unixMs)
    {
        text = text.Trim();
        if (text == "now")
        {
            unixMs = now.ToUnixTimeMilliseconds();
            return true;
        }

        if (DurationText.TryParse(text.TrimStart('-'), out TimeSpan ago))
        {
            unixMs = (now - ago).ToUnixTimeMilliseconds();
            return true;
        }

        if (double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double number) && number < 1e14)
        {
            // Seconds reach 1e11 in the year 5138; milliseconds passed it in 1973.
            unixMs = (long)Math.Round(number < 1e11 ? number * 1000 : number);
            return true;
        }

        bool read = DateTimeOffset.TryParseExact(
            text, Forms, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out DateTimeOffset moment);
        unixMs = read ? moment.ToUnixTimeMilliseconds() : 0;
        return read;
    }

    /// <summary>RFC 3339 with milliseconds. Null for 0, which the contract uses for "none".</summary>
    public static string? Rfc3339(long unixMs) => unixMs == 0 ? null : Format(unixMs, "yyyy-MM-dd'T'HH:mm:ss.fff'Z'");

    /// <summary>Time of day, milliseconds only when asked for.</summary>
    public static string Clock(long unixMs, bool milliseconds = false) =>
        unixMs == 0 ? "-" : Format(unixMs, milliseconds ? "HH:mm:ss.fff" : "HH:mm:ss");

    /// <summary><c>2026-11-21 09:30:00</c>.</summary>
    public static string DateAndClock(long unixMs) => unixMs == 0 ? "-" : Format(unixMs, "yyyy-MM-dd HH:mm:ss");

    private static string Format(long unixMs, string format)
    {
        // A hostile or broken server may send anything; an impossible time is shown as the number it is.
        const long MinUnixMs = -62_135_596_800_000;
        const long MaxUnixMs = 253_402_300_799_999;
        return unixMs is < MinUnixMs or > MaxUnixMs
            ? unixMs.ToString(CultureInfo.InvariantCulture)
            : DateTimeOffset.FromUnixTimeMilliseconds(unixMs).ToString(format, CultureInfo.InvariantCulture);
    }
}
