using System.Globalization;

namespace NodeAgent.Tsdb.Query;

/// <summary>Durations as Prometheus writes them: <c>500ms</c>, <c>5m</c>, <c>2h30m</c>, <c>1d</c>; units from large to small, each once.</summary>
public static class QueryDuration
{
    private static readonly (string Unit, long Ms)[] Units =
    [
        ("y", 365L * 86_400_000), ("w", 7L * 86_400_000), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1),
    ];

    /// <summary>Parses a duration of at most 100 years.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out long ms)
    {
        ms = 0;
        int nextUnit = 0;
        bool any = false;
        while (!text.IsEmpty)
        {
            int digits = text.IndexOfAnyExceptInRange('0', '9');
            if (digits <= 0 || !long.TryParse(text[..digits], NumberStyles.None, CultureInfo.InvariantCulture, out long count) || count > 3_200_000_000_000)
            {
                return false;
            }

            text = text[digits..];
            int letters = text.IndexOfAnyInRange('0', '9');
            ReadOnlySpan<char> name = letters < 0 ? text : text[..letters];
            int unit = nextUnit;
            while (unit < Units.Length && !name.SequenceEqual(Units[unit].Unit))
            {
                unit++;
            }

            if (unit == Units.Length || count > (Units[0].Ms * 100) / Units[unit].Ms)
            {
                return false;
            }

            ms += count * Units[unit].Ms;
            nextUnit = unit + 1;
            text = text[name.Length..];
            any = true;
        }

        return any && ms <= Units[0].Ms * 100;
    }

    /// <summary>The shortest text that parses to the duration.</summary>
    public static string Format(long ms)
    {
        if (ms == 0)
        {
            return "0s";
        }

        string text = "";
        foreach ((string unit, long length) in Units)
        {
            if (unit is "y" or "w" || ms < length)
            {
                continue;
            }

            text += (ms / length).ToString(CultureInfo.InvariantCulture) + unit;
            ms %= length;
        }

        return text;
    }
}
