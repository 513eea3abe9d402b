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
    /// <param name="walIds">Ids of the log records that the rows came with.</param>
    public Block(byte[] bytes, int[] ends, int rows, int samples, long firstUnixMs, long lastUnixMs, WalRange walIds)
    {
        _bytes = bytes;
        _ends = ends;
        Rows = rows;
        Samples = samples;
        FirstUnixMs = firstUnixMs;
        LastUnixMs = lastUnixMs;
        WalIds = walIds;
    }

    public int Rows { get; }

    public int Samples { get; }

    public long FirstUnixMs { get; }

    public long LastUnixMs { get; }

    public WalRange WalIds { get; }

    /// <summary>The encoded time column.</summary>
    public ReadOnlySpan<byte> TimeColumn => _bytes.AsSpan(0, _ends[0]);

    /// <summary>A series' encoded column; empty where it has no value in these rows.</summary>
    public ReadOnlySpan<byte> ValueColumn(int column) => _bytes.AsSpan(_ends[column].._ends[column + 1]);

    /// <summary>
    /// Memory: the two arrays with their headers, this object, and its places in the schema's list and the retention queue.
    /// </summary>
    public int Bytes => _bytes.Length + (_ends.Length * sizeof(int)) + 160;

    /// <summary>Appends the samples of a column whose time is in the range, in order.</summary>
    public void Read(int column, long fromUnixMs, long toUnixMs, SampleBuffer buffer)
    {
        ReadOnlySpan<byte> chunk = _bytes.AsSpan(_ends[column].._ends[column + 1]);
        if (chunk.IsEmpty)
        {
            return;
        }

        buffer.Tail(Rows, out Span<long> times, out Span<double> values);
        ChunkReader timeReader = new(TimeColumn);
        IntegerCodec.Decode(ref timeReader, times);
        buffer.Commit(ColumnCodec.Decode(chunk, times, values, fromUnixMs, toUnixMs));
    }
}
