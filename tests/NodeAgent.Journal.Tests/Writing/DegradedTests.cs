using NodeAgent.Journal.Files;
using NodeAgent.Journal.Writing;
using NodeAgent.Testing.Disk;

namespace NodeAgent.Journal.Tests.Writing;

public sealed class DegradedTests
{
    private readonly JournalBench _bench = new(3);

    [Fact]
    public void Commit_AfterOneFailedSync_GoesOnInANewSegmentUnnoticed()
    {
        using DurableLog log = _bench.Open();
        _bench.AppendMany(log, 3, 500);
        _bench.Append(log, 500);
        // The write, then the sync.
        _bench.Disk.Fault = new DiskFault(DiskFaultKind.Error, _bench.Disk.Calls + 2, Errno.InputOutput);
        Assert.Equal(CommitOutcome.Done, log.Commit());

        JournalStatus status = log.Status();
        Assert.Equal(JournalState.Healthy, status.State);
        Assert.Equal(1, status.Counters.SyncErrors);
        Assert.Equal(1, status.Counters.AbandonedSegments);
        Assert.Equal(1, status.Counters.RewrittenRecords);
        Assert.Equal(2, status.Segments);

        // What the page cache showed of the first attempt is gone with the power; the second one stays.
        _bench.Disk.CutPower();
        using DurableLog again = _bench.Open();
        Assert.Equal([1UL, 2UL, 3UL, 4UL], _bench.ReadAll(again));
    }

    [Fact]
    public void Commit_WhileTheDiskFails_DegradesKeepsTheRecordsAndHeals()
    {
        using DurableLog log = _bench.Open();
        _bench.AppendMany(log, 3, 500);
        _bench.Disk.Fault = new DiskFault(DiskFaultKind.Error, _bench.Disk.Calls + 1, Errno.ReadOnlyFileSystem, int.MaxValue);
        _bench.Append(log, 500);
        Assert.Equal(CommitOutcome.Degraded, log.Commit());

        JournalStatus status = log.Status();
        Assert.Equal(JournalState.Degraded, status.State);
        Assert.Equal(Errno.ReadOnlyFileSystem, status.Error!.Errno);
        Assert.Contains("EROFS", status.Error.ToString(), StringComparison.Ordinal);
        Assert.Equal(3UL, status.DurableId);
        Assert.Equal(505, status.PendingBytes);

        // It is not asked again at once, and goes on taking records.
        long calls = _bench.Disk.Calls;
        Assert.True(_bench.Append(log, 500).IsTaken);
        Assert.Equal(CommitOutcome.Degraded, log.Commit());
        Assert.Equal(calls, _bench.Disk.Calls);

        _bench.Disk.Fault = null;
        _bench.Time.Advance(_bench.Options.RetryDelay);
        Assert.Equal(CommitOutcome.Done, log.Commit());
        status = log.Status();
        Assert.Equal(JournalState.Healthy, status.State);
        Assert.Null(status.Error);
        Assert.Equal((1, 1), (status.Counters.Degradations, status.Counters.Recoveries));
        Assert.Equal(0, status.PendingBytes);
        Assert.Equal([1UL, 2UL, 3UL, 4UL, 5UL], _bench.ReadAll(log));
    }

    [Fact]
    public async Task AppendAsync_WhileTheDiskFails_SaysSoAndTakesNothingMore()
    {
        using DurableLog log = _bench.Open();
        _bench.Disk.Fault = new DiskFault(DiskFaultKind.Error, _bench.Disk.Calls + 1, Errno.InputOutput, int.MaxValue);
        ValueTask<AppendResult> first = log.AppendAsync(1, "a"u8);
        Assert.False(first.IsCompleted);
        log.Commit();
        Assert.Equal(new AppendResult(AppendOutcome.Degraded, 1), await first);
        Assert.Equal(new AppendResult(AppendOutcome.Degraded, 0), await log.AppendAsync(1, "b"u8));
        Assert.Equal(1, log.Status().Counters.RefusedRecords);

        _bench.Disk.Fault = null;
        _bench.Time.Advance(_bench.Options.RetryDelay);
        ValueTask<AppendResult> second = log.AppendAsync(1, "c"u8);
        log.Commit();
        Assert.Equal(new AppendResult(AppendOutcome.Durable, 2), await second);
    }

    [Fact]
    public void ReleaseUpTo_OnAFullDisk_MakesRoomAndTheJournalHeals()
    {
        _bench.Disk.CapacityBytes = 400_000;
        using DurableLog log = _bench.Open();
        while (log.Status().State == JournalState.Healthy)
        {
            _bench.Append(log, 3000);
            log.Commit();
        }

        Assert.Equal(Errno.NoSpace, log.Status().Error!.Errno);
        ulong durable = log.DurableId;
        log.ReleaseUpTo(durable / 2);
        _bench.Time.Advance(_bench.Options.RetryDelay);
        Assert.Equal(CommitOutcome.Done, log.Commit());
        Assert.Equal(durable + 1, log.DurableId);
        List<ulong> ids = _bench.ReadAll(log);
        Assert.Equal((durable / 2) + 1, ids[0]);
        Assert.Equal(durable + 1, ids[^1]);
        Assert.Equal((int)(durable + 1 - (durable / 2)), ids.Count);
    }

    [Fact]
    public void Commit_AfterTheDirectoryWasRemoved_MakesItAgainAndCountsTheLoss()
    {
        using DurableLog log = _bench.Open();
        _bench.AppendMany(log, 200, 900);
        _bench.Disk.RemoveDirectory(JournalBench.Directory);
        _bench.Append(log, 900);
        Assert.Equal(CommitOutcome.Done, log.Commit());
        Assert.Equal(200, log.Status().Counters.VanishedRecords);
        Assert.Equal([201UL], _bench.ReadAll(log, 201));
    }

    [Fact]
    public void Interval_TimePasses_CommitsByItselfAndRetriesWhileDegraded()
    {
        _bench.Options = _bench.Options with { Commit = CommitPolicy.Interval(TimeSpan.FromSeconds(1), 1024 * 1024) };
        using DurableLog log = _bench.Open();
        _bench.Append(log, 100);
        Assert.Equal(0UL, log.DurableId);
        _bench.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(1UL, log.DurableId);

        _bench.Disk.Fault = new DiskFault(DiskFaultKind.Error, _bench.Disk.Calls + 1, Errno.InputOutput, int.MaxValue);
        _bench.Append(log, 100);
        _bench.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(JournalState.Degraded, log.Status().State);
        _bench.Disk.Fault = null;
        _bench.Time.Advance(_bench.Options.RetryDelay);
        Assert.Equal(JournalState.Healthy, log.Status().State);
        Assert.Equal(2UL, log.DurableId);
    }
}
