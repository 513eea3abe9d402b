using NodeAgent.Tsdb.Chunks;

namespace NodeAgent.Tsdb.Head;

/// <summary>
/// Rows in order of time, the older ones closed into blocks. A schema has two: the main part, where rows arrive in order, and the
/// late part for rows older than the main part's head. Changed by the schema's writer, read by anyone (see <see cref="MemorySchema"/>).
/// </summary>
internal sealed class HeadPart
{
    private Rows? _rows;
    private int _count;
    private Block[] _blocks = [];

    /// <summary>The open rows; null while there are none to hold.</summary>
    public Rows? Rows
    {
        get => Volatile.Read(ref _rows);
        set => Volatile.Write(ref _rows, value);
    }

    /// <summary>Open rows that readers may read.</summary>
    public int Count
    {
        get => Volatile.Read(ref _count);
        set => Volatile.Write(ref _count, value);
    }

    /// <summary>Closed blocks in the order in which they were closed. The array never changes; it is replaced.</summary>
    public Block[] Blocks
    {
        get => Volatile.Read(ref _blocks);
        set => Volatile.Write(ref _blocks, value);
    }

    public bool IsEmpty => Count == 0 && Blocks.Length == 0;

    /// <summary>Time of the oldest row held; <see cref="long.MaxValue"/>: none.</summary>
    public long OldestUnixMs
    {
        get
        {
            long oldest = Count > 0 && Rows is { } rows ? rows.Times[0] : long.MaxValue;
            foreach (Block block in Blocks)
            {
                oldest = Math.Min(oldest, block.FirstUnixMs);
            }

            return oldest;
        }
    }
}
