using NodeAgent.Tsdb.Chunks;

namespace NodeAgent.Tsdb.Head;

/// <summary>One column of a schema at one moment: the blocks, and copies of what the heads held. Reused from column to column.</summary>
internal sealed class SchemaSnapshot : IDisposable
{
    public Block[] MainBlocks { get; set; } = [];

    public Block[] LateBlocks { get; set; } = [];

    public SampleBuffer MainHead { get; } = new();

    public SampleBuffer LateHead { get; } = new();

    /// <summary>Whether a row may lie in a time range.</summary>
    public bool MayHave(long fromUnixMs, long toUnixMs) =>
        HasBlock(MainBlocks, fromUnixMs, toUnixMs) || HasBlock(LateBlocks, fromUnixMs, toUnixMs)
        || HasSample(MainHead, fromUnixMs, toUnixMs) || HasSample(LateHead, fromUnixMs, toUnixMs);

    private static bool HasBlock(Block[] blocks, long fromUnixMs, long toUnixMs)
    {
        foreach (Block block in blocks)
        {
            if (block.FirstUnixMs <= toUnixMs && block.LastUnixMs >= fromUnixMs)
            {
                return true;
            }
        }

        return false;
    }

    private static bool HasSample(SampleBuffer head, long fromUnixMs, long toUnixMs)
    {
        int first = TimeSearch.FirstAtOrAfter(head.Times, fromUnixMs);
        return first < head.Count && head.Times[first] <= toUnixMs;
    }

    public void Clear()
    {
        MainBlocks = [];
        LateBlocks = [];
        MainHead.Clear();
        LateHead.Clear();
    }

    public void Dispose()
    {
        Clear();
        MainHead.Dispose();
        LateHead.Dispose();
    }
}
