using System.Numerics;

namespace NodeAgent.Tsdb.Chunks;

/// <summary>
/// Consecutive rows of one schema, compressed column by column, immutable. The time stamps are one column that all series share.
/// Column layout: nothing at all where the series has no value in these rows; else 0 and the values, or 1, a bitmap of the rows
/// that have one, and the values of those.
/// </summary>
internal sealed class Block
{
    private readonly byte[] _bytes;
    private readonly int[] _ends;

    /// <param name="bytes">The time column, then the series' columns.</param>
    /// <param name="ends">End of the time column, then of each series' column.</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="samples">Values over all columns.</param>
    /// <param name="firstUnixMs">Time of the first row.</param>
    /// <param name="lastUnixMs">Time of the last row.</param>
    public Block(byte[] bytes, int[] ends, int rows, int samples, long firstUnixMs, long lastUnixMs)
    {
        _bytes = bytes;
        _ends = ends;
        Rows = rows;
        Samples = samples;
        FirstUnixMs = firstUnixMs;
        LastUnixMs = lastUnixMs;
    }

    public int Rows { get; }

    public int Samples { get; }

    public long FirstUnixMs { get; }

    public long LastUnixMs { get; }

    /// <summary>Memory: the two arrays with their headers, this object, and its places in the schema's list and the retention queue.</summary>
    public int Bytes => _bytes.Length + (_ends.Length * sizeof(int)) + 160;

    /// <summary>Appends the samples of a column whose time is in the range, in order.</summary>
    public void Read(int column, long fromUnixMs, long toUnixMs, SampleBuffer buffer)
    {
        ReadOnlySpan<byte> chunk = _bytes.AsSpan(_ends[column].._ends[column + 1]);
        if (chunk.IsEmpty)
        {
            return;
        }

        (Memory<long> timeTail, Memory<double> valueTail) = buffer.Tail(Rows);
        Span<long> times = timeTail.Span;
        ChunkReader timeReader = new(_bytes.AsSpan(0, _ends[0]));
        IntegerCodec.Decode(ref timeReader, times);

        ChunkReader reader = new(chunk);
        int count = Rows;
        if (reader.ReadByte() != 0)
        {
            count = KeepPresent(reader.Take((Rows + 7) >> 3), times);
        }

        Span<double> values = valueTail.Span[..count];
        ValueCodec.Decode(ref reader, values);
        buffer.Commit(KeepRange(times[..count], values, fromUnixMs, toUnixMs));
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
