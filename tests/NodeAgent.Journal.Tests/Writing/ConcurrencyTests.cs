using System.Buffers.Binary;
using NodeAgent.Journal.Files;
using NodeAgent.Journal.Reading;

namespace NodeAgent.Journal.Tests.Writing;

public sealed class ConcurrencyTests
{
    [Fact]
    public async Task AppendAsync_ByManyAtOnce_SharesSyncsAndKeepsEachOnesOrder()
    {
        const int Appenders = 16;
        const int Records = 300;
        using var directory = new TemporaryDirectory();
        var options = new JournalOptions { Directory = directory.Path, SegmentBytes = 256 * 1024 };
        Assert.True(DurableLog.TryOpen(options, FileOps.ForThisMachine(), TimeProvider.System, out DurableLog? opened, out _));
        DurableLog log = opened!;

        using var stop = new CancellationTokenSource();
        Task<int> tail = Task.Run(() => Follow(log, Appenders * Records, stop.Token));
        await Task.WhenAll(Enumerable.Range(0, Appenders).Select(appender => Task.Run(async () =>
        {
            var payload = new byte[200];
            for (int i = 0; i < Records; i++)
            {
                BinaryPrimitives.WriteInt32LittleEndian(payload, i);
                AppendResult result = await log.AppendAsync((byte)appender, payload);
                Assert.Equal(AppendOutcome.Durable, result.Outcome);
                Assert.True(log.DurableId >= result.Id);
            }
        })));

        Assert.Equal(Appenders * Records, await tail);
        JournalStatus status = log.Status();
        Assert.Equal((ulong)(Appenders * Records), status.DurableId);
        Assert.InRange(status.Counters.Syncs, 1, Appenders * Records / 2);
        log.Dispose();
        TestContext.Current.TestOutputHelper?.WriteLine($"{Appenders * Records} records, {status.Counters.Syncs} syncs");
    }

    /// <summary>Reads along while others write, and checks that each appender's records come in its order.</summary>
    private static int Follow(DurableLog log, int records, CancellationToken stop)
    {
        using JournalReader reader = log.OpenReader(1);
        var next = new int[256];
        int read = 0;
        var spin = new SpinWait();
        while (read < records)
        {
            stop.ThrowIfCancellationRequested();
            if (!reader.TryRead(out JournalRecord record))
            {
                spin.SpinOnce();
                continue;
            }

            Assert.Equal(0UL, record.LostBefore);
            Assert.Equal((ulong)++read, record.Id);
            Assert.Equal(next[record.Type]++, BinaryPrimitives.ReadInt32LittleEndian(record.Payload));
        }

        return read;
    }
}
