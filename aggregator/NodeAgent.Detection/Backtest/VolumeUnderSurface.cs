namespace NodeAgent.Detection.Backtest;

/// <summary>
/// VUS-PR and plain AUC-PR. VUS-PR (Paparrizos et al., PVLDB 15(11), 2022) averages the range-based area under precision and recall over
/// label borders widened by 0 to L rows, so that neither a threshold nor an offset of a few rows decides. Parameters as in TSB-AD (250
/// thresholds, L = 2 x the period of the first metric), whose published values this reproduces.
/// </summary>
public static class VolumeUnderSurface
{
    private const int Thresholds = 250;
    private const int FallbackPeriod = 125; // TSB-AD, slidingWindows.py
    private const int MaxLag = 400;
    private const int SkippedLags = 3;
    private const int PeriodRows = 20_000;

    /// <summary>The strongest local maximum of the autocorrelation, in rows; 125 where there is none between 3 and 300.</summary>
    public static int PeriodOf(ReadOnlySpan<double> values)
    {
        ReadOnlySpan<double> head = values[..Math.Min(PeriodRows, values.Length)];
        double mean = 0;
        foreach (double value in head)
        {
            mean += value / head.Length;
        }

        double[] correlation = new double[Math.Min(MaxLag, head.Length - 1) + 1 - SkippedLags];
        for (int at = 0; at < correlation.Length; at++)
        {
            int lag = at + SkippedLags;
            for (int row = lag; row < head.Length; row++)
            {
                correlation[at] += (head[row] - mean) * (head[row - lag] - mean);
            }
        }

        int best = -1;
        for (int at = 1; at < correlation.Length - 1; at++)
        {
            bool peak = correlation[at] > correlation[at - 1] && correlation[at] > correlation[at + 1];
            best = peak && (best < 0 || correlation[at] > correlation[best]) ? at : best;
        }

        return best is < 3 or > 300 ? FallbackPeriod : best + SkippedLags;
    }

    /// <summary>VUS-PR of a score, 0 to 1.</summary>
    /// <param name="labels">True where an anomaly is labelled; at least one.</param>
    /// <param name="scores">Higher: more anomalous.</param>
    /// <param name="period">See <see cref="PeriodOf"/>.</param>
    public static double PrecisionRecall(ReadOnlySpan<bool> labels, ReadOnlySpan<float> scores, int period)
    {
        int widest = 2 * period;
        float[] sorted = scores.ToArray();
        Array.Sort(sorted);
        Array.Reverse(sorted);
        float[] levels = new float[Thresholds];
        int[] predicted = new int[Thresholds];
        for (int level = 0; level < Thresholds; level++)
        {
            levels[level] = sorted[(int)((double)level * (sorted.Length - 1) / (Thresholds - 1))];
        }

        int[] firstLevel = new int[scores.Length];
        for (int row = 0; row < scores.Length; row++)
        {
            firstLevel[row] = FirstLevel(levels, scores[row]);
            if (firstLevel[row] < Thresholds)
            {
                predicted[firstLevel[row]]++;
            }
        }

        for (int level = 1; level < Thresholds; level++)
        {
            predicted[level] += predicted[level - 1];
        }

        List<(int First, int Last)> ranges = Ranges(labels);
        double sum = 0;
        for (int width = 0; width <= widest; width++)
        {
            sum += Area(labels.Length, ranges, firstLevel, predicted, width);
        }

        return sum / (widest + 1);
    }

    /// <summary>Area under precision and recall as average precision; ties count as one threshold.</summary>
    public static double AveragePrecision(ReadOnlySpan<bool> labels, ReadOnlySpan<float> scores)
    {
        float[] keys = scores.ToArray();
        int[] rows = [.. Enumerable.Range(0, keys.Length)];
        Array.Sort(keys, rows);
        int positives = 0;
        foreach (bool label in labels)
        {
            positives += label ? 1 : 0;
        }

        double area = 0;
        int hits = 0, taken = 0, before = 0;
        for (int at = rows.Length - 1; at >= 0; at--)
        {
            hits += labels[rows[at]] ? 1 : 0;
            taken++;
            if (at == 0 || keys[at - 1] != keys[at])
            {
                area += (double)(hits - before) / positives * hits / taken;
                before = hits;
            }
        }

        return area;
    }

    /// <summary>First and last row of each run of labels.</summary>
    public static List<(int First, int Last)> Ranges(ReadOnlySpan<bool> labels)
    {
        var ranges = new List<(int, int)>();
        for (int row = 0; row < labels.Length; row++)
        {
            if (labels[row])
            {
                int first = row;
                while (row + 1 < labels.Length && labels[row + 1])
                {
                    row++;
                }

                ranges.Add((first, row));
            }
        }

        return ranges;
    }

    private static int FirstLevel(float[] levels, float score)
    {
        int low = 0, high = levels.Length;
        while (low < high)
        {
            int middle = (low + high) / 2;
            (low, high) = levels[middle] <= score ? (low, middle) : (middle + 1, high);
        }

        return low;
    }

    // One width of the borders: what each level newly takes of the widened labels, then summed from the strictest level down.
    private static double Area(int rows, List<(int First, int Last)> ranges, int[] firstLevel, int[] predicted, int width)
    {
        double[] inside = new double[Thresholds + 1];
        double[] border = new double[Thresholds + 1];
        int[] touched = new int[Thresholds + 1];
        int positives = 0, regions = 0;
        int half = width / 2;
        int at = 0;
        while (at < ranges.Count)
        {
            int from = Math.Max(ranges[at].First - half, 0);
            int last = at;
            while (last + 1 < ranges.Count && ranges[last].Last + half >= ranges[last + 1].First - half)
            {
                last++;
            }

            int to = Math.Min(ranges[last].Last + half, rows - 1);
            int earliest = Thresholds;
            for (int row = from, range = at; row <= to; row++)
            {
                while (range < last && row >= ranges[range + 1].First)
                {
                    range++;
                }

                earliest = Math.Min(earliest, firstLevel[row]);
                if (row >= ranges[range].First && row <= ranges[range].Last)
                {
                    inside[firstLevel[row]]++;
                    positives++;
                }
                else
                {
                    border[firstLevel[row]] += BorderWeight(ranges, range, row, width, half);
                }
            }

            touched[earliest]++;
            regions++;
            at = last + 1;
        }

        double hits = 0, soft = 0, area = 0, recallBefore = 0;
        int found = 0;
        for (int level = 0; level < Thresholds; level++)
        {
            hits += inside[level] + border[level];
            soft += border[level];
            found += touched[level];
            double recall = Math.Min(hits / ((positives + positives + soft) / 2), 1) * found / regions;
            area += (recall - recallBefore) * hits / predicted[level];
            recallBefore = recall;
        }

        return area;
    }

    // Borders of neighbours add up, and never beyond 1.
    private static double BorderWeight(List<(int First, int Last)> ranges, int range, int row, int width, int half)
    {
        double weight = 0;
        for (int near = Math.Max(range - 1, 0); near <= Math.Min(range + 1, ranges.Count - 1); near++)
        {
            int away = row < ranges[near].First ? ranges[near].First - row : row - ranges[near].Last;
            weight += away > 0 && away <= half ? Math.Sqrt(1 - ((double)away / width)) : 0;
        }

        return Math.Min(weight, 1);
    }
}
