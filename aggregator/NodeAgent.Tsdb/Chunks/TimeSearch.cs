namespace NodeAgent.Tsdb.Chunks;

/// <summary>Binary search in ascending times.</summary>
internal static class TimeSearch
{
    /// <summary>Index of the first time that is not before the given one; the length if there is none.</summary>
    public static int FirstAtOrAfter(ReadOnlySpan<long> times, long unixMs)
    {
        int low = 0;
        int high = times.Length;
        while (low < high)
        {
            int middle = (int)((uint)(low + high) >> 1);
            if (times[middle] < unixMs)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low;
    }

    /// <summary>Index of the first time that is after the given one; the length if there is none.</summary>
    public static int FirstAfter(ReadOnlySpan<long> times, long unixMs) =>
        unixMs == long.MaxValue ? times.Length : FirstAtOrAfter(times, unixMs + 1);

    /// <summary>
    /// Index of the first time after the given one, looked for from an index on by doubling steps: cheap where a cursor moves by one,
    /// logarithmic where it moves far.
    /// </summary>
    public static int SkipThrough(ReadOnlySpan<long> times, int from, long unixMs)
    {
        int at = from;
        int step = 1;
        while (at + step <= times.Length && times[at + step - 1] <= unixMs)
        {
            at += step;
            step <<= 1;
        }

        for (step >>= 1; step > 0; step >>= 1)
        {
            if (at + step <= times.Length && times[at + step - 1] <= unixMs)
            {
                at += step;
            }
        }

        return at;
    }
}
