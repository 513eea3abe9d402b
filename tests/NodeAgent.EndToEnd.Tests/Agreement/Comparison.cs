using System.Text;

namespace NodeAgent.EndToEnd.Tests.Agreement;

/// <summary>
/// Two readings of another reader around one of ours. A counter must lie between them. A gauge that did not move between them must
/// be the same; one that moved may lie anywhere near, within what it moved and a part of its size.
/// </summary>
internal sealed class Comparison
{
    // A gauge that swings (committed memory while nodectl runs to read ours) can leave the two outer readings and come back in between. A third
    // of its size still tells a wrong column, a wrong unit or a missing factor of 1,024; the golden tests pin the exact values.
    private const double GaugeSlack = 0.3;

    internal int Compared { get; private set; }

    internal List<string> WrongTypes { get; } = [];

    internal List<string> Disagreements { get; } = [];

    internal SortedSet<string> Names { get; } = new(StringComparer.Ordinal);

    internal static Comparison Of(
        PrometheusText before, IReadOnlyDictionary<string, (double Value, string Kind)> ours, PrometheusText after, IReadOnlyList<string> apart)
    {
        Comparison result = new();
        foreach ((string series, (double value, string kind)) in ours)
        {
            string name = PrometheusText.NameOf(series);
            if (apart.Any(prefix => name.StartsWith(prefix, StringComparison.Ordinal))
                || !before.Values.TryGetValue(series, out double first) || !after.Values.TryGetValue(series, out double last))
            {
                continue;
            }

            result.Compared++;
            result.Names.Add(name);
            string type = before.Types.GetValueOrDefault(name, "untyped");
            if (type != kind && type != "untyped")
            {
                result.WrongTypes.Add($"{name}: ours {kind}, theirs {type}");
            }

            if (!Agrees(kind == "counter", first, value, last))
            {
                result.Disagreements.Add($"{series}: ours {value:R}, theirs {first:R} before and {last:R} after");
            }
        }

        return result;
    }

    public override string ToString()
    {
        StringBuilder text = new($"{Compared} series of {Names.Count} metrics compared, {WrongTypes.Count} types and {Disagreements.Count} values differ");
        return text.ToString();
    }

    private static bool Agrees(bool isCounter, double first, double value, double last)
    {
        // Declared resolutions round in the last place.
        double rounding = Math.Max(1e-6, Math.Abs(value) * 1e-9);
        double low = Math.Min(first, last) - rounding;
        double high = Math.Max(first, last) + rounding;
        if (value >= low && value <= high)
        {
            return true;
        }

        // A counter of hundredths may be a tick behind; a wobbling gauge may have been elsewhere in between.
        double slack = isCounter ? 0.02 : Math.Max(Math.Abs(last - first), Math.Max(Math.Abs(first), Math.Abs(last)) * GaugeSlack) + 2;
        return value >= low - slack && value <= high + slack;
    }
}
