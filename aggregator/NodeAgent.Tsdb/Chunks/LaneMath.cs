using System.Numerics;
using System.Runtime.CompilerServices;

namespace NodeAgent.Tsdb.Chunks;

/// <summary>Loops over integers, as many at a time as the machine has lanes. All arithmetic wraps.</summary>
internal static class LaneMath
{
    /// <summary>Sets <c>into[i] = values[i] - values[i - 1]</c> from i = 1 on.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
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

    /// <summary>From a first value and a first difference in the first two elements, the arithmetic progression.</summary>
    public static void FillSteps(Span<long> into)
    {
        if (into.Length < 2)
        {
            return;
        }

        long first = into[0];
        long step = into[1];
        int i = 0;
        Vector<long> lanes = new Vector<long>(first) + (Vector<long>.Indices * step);
        Vector<long> stride = new(step * Vector<long>.Count);
        for (; i <= into.Length - Vector<long>.Count; i += Vector<long>.Count)
        {
            lanes.CopyTo(into[i..]);
            lanes += stride;
        }

        for (; i < into.Length; i++)
        {
            into[i] = first + (i * step);
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
        ref long start = ref System.Runtime.InteropServices.MemoryMarshal.GetReference(values);
        for (; i <= values.Length - Vector<long>.Count; i += Vector<long>.Count)
        {
            (Vector.LoadUnsafe(ref start, (nuint)i) + addends).StoreUnsafe(ref start, (nuint)i);
        }

        for (; i < values.Length; i++)
        {
            values[i] += addend;
        }
    }

    /// <summary>Smallest and largest; zeros for an empty span.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
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
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static int Width(ReadOnlySpan<long> values)
    {
        (long min, long max) = MinMax(values);
        return BitPacking.WidthOf((ulong)(max - min));
    }
}
