using NodeAgent.Tsdb.Chunks;

namespace NodeAgent.Tsdb.Head;

/// <summary>One column of a schema at one moment: the blocks, and copies of what the heads held. Reused from column to column.</summary>
internal sealed class SchemaSnapshot : IDisposable
{
    public Block[] MainBlocks { get; set; } = [];

    public Block[] LateBlocks { get; set; } = [];

    public SampleBuffer MainHead { get; } = new();

    public SampleBuffer LateHead { get; } = new();

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
