using System.Buffers;
using NodeAgent.Rpc.Server.Transport;

namespace NodeAgent.Rpc.Tests.Transport;

public sealed class BlockPoolTests : IDisposable
{
    private readonly BlockPool _pool = new();

    public void Dispose() => _pool.Dispose();

    [Fact]
    public void Rent_TheBlockThatCameBackLast_IsLentFirst()
    {
        IMemoryOwner<byte> first = _pool.Rent();
        IMemoryOwner<byte> second = _pool.Rent(1);
        first.Memory.Span[0] = 1;
        second.Memory.Span[0] = 2;
        first.Dispose();
        second.Dispose();
        Assert.Equal(2, _pool.Rent(BlockPool.BlockBytes).Memory.Span[0]);
        Assert.Equal(1, _pool.Rent().Memory.Span[0]);
    }

    [Fact]
    public void Rent_MoreThanABlock_IsRefused() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => _pool.Rent(BlockPool.BlockBytes + 1));

    [Fact]
    public void Dispose_OfABlockTwice_IsABugThatSaysSo()
    {
        IMemoryOwner<byte> block = _pool.Rent();
        block.Dispose();
        Assert.Throws<InvalidOperationException>(block.Dispose);
        Assert.NotSame(_pool.Rent(), _pool.Rent());
    }

    [Fact]
    public void Dispose_OfMoreBlocksThanAreKept_LeavesTheRestToTheCollector()
    {
        IMemoryOwner<byte>[] blocks = [.. Enumerable.Range(0, BlockPool.MostIdle + 10).Select(_ => _pool.Rent())];
        Array.ForEach(blocks, block => block.Dispose());
        Assert.Equal(BlockPool.MostIdle, _pool.IdleBlocks);
    }

    [Fact]
    public void Rent_FromManyThreads_NeverLendsABlockTwice()
    {
        Parallel.For(0, 8, thread =>
        {
            for (int i = 0; i < 20_000; i++)
            {
                using IMemoryOwner<byte> one = _pool.Rent();
                using IMemoryOwner<byte> other = _pool.Rent();
                one.Memory.Span[7] = (byte)thread;
                other.Memory.Span[7] = (byte)(thread + 100);
                Assert.Equal(thread, one.Memory.Span[7]);
                Assert.Equal(thread + 100, other.Memory.Span[7]);
            }
        });
    }
}
