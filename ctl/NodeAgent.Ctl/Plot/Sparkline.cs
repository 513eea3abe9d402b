namespace NodeAgent.Ctl.Plot;

/// <summary>A row of block characters, one a bucket, eight heights between the smallest and the largest value.</summary>
internal static class Sparkline
{
    private const string Blocks = "▁▂▃▄▅▆▇█";

    /// <summary>What a bucket without any value shows.</summary>
    public const char Gap = ' ';

    /// <param name="values">In time order; null: no value.</param>
    /// <param name="width">Characters; values are averaged into this many buckets, or shown one a character when they are fewer.</param>
    public static string Render(IReadOnlyList<double?> values, int width)
    {
        double?[] buckets = Buckets(values, Math.Min(width, values.Count));
        double low = double.PositiveInfinity;
        double high = double.NegativeInfinity;
        foreach (double? bucket in buckets)
        {
            if (bucket is not { } value) continue;
            low = Math.Min(low, value);
            high = Math.Max(high, value);
        }

        return Render(buckets, low, high);
    }

    /// <summary>With a scale of its own: a share of one is drawn from 0 to 1, so that rows can be compared.</summary>
    public static string Render(IReadOnlyList<double?> buckets, double low, double high)
    {
        char[] line = new char[buckets.Count];
        for (int i = 0; i < line.Length; i++) line[i] = buckets[i] is { } value ? Block(value, low, high) : Gap;
        return new string(line);
    }

    /// <summary>Means of equal stretches; a stretch without a value stays empty.</summary>
    public static double?[] Buckets(IReadOnlyList<double?> values, int count)
    {
        double?[] buckets = new double?[Math.Max(0, count)];
        for (int bucket = 0; bucket < buckets.Length; bucket++)
        {
            int from = (int)((long)bucket * values.Count / count);
            int to = Math.Max(from + 1, (int)((long)(bucket + 1) * values.Count / count));
            double sum = 0;
            int present = 0;
            for (int i = from; i < to; i++)
            {
                if (values[i] is not { } value) continue;
                sum += value;
                present++;
            }

            buckets[bucket] = present == 0 ? null : sum / present;
        }

        return buckets;
    }

    private static char Block(double value, double low, double high)
    {
        // A flat line is drawn at the bottom: there is nothing to see, and half height would look like a level.
        if (!(high > low)) return Blocks[0];
        double share = Math.Clamp((value - low) / (high - low), 0, 1);
        return Blocks[Math.Min(Blocks.Length - 1, (int)(share * Blocks.Length))];
    }
}
