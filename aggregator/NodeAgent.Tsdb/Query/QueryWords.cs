namespace NodeAgent.Tsdb.Query;

/// <summary>The names of the expression language and what they stand for. A new function gets its line here, its formula in <see cref="WindowMath"/>.</summary>
internal static class QueryWords
{
    public static IReadOnlyDictionary<string, WindowFunction> Functions { get; } = new Dictionary<string, WindowFunction>(StringComparer.Ordinal)
    {
        ["rate"] = WindowFunction.Rate,
        ["increase"] = WindowFunction.Increase,
        ["delta"] = WindowFunction.Delta,
        ["avg_over_time"] = WindowFunction.Avg,
        ["min_over_time"] = WindowFunction.Min,
        ["max_over_time"] = WindowFunction.Max,
        ["sum_over_time"] = WindowFunction.Sum,
        ["count_over_time"] = WindowFunction.Count,
        ["quantile_over_time"] = WindowFunction.Quantile,
        ["last_over_time"] = WindowFunction.Last,
    };

    public static IReadOnlyDictionary<string, Aggregation> Aggregations { get; } = new Dictionary<string, Aggregation>(StringComparer.Ordinal)
    {
        ["sum"] = Aggregation.Sum,
        ["avg"] = Aggregation.Avg,
        ["min"] = Aggregation.Min,
        ["max"] = Aggregation.Max,
        ["count"] = Aggregation.Count,
        ["stddev"] = Aggregation.StdDev,
        ["quantile"] = Aggregation.Quantile,
    };

    public static IReadOnlyDictionary<string, Ranking> Rankings { get; } = new Dictionary<string, Ranking>(StringComparer.Ordinal)
    {
        ["topk"] = Ranking.Top,
        ["bottomk"] = Ranking.Bottom,
    };

    public static bool IsGrouping(string name) => name is "by" or "without";

    /// <summary>The known name nearest to a misspelt one; null if none is near.</summary>
    public static string? Nearest(string name)
    {
        string? best = null;
        int bestDistance = 3; // two slips are a typing error, three are another word
        foreach (string known in Functions.Keys.Concat(Aggregations.Keys).Concat(Rankings.Keys))
        {
            int distance = Distance(name, known);
            if (distance < bestDistance && distance < known.Length - 1)
            {
                best = known;
                bestDistance = distance;
            }
        }

        return best;
    }

    /// <summary>Levenshtein distance.</summary>
    private static int Distance(string left, string right)
    {
        int[] row = [.. Enumerable.Range(0, right.Length + 1)];
        for (int i = 1; i <= left.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= right.Length; j++)
            {
                int change = diagonal + (left[i - 1] == right[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(change, Math.Min(row[j], row[j - 1]) + 1);
            }
        }

        return row[^1];
    }
}
