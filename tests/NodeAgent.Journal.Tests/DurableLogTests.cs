using NodeAgent.Journal.Files;
using NodeAgent.Journal.Reading;
using NodeAgent.Journal.Writing;
using NodeAgent.Testing;
using NodeAgent.Testing.Disk;

namespace NodeAgent.Journal.Tests;

public sealed class DurableLogTests
{
    [Fact]
    public void Reopen_AfterDispose_GivesEveryRecordBack()
    {
        var bench = new JournalBench(1);
        int[] sizes = [0, 1, 7, 100, 1024, 65_462, 65_463, 100_000, 3, 0];
        using (DurableLog log = bench.Open())
        {
            for (int i = 0; i < 60; i++) bench.AppendMany(log, 1, sizes[i % sizes.Length]);
        }

        using DurableLog again = bench.Open();
        Assert.Equal(Enumerable.Range(1, 60).Select(id => (ulong)id), bench.ReadAll(again));
        Assert.Equal(60UL, again.Recovery.Records);
        Assert.Equal(0UL, again.Recovery.LostRecords);
        Assert.Equal(0L, again.Recovery.TornBytes);
        Assert.Empty(again.Recovery.Damages);
        Assert.Equal(61UL, again.Status().NextId);
    }

    [Fact]
    public void Reopen_OfAnEmptyJournal_BeginsAtOne()
    {
        var bench = new JournalBench(1);
        bench.Open().Dispose();
        using DurableLog log = bench.Open();
        Assert.Equal(1UL, log.Status().NextId);
        Assert.Empty(bench.ReadAll(log));
    }

    [Fact]
    public void TryRead_BeforeTheCommit_ShowsNothing()
    {
        var bench = new JournalBench(1);
        using DurableLog log = bench.Open();
        using JournalReader durable = log.OpenReader(1);
        using JournalReader written = log.OpenReader(1, ReadLimit.Written);
        bench.Append(log, 100);
        Assert.Empty(bench.ReadOn(durable));
        Assert.Empty(bench.ReadOn(written));

        log.Flush();
        Assert.Empty(bench.ReadOn(durable));
        Assert.Equal([1UL], bench.ReadOn(written));

        log.Commit();
        Assert.Equal([1UL], bench.ReadOn(durable));
    }

    [Fact]
    public void TryRead_WhileTheWriterGoesOn_FollowsOverBlocksAndSegments()
    {
        var bench = new JournalBench(1);
        using DurableLog log = bench.Open();
        using JournalReader reader = log.OpenReader(1);
        var read = new List<ulong>();
        for (int i = 0; i < 400; i++)
        {
            bench.Append(log, i * 37 % 3000);
            if (i % 3 == 0) log.Commit();
            read.AddRange(bench.ReadOn(reader));
        }

        log.Commit();
        read.AddRange(bench.ReadOn(reader));
        Assert.Equal(Enumerable.Range(1, 400).Select(id => (ulong)id), read);
        Assert.True(log.Status().Segments > 3);
        Assert.Equal(0UL, reader.LostRecords);
    }

    [Fact]
    public void OpenReader_FromAnyId_BeginsThere()
    {
        var bench = new JournalBench(1);
        using DurableLog log = bench.Open();
        bench.AppendMany(log, 500, 900);
        for (ulong from = 1; from <= 501; from += 7)
        {
            List<ulong> ids = bench.ReadAll(log, from);
            Assert.Equal(501 - (int)from, ids.Count);
            if (ids.Count > 0) Assert.Equal(from, ids[0]);
        }
    }

    [Fact]
    public void ReleaseUpTo_WholeSegments_FreesThemAndSurvivesReopening()
    {
        var bench = new JournalBench(1);
        ulong floor;
        using (DurableLog log = bench.Open())
        {
            bench.AppendMany(log, 600, 900);
            int before = bench.Segments().Count;
            log.ReleaseUpTo(400);
            Assert.True(bench.Segments().Count <= before - 2);
            Assert.Equal(401UL, log.Status().FirstHeldId);
            Assert.Equal(Enumerable.Range(401, 200).Select(id => (ulong)id), bench.ReadAll(log));
            floor = log.Status().FirstHeldId;
        }

        using DurableLog again = bench.Open();
        Assert.Equal(floor, again.Recovery.Floor);
        Assert.Equal(0UL, again.Recovery.MissingAtHead);
        Assert.Equal(0UL, again.Recovery.LostRecords);
        Assert.Equal(Enumerable.Range(401, 200).Select(id => (ulong)id), bench.ReadAll(again));
    }

    [Fact]
    public void ReleaseUpTo_ThenThePowerIsCut_IsNotTakenForALoss()
    {
        for (int seed = 1; seed <= 20; seed++)
        {
            var bench = new JournalBench(seed);
            DurableLog log = bench.Open();
            bench.AppendMany(log, 600, 900);
            log.ReleaseUpTo(400);
            bench.Disk.CutPower();

            using DurableLog again = bench.Open();
            Assert.Equal(401UL, again.Recovery.Floor);
            Assert.Equal(0UL, again.Recovery.MissingAtHead);
            Assert.Equal(Enumerable.Range(401, 200).Select(id => (ulong)id), bench.ReadAll(again));
        }
    }

    [Fact]
    public void MaxBytes_Exceeded_DropsTheOldestAndCountsThem()
    {
        var bench = new JournalBench(1);
        bench.Options = bench.Options with { MaxBytes = 512 * 1024 };
        using DurableLog log = bench.Open();
        for (int i = 0; i < 20; i++) bench.AppendMany(log, 100, 900);

        JournalStatus status = log.Status();
        Assert.InRange(status.DiskBytes, 256 * 1024, 512 * 1024);
        Assert.InRange(bench.Disk.UsedBytes, 256 * 1024, 512 * 1024);
        List<ulong> ids = bench.ReadAll(log);
        Assert.Equal(2000, ids.Count + (int)status.Counters.DroppedRecords);
        Assert.Equal(2000UL, ids[^1]);
        Assert.Equal(status.FirstHeldId, ids[0]);
    }

    [Fact]
    public void MaxAge_OldSegments_GoAndAJumpOfTheWallClockDeletesNothing()
    {
        var bench = new JournalBench(1);
        bench.Options = bench.Options with { MaxAge = TimeSpan.FromHours(1) };
        using DurableLog log = bench.Open();
        bench.AppendMany(log, 300, 900);
        bench.Time.StepWallClock(TimeSpan.FromDays(400));
        log.EnforceLimits();
        Assert.Equal(0, log.Status().Counters.DroppedRecords);

        bench.Time.Advance(TimeSpan.FromMinutes(61));
        log.EnforceLimits();
        Assert.True(log.Status().Counters.DroppedRecords > 100);
    }

    [Fact]
    public void TryOpen_Twice_NamesTheOwner()
    {
        var bench = new JournalBench(1);
        using DurableLog log = bench.Open();
        Assert.False(DurableLog.TryOpen(bench.Options, bench.Disk, bench.Time, out _, out OpenError? error));
        Assert.Equal(OpenFailure.Locked, error.Failure);
        Assert.Equal(Environment.ProcessId, error.OwnerPid);
        Assert.Contains($"process {Environment.ProcessId}", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void TryAppend_WithoutRoom_RefusesAndCounts()
    {
        var bench = new JournalBench(1);
        bench.Options = bench.Options with { MaxRecordBytes = 1000, MaxPendingBytes = 2500 };
        using DurableLog log = bench.Open();
        Assert.Equal(AppendOutcome.TooLarge, log.TryAppend(0, new byte[1001]).Outcome);
        Assert.Equal(AppendOutcome.Pending, log.TryAppend(0, new byte[1000]).Outcome);
        Assert.Equal(AppendOutcome.Pending, log.TryAppend(0, new byte[1000]).Outcome);
        Assert.Equal(AppendOutcome.Full, log.TryAppend(0, new byte[1000]).Outcome);
        Assert.Equal(2, log.Status().Counters.RefusedRecords);
        log.Commit();
        Assert.Equal(3UL, log.TryAppend(0, new byte[1000]).Id);
        log.Dispose();
        Assert.Equal(AppendOutcome.Closed, log.TryAppend(0, []).Outcome);
    }

    [Fact]
    public void TryAppendAndCommit_SteadyState_AllocateNothing()
    {
        // The simulated disk keeps every write, so this one runs on a real one.
        using var directory = new TemporaryDirectory();
        var options = new JournalOptions { Directory = directory.Path, Commit = CommitPolicy.None, SegmentBytes = 64 * 1024 * 1024 };
        Assert.True(DurableLog.TryOpen(options, FileOps.ForThisMachine(), TimeProvider.System, out DurableLog? log, out _));
        using DurableLog opened = log!;
        var payload = new byte[1024];
        ulong appended = 0;
        Run(5); // fills the pools
        for (int stretch = 0; stretch < 3; stretch++) Assert.Equal(0, Allocations.Of(() => Run(5)));
        Assert.Equal(appended, opened.DurableId);

        void Run(int commits)
        {
            for (int commit = 0; commit < commits; commit++)
            {
                for (int i = 0; i < 500; i++, appended++) opened.TryAppend(1, payload);
                opened.Commit();
            }
        }
    }
}
