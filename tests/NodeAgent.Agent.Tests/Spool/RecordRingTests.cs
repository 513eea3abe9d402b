using NodeAgent.Agent.Spool;

namespace NodeAgent.Agent.Tests.Spool;

public sealed class RecordRingTests
{
    [Theory]
    [InlineData(300)]
    [InlineData(1_100)]
    [InlineData(9_000)]
    public void Add_AfterReserve_AllocatesNothingHoweverLateItFillsUp(int bytes)
    {
        RecordRing ring = new(8 << 20, 1);
        ring.Reserve(DurableSpool.RecentBytes + (2 * RecordRing.ChunkBytes));
        byte[] record = new byte[bytes];
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 2_000; i++)
        {
            ring.Add(record, RecordKind.KeyFrame, 1);
            while (ring.Bytes > DurableSpool.RecentBytes)
            {
                ring.RemoveOldest(1);
            }
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void Reserve_MoreThanTheRing_KeepsToItsBound()
    {
        RecordRing ring = new(3 * RecordRing.ChunkBytes, 1);
        ring.Reserve(long.MaxValue);
        byte[] record = new byte[RecordRing.ChunkBytes];
        for (int i = 0; i < 3; i++)
        {
            Assert.False(ring.MustDropFor(record.Length));
            ring.Add(record, RecordKind.KeyFrame, 1);
        }

        Assert.True(ring.MustDropFor(record.Length));
    }
}
