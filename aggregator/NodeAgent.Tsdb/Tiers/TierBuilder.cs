using NodeAgent.Tsdb.Query.Evaluation;
using NodeAgent.Tsdb.Storage;

namespace NodeAgent.Tsdb.Tiers;

/// <summary>Turns samples into rows of a tier.</summary>
internal static class TierBuilder
{
    /// <summary>Beyond this many units a double no longer tells neighbouring integers apart, so there is nothing to round to.</summary>
    private const double ExactUnits = 1L << 52;

    /// <summary>Appends the rows of some samples. Returns whether any sample was NaN (those are left out).</summary>
    /// <param name="times">Ascending.</param>
    /// <param name="values">By time.</param>
    /// <param name="bucketMs">Length of a bucket.</param>
    /// <param name="scale">All values are whole numbers of 1/scale, and so is their sum, which is rounded to it; 0: they are not.</param>
    /// <param name="into">Receives the rows.</param>
    public static bool Build(ReadOnlySpan<long> times, ReadOnlySpan<double> values, long bucketMs, long scale, TierBuffer into)
    {
        bool anyNaN = false;
        for (int start = 0; start < times.Length;)
        {
            long end = Windows.StartOf(times[start], bucketMs) + bucketMs;
            int next = Chunks.TimeSearch.SkipThrough(times, start, end);
            ReadOnlySpan<double> bucket = values[start..next];
            if (Spans.ContainsNaN(bucket))
            {
                anyNaN = true;
                AddWithoutNaN(times[start..next], bucket, end, scale, into);
            }
            else
            {
                Add(times[start..next], bucket, end, scale, into);
            }

            start = next;
        }

        return anyNaN;
    }

    private static void Add(ReadOnlySpan<long> times, ReadOnlySpan<double> values, long end, long scale, TierBuffer into)
    {
        ref TierRow row = ref into.Add();
        row.EndUnixMs = end;
        row.FirstUnixMs = times[0];
        row.LastUnixMs = times[^1];
        row.Count = values.Length;
        row.Min = Spans.Min(values);
        row.Max = Spans.Max(values);
        row.Sum = Rounded(Spans.Sum(values), scale);
        row.First = values[0];
        row.Last = values[^1];
        row.Resets = ResetsOf(values);
    }

    private static void AddWithoutNaN(ReadOnlySpan<long> times, ReadOnlySpan<double> values, long end, long scale, TierBuffer into)
    {
        long[] keptTimes = new long[times.Length];
        double[] kept = new double[times.Length];
        int count = 0;
        for (int i = 0; i < times.Length; i++)
        {
            if (!double.IsNaN(values[i]))
            {
                keptTimes[count] = times[i];
                kept[count++] = values[i];
            }
        }

        if (count > 0)
        {
            Add(keptTimes.AsSpan(0, count), kept.AsSpan(0, count), end, scale, into);
        }
    }

    private static double Rounded(double sum, long scale)
    {
        double units = sum * scale;
        return scale > 0 && Math.Abs(units) < ExactUnits ? Math.Round(units) / scale : sum;
    }

    private static double ResetsOf(ReadOnlySpan<double> values)
    {
        double resets = 0;
        for (int i = 1; i < values.Length; i++)
        {
            resets += values[i] < values[i - 1] ? values[i - 1] : 0;
        }

        return resets;
    }
}
