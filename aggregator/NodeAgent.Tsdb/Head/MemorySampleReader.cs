using NodeAgent.Tsdb.Chunks;

namespace NodeAgent.Tsdb.Head;

/// <summary>
/// Reads series out of blocks and heads. Each block and head gives a run of ascending times; runs are collected in the order in
/// which they were written and merged only where they overlap, the later one winning where times are equal.
/// </summary>
internal sealed class MemorySampleReader : ISampleReader
{
    private readonly SchemaSnapshot _snapshot = new();
    private readonly RunMerge _runs = new();

    public void Read(SeriesInfo series, long fromUnixMs, long toUnixMs, SampleBuffer buffer)
    {
        _runs.Clear();
        foreach (MemorySeries.Column column in ((MemorySeries)series).Columns)
        {
            column.Schema.Snapshot(column.Index, fromUnixMs, toUnixMs, _snapshot);
            AddBlocks(_snapshot.MainBlocks, column.Index, fromUnixMs, toUnixMs, buffer);
            AddHead(_snapshot.MainHead, buffer);
            AddBlocks(_snapshot.LateBlocks, column.Index, fromUnixMs, toUnixMs, buffer);
            AddHead(_snapshot.LateHead, buffer);
        }

        _runs.Finish(buffer);
    }

    public bool TryReadNewest(SeriesInfo series, long toUnixMs, out long unixMs, out double value)
    {
        // Nearly always within staleness; only a series that went silent makes the second look at everything that is held.
        using SampleBuffer buffer = new();
        Read(series, toUnixMs - Math.Min(series.StaleMs, toUnixMs - long.MinValue), toUnixMs, buffer);
        if (buffer.Count == 0)
        {
            Read(series, long.MinValue, toUnixMs, buffer);
        }

        bool found = buffer.Count > 0;
        unixMs = found ? buffer.Times[^1] : 0;
        value = found ? buffer.Values[^1] : 0;
        return found;
    }

    public void Dispose()
    {
        _snapshot.Dispose();
        _runs.Dispose();
    }

    private void AddBlocks(Block[] blocks, int column, long fromUnixMs, long toUnixMs, SampleBuffer buffer)
    {
        foreach (Block block in blocks)
        {
            if (block.LastUnixMs >= fromUnixMs && block.FirstUnixMs <= toUnixMs)
            {
                int start = buffer.Count;
                block.Read(column, fromUnixMs, toUnixMs, buffer);
                _runs.Note(start, buffer);
            }
        }
    }

    private void AddHead(SampleBuffer head, SampleBuffer buffer)
    {
        int start = buffer.Count;
        buffer.Add(head.Times, head.Values);
        _runs.Note(start, buffer);
    }
}
