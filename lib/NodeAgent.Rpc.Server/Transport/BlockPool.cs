using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;

namespace NodeAgent.Rpc.Server.Transport;

/// <summary>
/// Blocks for what is on its way between sockets and parsers. What was given back last is lent first: with thousands of connections
/// that each send a kilobyte now and then, the few blocks in use stay in the processor's cache. A queue, as Kestrel's own pool is, hands
/// out the block that lay longest.
/// </summary>
internal sealed class BlockPool : MemoryPool<byte>
{
    /// <summary>What Kestrel counts on; a page.</summary>
    internal const int BlockBytes = 4096;

    /// <summary>Idle blocks that are kept, 8 MiB; what a burst needed beyond goes to the collector.</summary>
    internal const int MostIdle = 2048;

    private readonly Lock _lock = new();
    private readonly Block?[] _idle = new Block?[MostIdle];
    private int _idleCount;

    /// <inheritdoc/>
    public override int MaxBufferSize => BlockBytes;

    /// <summary>Blocks that wait to be lent.</summary>
    internal int IdleBlocks
    {
        get
        {
            lock (_lock)
            {
                return _idleCount;
            }
        }
    }

    /// <summary>Lends a block of <see cref="BlockBytes"/>, whatever less is asked for; its content is arbitrary.</summary>
    public override IMemoryOwner<byte> Rent(int minBufferSize = -1)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(minBufferSize, BlockBytes);
        Block? block = null;
        lock (_lock)
        {
            if (_idleCount > 0)
            {
                block = _idle[--_idleCount];
                _idle[_idleCount] = null;
            }
        }

        block ??= new Block(this);
        block.Lend();
        return block;
    }

    // Blocks that are lent are their borrowers'; they may outlive the pool, and come back to it for nothing.
    protected override void Dispose(bool disposing)
    {
        lock (_lock)
        {
            Array.Clear(_idle);
            _idleCount = 0;
        }
    }

    private void TakeBack(Block block)
    {
        lock (_lock)
        {
            if (_idleCount < MostIdle)
            {
                _idle[_idleCount++] = block;
            }
        }
    }

    [SuppressMessage("Design", "CA1063", Justification = "Dispose gives the block back; nothing here has to be released.")]
    private sealed class Block(BlockPool pool) : IMemoryOwner<byte>
    {
        // Pinned for good: sockets get its address, and a heap full of pins for a moment each is hard to compact.
        private readonly byte[] _bytes = GC.AllocateUninitializedArray<byte>(BlockBytes, pinned: true);
        private int _isLent;

        public Memory<byte> Memory => MemoryMarshal.CreateFromPinnedArray(_bytes, 0, BlockBytes);

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _isLent, 0) == 0)
            {
                throw new InvalidOperationException("BUG: a block was given back twice; two connections would share it.");
            }

            pool.TakeBack(this);
        }

        internal void Lend() => Volatile.Write(ref _isLent, 1);
    }
}
