using System.Numerics;

namespace NodeAgent.Tsdb.Chunks;

/// <summary>
/// One series' values over the rows of one time column: nothing at all where it has none; else 0 and the values, or 1, a bitmap of the
/// rows that have one, and the values of those.
/// </summary>
internal static class ColumnCodec
{
    /// <summary>Whether every row has a value.</summary>
    public static bool IsWhole(ReadOnlySpan<byte> chunk) => chunk[0] == 0;

    /// <summary>Decodes a column in which every row has a value.</summary>
    public static void DecodeWhole(ReadOnlySpan<byte> chunk, Span<double> values)
    {
        ChunkReader reader = new(chunk[1..]);
        ValueCodec.Decode(ref reader, values);
    }

    /// <summary>Decodes what lies in a time range to the front of both spans; returns how much that is.</summary>
    /// <param name="chunk">The encoded column; not empty.</param>
    /// <param name="times">The times of all rows; overwritten.</param>
    /// <param name="values">As long as the times.</param>
    /// <param name="fromUnixMs">Oldest time wanted.</param>
    /// <param name="toUnixMs">Newest time wanted.</param>
    public static int Decode(ReadOnlySpan<byte> chunk, Span<long> times, Span<double> values, long fromUnixMs, long toUnixMs)
    {
        ChunkReader reader = new(chunk);
        int count = times.Length;
        if (reader.ReadByte() != 0)
        {
            count = KeepPresent(reader.Take((count + 7) >> 3), times);
        }

        values = values[..count];
        ValueCodec.Decode(ref reader, values);
        return KeepRange(times[..count], values, fromUnixMs, toUnixMs);
    }

    /// <summary>Moves the times of present rows to the front; returns how many there are.</summary>
    private static int KeepPresent(ReadOnlySpan<byte> bitmap, Span<long> times)
    {
        int kept = 0;
        for (int at = 0; at < bitmap.Length; at++)
        {
            for (uint bits = bitmap[at]; bits != 0; bits &= bits - 1)
            {
                times[kept++] = times[(at << 3) + BitOperations.TrailingZeroCount(bits)];
            }
        }

        return kept;
    }

    /// <summary>Moves what is in the range to the front; returns how much that is.</summary>
    private static int KeepRange(Span<long> times, Span<double> values, long fromUnixMs, long toUnixMs)
    {
        int start = times.Length > 0 && times[0] < fromUnixMs ? TimeSearch.FirstAtOrAfter(times, fromUnixMs) : 0;
        int end = times.Length > 0 && times[^1] > toUnixMs ? TimeSearch.FirstAfter(times, toUnixMs) : times.Length;
        if (end <= start)
        {
            return 0;
        }

        if (start > 0)
        {
            times[start..end].CopyTo(times);
            values[start..end].CopyTo(values);
        }

        return end - start;
    }
}
