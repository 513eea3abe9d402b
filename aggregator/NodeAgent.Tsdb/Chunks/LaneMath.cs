using System.Numerics;

namespace NodeAgent.Tsdb.Chunks;

/// <summary>Loops over integers, as many at a time as the machine has lanes. All arithmetic wraps.</summary>
internal static class LaneMath
{
    /// <summary>Sets <c>into[i] = values[i] - values[i - 1]</c> from i = 1 on.</summary>
    public static void Differences(ReadOnlySpan<long> values, Span<long> into)
    {
        int i = 1;
        for (; i <= values.Length - Vector<long>.Count; i += Vector<long>.Count)
        {
            (new Vector<long>(values[i..]) - new Vector<long>(values[(i - 1)..])).CopyTo(into[i..]);
        }

        for (; i < values.Length; i++)
        {
            into[i] = values[i] - values[i - 1];
        }
    }

    public static void AddToAll(Span<long> values, long addend)
    {
        if (addend == 0)
        {
            return;
        }

        int i = 0;
        Vector<long> addends = new(addend);
        for (; i <= values.Length - Vector<long>.Count; i += Vector<long>.Count)
        {
            (new Vector<long>(values[i..]) + addends).CopyTo(values[i..]);
        }

        for (; i < values.Length; i++)
        {
            values[i] += addend;
        }
    }

    /// <summary>Smallest and largest; zeros for an empty span.</summary>
    public static (long Min, long Max) MinMax(ReadOnlySpan<long> values)
    {
        if (values.IsEmpty)
        {
            return (0, 0);
        }

        long min = values[0];
        long max = values[0];
        int i = 0;
        if (values.Length >= Vector<long>.Count)
        {
            Vector<long> mins = new(min);
            Vector<long> maxs = new(max);
            for (; i <= values.Length - Vector<long>.Count; i += Vector<long>.Count)
            {
                Vector<long> lanes = new(values[i..]);
                mins = Vector.Min(mins, lanes);
                maxs = Vector.Max(maxs, lanes);
            }

            for (int lane = 0; lane < Vector<long>.Count; lane++)
            {
                min = Math.Min(min, mins[lane]);
                max = Math.Max(max, maxs[lane]);
            }
        }

        for (; i < values.Length; i++)
        {
            min = Math.Min(min, values[i]);
            max = Math.Max(max, values[i]);
        }

        return (min, max);
    }

    /// <summary>Bits that each number needs above the smallest.</summary>
    public static int Width(ReadOnlySpan<long> values)
    {
        (long min, long max) = MinMax(values);
        return BitPacking.WidthOf((ulong)(max - min));
    }
}
