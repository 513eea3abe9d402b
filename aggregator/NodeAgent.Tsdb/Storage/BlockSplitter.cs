using NodeAgent.Tsdb.Chunks;
using NodeAgent.Tsdb.Head;

namespace NodeAgent.Tsdb.Storage;

/// <summary>
/// Windows of time. A window holds the rows with <c>start &lt; time &lt;= end</c>, like a query's, so that minutes and hours never lie in two.
/// </summary>
internal static class Windows
{
    /// <summary>Start of the window that a time is in.</summary>
    public static long StartOf(long unixMs, long windowMs)
    {
        long last = unixMs - 1;
        long rest = last % windowMs;
        return last - (rest < 0 ? rest + windowMs : rest);
    }
}

/// <summary>Cuts a block where a window of time ends: once in two hours for each schema, and for late rows.</summary>
internal static class BlockSplitter
{
    public static IEnumerable<(long WindowStart, Block Block)> Split(Block block, int columns, uint[] scales, long windowMs)
    {
        long start = Windows.StartOf(block.FirstUnixMs, windowMs);
        if (block.LastUnixMs <= start + windowMs)
        {
            return [(start, block)];
        }

        return Cut(block, Decode(block, columns), scales, windowMs);
    }

    private static List<(long WindowStart, Block Block)> Cut(Block block, Rows rows, uint[] scales, long windowMs)
    {
        List<(long, Block)> pieces = [];
        for (int first = 0; first < block.Rows;)
        {
            long start = Windows.StartOf(rows.Times[first], windowMs);
            int end = TimeSearch.FirstAfter(rows.Times.AsSpan(0, block.Rows), start + windowMs);
            Rows piece = rows.CopyRange(first, end);
            pieces.Add((start, BlockEncoder.OfThread.Encode(piece, end - first, scales, block.WalIds)));
            first = end;
        }

        return pieces;
    }

    private static Rows Decode(Block block, int columns)
    {
        Rows rows = new(block.Rows, columns);
        ChunkReader reader = new(block.TimeColumn);
        IntegerCodec.Decode(ref reader, rows.Times);
        using SampleBuffer samples = new();
        for (int column = 0; column < columns; column++)
        {
            samples.Clear();
            block.Read(column, long.MinValue, long.MaxValue, samples);
            int row = 0;
            for (int i = 0; i < samples.Count; i++)
            {
                for (; rows.Times[row] != samples.Times[i]; row++)
                {
                    // Rows ascend strictly, so the next sample's row lies ahead.
                }

                rows.Put(row, column, samples.Values[i]);
            }
        }

        return rows;
    }
}
