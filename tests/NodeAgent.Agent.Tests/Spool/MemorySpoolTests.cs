using NodeAgent.Agent.Spool;
using NodeAgent.Testing;

namespace NodeAgent.Agent.Tests.Spool;

public sealed class MemorySpoolTests
{
    private const int Capacity = 4 * MemorySpool.ChunkBytes;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    public void Spool_RandomOperations_AgreesWithTheModel(int seed)
    {
        Random random = new(seed);
        SpoolModel model = new(new MemorySpool(7, Capacity), Capacity);
        for (int step = 0; step < 4_000; step++)
        {
            switch (random.Next(20))
            {
                case 0 or 1:
                    model.Acknowledge(model.Spool.FirstHeldSequence, (ulong)random.NextInt64(0, (long)model.Spool.NextSequence + 3));
                    break;
                case 2:
                    ulong from = (ulong)random.NextInt64(1, (long)model.Spool.NextSequence + 3);
                    model.Acknowledge(from, from + (ulong)random.Next(40));
                    break;
                case 3:
                    model.Append(random, random.Next(MemorySpool.ChunkBytes, Capacity + 1), (RecordKind)random.Next(3));
                    break;
                case 4 when random.Next(4) == 0:
                    model.Append(random, Capacity + random.Next(1, 1000), (RecordKind)random.Next(3));
                    break;
                default:
                    RecordKind kind = random.Next(12) == 0 ? RecordKind.KeyFrame : random.Next(8) == 0 ? RecordKind.Single : RecordKind.Frame;
                    model.Append(random, random.Next(1, 3_000), kind);
                    break;
            }

            model.CheckOne(random);
            if (step % 200 == 0)
            {
                model.CheckAll();
            }
        }

        model.CheckAll();
        Assert.True(model.Spool.Counts.DroppedRecords > 0, "the run never filled the spool, so it proved little");
    }

    [Fact]
    public void Append_Oversized_IsCountedOnceEvenWhenItsRunGoes()
    {
        MemorySpool spool = new(7, Capacity);
        Assert.True(spool.Append(new byte[10], RecordKind.KeyFrame));
        Assert.False(spool.Append(new byte[Capacity + 1], RecordKind.Frame));
        Assert.Equal(1UL, spool.Counts.DroppedRecords);
        ulong appended = 2;
        while (spool.FirstHeldSequence <= 2)
        {
            spool.Append(new byte[1000], appended++ == 2 ? RecordKind.KeyFrame : RecordKind.Single);
        }

        // Records 1 and 2 went, and nothing else that was held: the run that began at 3 may follow.
        Assert.Equal(spool.FirstHeldSequence - 1, spool.Counts.DroppedRecords);
    }

    [Fact]
    public void Append_LargeRecordWithSpareChunks_StaysWithinTheCapacity()
    {
        MemorySpool spool = new(7, Capacity);
        for (int i = 0; i < 4; i++)
        {
            spool.Append(new byte[MemorySpool.ChunkBytes], RecordKind.KeyFrame);
        }

        spool.Acknowledge(1, 1); // one chunk is spare, three are in use
        spool.Append(new byte[2 * MemorySpool.ChunkBytes + 5], RecordKind.KeyFrame);
        Assert.InRange(spool.HeldBytes, 1, Capacity);
    }

    [Fact]
    public void Append_FrameWhoseKeyFrameWent_AsksForAKeyFrame()
    {
        MemorySpool spool = new(7, 2 * MemorySpool.ChunkBytes);
        Assert.True(spool.Append(new byte[1000], RecordKind.KeyFrame));
        int frames = 0;
        while (spool.Append(new byte[1000], RecordKind.Frame))
        {
            Assert.True(++frames < 1000, "the open run outgrew the capacity and nobody was told");
        }

        Assert.True(spool.FirstHeldSequence > 1);
        Assert.True(spool.Append(new byte[1000], RecordKind.KeyFrame));
        Assert.True(spool.Append(new byte[1000], RecordKind.Frame));
    }

    [Fact]
    public void Append_AcknowledgedAtOnce_AllocatesNothing()
    {
        MemorySpool spool = new(7, Capacity);
        byte[] message = new byte[900];
        byte[] destination = new byte[4096];
        Run(3_000);
        Assert.Equal(0, Allocations.Of(() => Run(10_000)));

        void Run(int records)
        {
            for (int i = 0; i < records; i++)
            {
                ulong sequence = spool.NextSequence;
                spool.Append(message, i % 60 == 0 ? RecordKind.KeyFrame : RecordKind.Frame);
                spool.TryRead(ref sequence, ref destination, out _);
                spool.Acknowledge(1, sequence);
            }
        }
    }

    [Fact]
    public void Append_FullAndNeverAcknowledged_AllocatesNothing()
    {
        MemorySpool spool = new(7, Capacity);
        byte[] message = new byte[900];
        Run(5_000);
        Assert.Equal(0, Allocations.Of(() => Run(10_000)));

        void Run(int records)
        {
            for (int i = 0; i < records; i++)
            {
                spool.Append(message, i % 60 == 0 ? RecordKind.KeyFrame : RecordKind.Frame);
            }
        }
    }

    [Fact]
    public void Append_Taken_WakesTheReader()
    {
        MemorySpool spool = new(7, Capacity);
        ulong seen = 0;
        spool.OnReadable = () => seen = spool.ReadableThrough;
        spool.Append([1], RecordKind.Single);
        Assert.Equal(1UL, seen);
    }
}
