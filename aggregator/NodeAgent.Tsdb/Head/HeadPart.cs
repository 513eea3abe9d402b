using NodeAgent.Tsdb.Chunks;

namespace NodeAgent.Tsdb.Head;

/// <summary>
/// Rows in order of time, the older ones closed into blocks. A schema has two: the main part, where rows arrive in order, and the
/// late part for rows older than the main part's head. Changed by the schema's writer, read by anyone (see <see cref="MemorySchema"/>).
/// </summary>
/// <param name="isInOrder">Whether blocks follow each other in time: the main part's do, the late part's may overlap.</param>
internal sealed class HeadPart(bool isInOrder)
{
    private Rows? _rows;
    private int _count;
    private Block[] _blocks = [];
    private ulong _firstWalId = ulong.MaxValue;
    private ulong _lastWalId;

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

    /// <summary>When upkeep first saw the open rows; 0: there were none. Used by upkeep under the writer lock.</summary>
    public long OpenSinceUnixMs { get; set; }

    /// <summary>Closed blocks in the order in which they were closed. The array never changes; it is replaced.</summary>
    public Block[] Blocks
    {
        get => Volatile.Read(ref _blocks);
        set => Volatile.Write(ref _blocks, value);
    }

    /// <summary>Log ids of the open rows. Written by the schema's writer.</summary>
    public WalRange WalIds
    {
        get => new(Volatile.Read(ref _firstWalId), Volatile.Read(ref _lastWalId));
        set
        {
            Volatile.Write(ref _lastWalId, value.Last);
            Volatile.Write(ref _firstWalId, value.First);
        }
    }

    /// <summary>
    /// Smallest log id of what is held; <see cref="ulong.MaxValue"/>: none. The open rows are asked first: a head that is being closed
    /// publishes its block before it forgets their ids, so one of the two always knows.
    /// </summary>
    public ulong FirstWalId
    {
        get
        {
            ulong first = Volatile.Read(ref _firstWalId);
            foreach (Block block in Blocks)
            {
                first = Math.Min(first, block.WalIds.First);
            }

            return first;
        }
    }

    /// <summary>Largest log id of what is held; 0: none.</summary>
    public ulong LastWalId
    {
        get
        {
            ulong last = Volatile.Read(ref _lastWalId);
            foreach (Block block in Blocks)
            {
                last = Math.Max(last, block.WalIds.Last);
            }

            return last;
        }
    }

    /// <summary>Whether a row may lie in a time range; open rows always may.</summary>
    public bool MayHave(long fromUnixMs, long toUnixMs)
    {
        if (Count > 0)
        {
            return true;
        }

        foreach (Block block in Blocks)
        {
            if (block.FirstUnixMs <= toUnixMs && block.LastUnixMs >= fromUnixMs)
            {
                return true;
            }
        }

        return false;
    }

    public bool IsEmpty => Count == 0 && Blocks.Length == 0;

    /// <summary>Time of the oldest row held; <see cref="long.MaxValue"/>: none.</summary>
    public long OldestUnixMs
    {
        get
        {
            Block[] blocks = Blocks;
            long oldest = Count > 0 && Rows is { } rows ? rows.Times[0] : long.MaxValue;
            foreach (Block block in isInOrder ? blocks.AsSpan(0, Math.Min(1, blocks.Length)) : blocks)
            {
                oldest = Math.Min(oldest, block.FirstUnixMs);
            }

            return oldest;
        }
    }
}
