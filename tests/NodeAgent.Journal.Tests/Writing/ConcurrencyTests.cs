using System.Buffers.Binary;
using NodeAgent.Journal.Files;
using NodeAgent.Journal.Reading;

namespace NodeAgent.Journal.Tests.Writing;

public sealed class ConcurrencyTests
{
    [Fact]
    public async Task AppendAsync_ByManyAtOnce_IsDurableAndInEachOnesOrder()
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
        Assert.InRange(status.Counters.Syncs, 1, Appenders * Records);
        log.Dispose();
        TestContext.Current.TestOutputHelper?.WriteLine($"{Appenders * Records} records, {status.Counters.Syncs} syncs");
    }

    [Fact]
    public async Task Commit_WhileAnotherSyncIsUnderWay_CarriesAllThatCameMeanwhile()
    {
        var bench = new JournalBench(1);
        using DurableLog log = bench.Open();
        bench.AppendMany(log, 1, 10);
        using var entered = new SemaphoreSlim(0);
        using var leave = new SemaphoreSlim(0);
        bool isFirst = true;
        bench.Disk.BeforeSync = () =>
        {
            if (!isFirst) return;
            isFirst = false;
            entered.Release();
            leave.Wait();
        };

        ValueTask<AppendResult> early = log.AppendAsync(0, "early"u8);
        Task<CommitOutcome> slow = Task.Run(log.Commit);
        await entered.WaitAsync();
        // The disk is busy; appending is not held up by that.
        List<ValueTask<AppendResult>> late = [.. Enumerable.Range(0, 100).Select(_ => log.AppendAsync(0, "late"u8))];
        long syncs = bench.Disk.Syncs;
        Task<CommitOutcome>[] commits = [.. Enumerable.Range(0, 4).Select(_ => Task.Run(log.Commit))];
        Assert.False(early.IsCompleted);
        leave.Release();

        Assert.Equal(CommitOutcome.Done, await slow);
        Assert.True((await early).IsDurable);
        Assert.All(await Task.WhenAll(commits), outcome => Assert.Equal(CommitOutcome.Done, outcome));
        foreach (ValueTask<AppendResult> append in late) Assert.True((await append).IsDurable);
        Assert.Equal(2, bench.Disk.Syncs - syncs);
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
