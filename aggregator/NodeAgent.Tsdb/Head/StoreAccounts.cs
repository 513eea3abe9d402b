using System.Collections.Concurrent;
using NodeAgent.Tsdb.Chunks;

namespace NodeAgent.Tsdb.Head;

/// <summary>
/// What all schemas of a store share: sizes, the window of acceptable times, and the blocks that retention has yet to see.
/// </summary>
internal sealed class StoreAccounts(MemoryStoreOptions options)
{
    private long _headBytes;
    private long _blockBytes;
    private long _oldestAllowed = long.MinValue;
    private long _newestAllowed = long.MaxValue;
    private bool _isAnyTimeAllowed;
    private long _nowUnixMs = long.MinValue;

    public MemoryStoreOptions Options => options;

    /// <summary>Rows of this age are refused.</summary>
    public long MaxAgeMs { get; init; } = options.RetentionMs;

    /// <summary>
    /// Closed blocks leave for files: whoever writes those looks for them, and an empty head does not mean that nothing is held.
    /// </summary>
    public bool HasFiles { get; init; }

    /// <summary>A head is closed when it has been open for so long, full or not: its rows keep the log from being let go of.</summary>
    public long MaxOpenMs { get; init; } = long.MaxValue;

    public long HeadBytes => Volatile.Read(ref _headBytes);

    public long BlockBytes => Volatile.Read(ref _blockBytes);

    /// <summary>Rows older than this are refused.</summary>
    public long OldestAllowedUnixMs => Volatile.Read(ref _oldestAllowed);

    /// <summary>Rows newer than this are refused.</summary>
    public long NewestAllowedUnixMs => Volatile.Read(ref _newestAllowed);

    /// <summary>Blocks closed since retention last looked. Writers only push, so closing a block never waits for an eviction.</summary>
    public ConcurrentQueue<ClosedBlock> Closed { get; } = new();

    public void AddHeadBytes(long bytes) => Interlocked.Add(ref _headBytes, bytes);

    public void AddBlockBytes(long bytes) => Interlocked.Add(ref _blockBytes, bytes);

    /// <summary>Rows up to this time are refused whatever the clock says.</summary>
    public long ClosedThroughUnixMs { get; set; } = long.MinValue;

    /// <summary>While it is set, a row's age and the clock do not matter.</summary>
    public bool IsAnyTimeAllowed
    {
        get => _isAnyTimeAllowed;
        set
        {
            _isAnyTimeAllowed = value;
            Bound();
        }
    }

    public void SetNow(long nowUnixMs)
    {
        _nowUnixMs = nowUnixMs;
        Bound();
    }

    private void Bound()
    {
        bool isBound = !_isAnyTimeAllowed && _nowUnixMs != long.MinValue;
        Volatile.Write(ref _oldestAllowed, isBound ? Math.Max(_nowUnixMs - MaxAgeMs, ClosedThroughUnixMs) : ClosedThroughUnixMs);
        Volatile.Write(ref _newestAllowed, isBound ? _nowUnixMs + options.MaxAheadMs : long.MaxValue);
    }
}

/// <summary>A block and where it hangs.</summary>
internal readonly record struct ClosedBlock(MemorySchema Schema, HeadPart Part, Block Block);
