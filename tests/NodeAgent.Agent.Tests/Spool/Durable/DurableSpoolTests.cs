using NodeAgent.Agent.Spool;

namespace NodeAgent.Agent.Tests.Spool.Durable;

public sealed class DurableSpoolTests : IDisposable
{
    private readonly SpoolBench _bench = new();

    public void Dispose() => _bench.Dispose();

    [Fact]
    public void Append_Pumped_CanBeReadFromMemoryAndFromDisk()
    {
        _bench.Open().Ticks(5_000);
        List<ulong> read = _bench.AssertReadsBack();
        Assert.Equal(5_000, read.Count);
        Assert.Equal(5_000UL, _bench.Spool.ReadableThrough);
        Assert.Equal(SpoolMode.Durable, _bench.Spool.Mode);
    }

    [Fact]
    public void Append_NotSynced_MayNotBeSent()
    {
        _bench.Open().Ticks(3);
        _bench.Tick(pump: false);
        Assert.Equal(3UL, _bench.Spool.ReadableThrough);
        Assert.Equal(3, _bench.Read().Count);
        _bench.Pump();
        Assert.Equal(4UL, _bench.Spool.ReadableThrough);
    }

    [Fact]
    public void Open_AfterAnOrderlyEnd_GoesOnWhereItWas()
    {
        _bench.Open().Ticks(200);
        ulong epoch = _bench.Spool.Epoch;
        _bench.Spool.Dispose();
        _bench.Time.Advance(TimeSpan.FromHours(1));
        _bench.Plan = _bench.Plan with { BootId = "boot-2" };
        _bench.Open();
        Assert.Equal((epoch, 201UL, 1U), (_bench.Spool.Epoch, _bench.Spool.NextSequence, _bench.Spool.Boot));
        _bench.Ticks(100);
        Assert.Equal(300, _bench.AssertReadsBack().Count);
        Assert.Equal(default, _bench.Spool.Counts);
    }

    [Fact]
    public void Open_KilledAMomentAgo_GoesOnWhereItWas()
    {
        _bench.Open().Ticks(200);
        _bench.Kill();
        _bench.Time.Advance(TimeSpan.FromSeconds(2));
        _bench.Open();
        Assert.Equal((201UL, 0U), (_bench.Spool.NextSequence, _bench.Spool.Boot));
        Assert.Equal(200, _bench.AssertReadsBack().Count);
    }

    [Fact]
    public void Open_KilledLongAgo_JumpsBeyondAllThatCanHaveBeenSent()
    {
        _bench.Open().Ticks(200);
        _bench.Kill();
        _bench.Time.Advance(TimeSpan.FromMinutes(2));
        _bench.Open();
        Assert.Equal(1UL, _bench.Spool.NextSequence % (1UL << 32));
        Assert.True(_bench.Spool.NextSequence > 1UL << 32);
        _bench.Ticks(10);
        Assert.Equal(210, _bench.AssertReadsBack().Count);
        Assert.Equal(default, _bench.Spool.Counts);
        _bench.Spool.Acknowledge(1, 200);
        Assert.Equal(_bench.Spool.NextSequence - 10, _bench.Spool.FirstHeldSequence);
        Assert.Equal(10UL, _bench.Spool.UnacknowledgedRecords);
    }

    [Fact]
    public void Open_SchemasUnchanged_KeepTheirIds()
    {
        _bench.Open().Ticks(3);
        _bench.ChangeColumns();
        _bench.Ticks(3);
        Assert.Equal(2U, _bench.Spool.Schemas.LastId);
        _bench.Spool.Dispose();
        _bench.Open().Ticks(3);
        Assert.Equal(2U, _bench.Spool.Schemas.LastId);
        _bench.ChangeColumns();
        _bench.Ticks(3);
        Assert.Equal(3U, _bench.Spool.Schemas.LastId);
    }

    [Fact]
    public void Read_AfterRestarts_DecodesWithItsSchemas()
    {
        for (int life = 0; life < 4; life++)
        {
            _bench.Open().Ticks(400);
            _bench.ChangeColumns();
            _bench.Ticks(30);
            _bench.Happen("between");
            _bench.Ticks(400);
            _bench.Spool.Dispose();
        }

        _bench.Open().Ticks(1);
        Assert.Equal(4 * 830 + 1, _bench.Decode().Sequences.Count);
    }

    [Fact]
    public void Acknowledge_WholeChapters_FreesFilesInAnyOrder()
    {
        _bench.Plan = _bench.Plan with { MaxBytes = SpoolPlan.LeastBytes };
        _bench.Open().Ticks(20_000);
        long full = _bench.Disk.UsedBytes;
        _bench.Spool.Acknowledge(8_000, 16_000);
        _bench.Time.Advance(TimeSpan.FromSeconds(6));
        _bench.Pump();
        long middleGone = _bench.Disk.UsedBytes;
        Assert.True(middleGone < full * 17 / 20, $"{full} bytes became {middleGone}");
        Assert.Equal(12_000 - 1, (int)_bench.Spool.UnacknowledgedRecords);
        _bench.Kill();
        _bench.Open();
        Assert.Equal(default, _bench.Spool.Counts);
        List<ulong> held = _bench.AssertReadsBack();
        Assert.Empty(Enumerable.Range(1, 7_999).Concat(Enumerable.Range(16_001, 4_000)).Select(i => (ulong)i).Except(held));
        _bench.Spool.Acknowledge(1, 20_000);
        _bench.Time.Advance(TimeSpan.FromSeconds(6));
        _bench.Pump();
        Assert.True(_bench.Disk.UsedBytes < full / 10, $"{_bench.Disk.UsedBytes} bytes are left of {full}");
        Assert.Equal(0UL, _bench.Spool.UnacknowledgedRecords);
    }

    [Fact]
    public void StartAfter_AnySequence_IsAKeyFrameAtOrBeforeTheNext()
    {
        _bench.Open().Ticks(5_000);
        for (ulong acknowledged = 0; acknowledged <= 5_000; acknowledged += 37)
        {
            ulong start = _bench.Spool.StartAfter(acknowledged);
            Assert.Equal(acknowledged == 5_000 ? 4_981 : acknowledged / 60 * 60 + 1, start);
        }

        Assert.Equal(4_981UL, _bench.Spool.LiveStart());
    }

    [Fact]
    public void Append_SteadyColumns_AllocatesNothing()
    {
        _bench.Open().Ticks(300);
        byte[] message = new byte[400];
        Run(3_000);

        // The runtime itself may allocate now and then on whatever thread it is on (tiered compilation); the spool never does.
        Assert.Equal(0, Enumerable.Range(0, 3).Min(_ => Run(1_000)));

        long Run(int records)
        {
            long allocated = 0;
            for (int i = 0; i < records; i++)
            {
                long before = GC.GetAllocatedBytesForCurrentThread();
                _bench.Spool.Append(message, i % 60 == 0 ? RecordKind.KeyFrame : RecordKind.Frame);
                allocated += GC.GetAllocatedBytesForCurrentThread() - before;
                _bench.Time.Advance(TimeSpan.FromSeconds(1));
                _bench.Pump();
            }

            return allocated;
        }
    }
}
