using System.Globalization;

namespace NodeAgent.Rpc.Wire;

/// <summary>The header grpc-timeout: at most eight digits and one unit of H, M, S, m, u, n.</summary>
internal static class RpcTimeout
{
    private const long MaxValue = 99_999_999;

    /// <summary>The shortest exact form that has at most eight digits; rounded up where none is exact, so that the server never stops
    /// first.</summary>
    internal static string Encode(TimeSpan timeout)
    {
        // Zero is a valid timeout for us but not for every server; a past deadline is caught before anything is sent.
        long ticks = Math.Max(timeout.Ticks, 1);
        if (ticks <= MaxValue / 100)
        {
            return Format(ticks * 100, 'n');
        }

        (long TicksPerUnit, char Unit)[] units =
        [
            (TimeSpan.TicksPerMicrosecond, 'u'), (TimeSpan.TicksPerMillisecond, 'm'), (TimeSpan.TicksPerSecond, 'S'),
            (TimeSpan.TicksPerMinute, 'M'), (TimeSpan.TicksPerHour, 'H'),
        ];
        foreach ((long ticksPerUnit, char unit) in units)
        {
            long value = (ticks - 1) / ticksPerUnit + 1;
            if (value <= MaxValue)
            {
                return Format(value, unit);
            }
        }

        return Format(MaxValue, 'H');
    }

    /// <summary>False when the text is not a timeout. Values beyond <see cref="TimeSpan.MaxValue"/> saturate.</summary>
    internal static bool TryParse(string? text, out TimeSpan timeout)
    {
        timeout = default;
        if (text is null || text.Length is < 2 or > 9)
        {
            return false;
        }

        if (!long.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out long value))
        {
            return false;
        }

        long ticks = text[^1] switch
        {
            'H' => Saturate(value, TimeSpan.TicksPerHour),
            'M' => Saturate(value, TimeSpan.TicksPerMinute),
            'S' => Saturate(value, TimeSpan.TicksPerSecond),
            'm' => Saturate(value, TimeSpan.TicksPerMillisecond),
            'u' => Saturate(value, TimeSpan.TicksPerMicrosecond),
            'n' => (value + 99) / 100,
            _ => -1,
        };
        timeout = new TimeSpan(Math.Max(ticks, 0));
        return ticks >= 0;
    }

    private static long Saturate(long value, long ticksPerUnit) =>
        value > long.MaxValue / ticksPerUnit ? long.MaxValue : value * ticksPerUnit;

    private static string Format(long value, char unit) => value.ToString(CultureInfo.InvariantCulture) + unit;
}
