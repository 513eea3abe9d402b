using System.Numerics;
using System.Runtime.InteropServices;

namespace NodeAgent.Tsdb.Query.Evaluation;

/// <summary>Reductions over values without NaN, and the quantile that windows and aggregations share.</summary>
internal static class Spans
{
    /// <summary>Sum in as many lanes as the machine has, so the rounding differs from a plain loop's in the last bits.</summary>
    public static double Sum(ReadOnlySpan<double> values)
    {
        // The order is part of the files: tiers keep sums, and a tier must say what the samples say to the last bit.
        Vector<double> sums = Vector<double>.Zero;
        ReadOnlySpan<Vector<double>> vectors = MemoryMarshal.Cast<double, Vector<double>>(values);
        foreach (ref readonly Vector<double> vector in vectors)
        {
            sums += vector;
        }

        double sum = Vector.Sum(sums);
        foreach (double value in values[(vectors.Length * Vector<double>.Count)..])
        {
            sum += value;
        }

        return sum;
    }

    /// <summary>Mean; where the sum overflows though no value is infinite, computed step by step.</summary>
    public static double Mean(ReadOnlySpan<double> values)
    {
        double sum = Sum(values);
        if (double.IsFinite(sum))
        {
            return sum / values.Length;
        }

        double mean = 0;
        for (int i = 0; i < values.Length; i++)
        {
            if (!double.IsFinite(values[i]))
            {
                return sum / values.Length;
            }

            mean += (values[i] / (i + 1)) - (mean / (i + 1));
        }

        return mean;
    }

    public static double Min(ReadOnlySpan<double> values)
    {
        Vector<double> lows = new(double.PositiveInfinity);
        ReadOnlySpan<Vector<double>> vectors = MemoryMarshal.Cast<double, Vector<double>>(values);
        foreach (ref readonly Vector<double> vector in vectors)
        {
            lows = Vector.Min(lows, vector);
        }

        double low = double.PositiveInfinity;
        for (int lane = 0; lane < Vector<double>.Count; lane++)
        {
            low = Math.Min(low, lows[lane]);
        }

        foreach (double value in values[(vectors.Length * Vector<double>.Count)..])
        {
            low = Math.Min(low, value);
        }

        return low;
    }

    public static double Max(ReadOnlySpan<double> values)
    {
        Vector<double> highs = new(double.NegativeInfinity);
        ReadOnlySpan<Vector<double>> vectors = MemoryMarshal.Cast<double, Vector<double>>(values);
        foreach (ref readonly Vector<double> vector in vectors)
        {
            highs = Vector.Max(highs, vector);
        }

        double high = double.NegativeInfinity;
        for (int lane = 0; lane < Vector<double>.Count; lane++)
        {
            high = Math.Max(high, highs[lane]);
        }

        foreach (double value in values[(vectors.Length * Vector<double>.Count)..])
        {
            high = Math.Max(high, value);
        }

        return high;
    }

    public static bool ContainsNaN(ReadOnlySpan<double> values)
    {
        ReadOnlySpan<Vector<double>> vectors = MemoryMarshal.Cast<double, Vector<double>>(values);
        foreach (ref readonly Vector<double> vector in vectors)
        {
            if (!Vector.EqualsAll(vector, vector))
            {
                return true;
            }
        }

        foreach (double value in values[(vectors.Length * Vector<double>.Count)..])
        {
            if (double.IsNaN(value))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>
    /// Quantile as Prometheus computes it: rank q (n - 1) in the sorted values, linear between the two neighbours. Sorts in place.
    /// </summary>
    /// <param name="q">0 to 1.</param>
    /// <param name="values">At least one.</param>
    public static double Quantile(double q, Span<double> values)
    {
        values.Sort();
        double rank = q * (values.Length - 1);
        int lower = (int)Math.Floor(rank);
        double weight = rank - lower;

        // On a value exactly there is nothing to interpolate, and an infinite neighbour times zero would give NaN.
        return weight == 0 ? values[lower] : (values[lower] * (1 - weight)) + (values[lower + 1] * weight);
    }
}
