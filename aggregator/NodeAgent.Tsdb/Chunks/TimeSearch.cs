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
}
