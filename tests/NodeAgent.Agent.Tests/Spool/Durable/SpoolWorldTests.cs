using NodeAgent.Agent.Spool;
using NodeAgent.Journal;
using NodeAgent.Journal.Files;
using NodeAgent.Testing.Disk;

namespace NodeAgent.Agent.Tests.Spool.Durable;

public sealed class SpoolWorldTests : IDisposable
{
    private readonly SpoolBench _bench = new();

    public void Dispose() => _bench.Dispose();

    [Fact]
    public void Disk_FailingForGood_GoesOnInMemoryAndHealsByItself()
    {
        _bench.Open().Ticks(30);
        _bench.Disk.Fault = new DiskFault(DiskFaultKind.Error, _bench.Disk.Calls + 1, Errno.InputOutput, int.MaxValue);
        _bench.Ticks(3);
        Assert.Equal(SpoolMode.MemoryOnly, _bench.Spool.Mode);
        Assert.Contains("EIO", _bench.Spool.ModeReason, StringComparison.Ordinal);
        Assert.Equal(30UL, _bench.Spool.ReadableThrough);
        _bench.Ticks(20);
        Assert.Equal(53UL, _bench.Spool.ReadableThrough);
        Assert.Equal(53, _bench.AssertReadsBack().Count);
        _bench.Disk.Fault = null;
        _bench.Ticks(10);
        Assert.Equal((SpoolMode.Durable, ""), (_bench.Spool.Mode, _bench.Spool.ModeReason));
        Assert.Single(_bench.Logs.Named("SpoolMemoryOnly"));
        Assert.Single(_bench.Logs.Named("SpoolDurableAgain"));
        _bench.Disk.CutPower();
        _bench.Open();
        Assert.Equal(63, _bench.AssertReadsBack().Count);
        Assert.Equal(default, _bench.Spool.Counts);
    }

    [Fact]
    public void Sync_FailingOnce_LosesNothingAndIsCounted()
    {
        _bench.Open().Ticks(30);
        for (int i = 0; i < 40; i++)
        {
            long before = _bench.Disk.FaultsHit;
            _bench.Disk.Fault = new DiskFault(DiskFaultKind.Error, _bench.Disk.Calls + 1 + (i % 4), Errno.InputOutput);
            _bench.Ticks(1);
            _bench.Disk.Fault = null;
            Assert.True(_bench.Disk.FaultsHit <= before + 1);
            _bench.Ticks(9);
        }

        Assert.Equal(SpoolMode.Durable, _bench.Spool.Mode);
        _bench.Disk.CutPower();
        _bench.Open();
        Assert.Equal(430, _bench.AssertReadsBack().Count);
    }

    [Fact]
    public void Memory_FullWhileTheDiskFails_DropsTheOldestAndCountsThem()
    {
        _bench.Plan = _bench.Plan with { MemoryBytes = 256 * 1024 };
        _bench.Open().Ticks(30);
        _bench.Disk.Fault = new DiskFault(DiskFaultKind.Error, _bench.Disk.Calls + 1, Errno.ReadOnlyFileSystem, int.MaxValue);
        _bench.Ticks(6_000);
        SpoolCounts counts = _bench.Spool.Counts;
        Assert.True(counts.DroppedRecords > 1_000, counts.ToString());
        _bench.Disk.Fault = null;
        _bench.Ticks(10);
        List<ulong> held = _bench.AssertReadsBack();
        Assert.Equal(6_040UL, (ulong)held.Count + _bench.Spool.Counts.DroppedRecords);
        Assert.Equal(_bench.Spool.Counts.DroppedSamples, (ulong)_bench.Appended.Where(pair => !held.Contains(pair.Key.Sequence)).Sum(pair => pair.Value.Samples));
        _bench.Spool.Dispose();
        _bench.Open();
        Assert.Equal(held, _bench.AssertReadsBack());
        Assert.Equal(6_040UL, (ulong)held.Count + _bench.Spool.Counts.DroppedRecords);
    }

    [Fact]
    public void Disk_Full_MakesRoomAndRecovers()
    {
        _bench.Plan = _bench.Plan with { MaxBytes = SpoolPlan.LeastBytes };
        _bench.Open().Ticks(15_000);
        _bench.Disk.CapacityBytes = _bench.Disk.UsedBytes + 10_000;
        _bench.Ticks(3_000);
        Assert.Equal(SpoolMode.Durable, _bench.Spool.Mode);
        Assert.InRange(_bench.Logs.Named("SpoolMemoryOnly").Count, 1, 3);
        Assert.Equal(18_000UL, (ulong)_bench.Represented().Count + _bench.Spool.Counts.DroppedRecords);
        _bench.Disk.CapacityBytes = long.MaxValue;
        _bench.Ticks(2_000);
        Assert.Equal(20_000UL, (ulong)_bench.Represented().Count + _bench.Spool.Counts.DroppedRecords);
    }

    [Fact]
    public void Directory_Removed_IsMadeAgainAndTheLossCounted()
    {
        _bench.Open().Ticks(5_000);
        ulong inMemory = _bench.Spool.LiveStart();
        _bench.Disk.RemoveDirectory(SpoolBench.Directory);
        _bench.Ticks(30);
        Assert.Equal(SpoolMode.Durable, _bench.Spool.Mode);
        List<ulong> held = _bench.AssertReadsBack();
        Assert.True(held.Count >= (int)(5_030 - inMemory), $"{held.Count} records are left");
        Assert.Equal(5_030UL, (ulong)held.Count + _bench.Spool.Counts.DroppedRecords);
        Assert.Equal(_bench.Spool.Counts.LostRecords, _bench.Spool.Counts.DroppedRecords);
    }

    [Fact]
    public void Open_SecondAgent_IsRefusedWithTheReason()
    {
        _bench.Open().Ticks(3);
        using DurableSpool first = _bench.Spool;
        _bench.Open();
        Assert.Equal(OpenFailure.Locked, _bench.Spool.OpenFailure!.Failure);
        Assert.Contains($"in use by process {Environment.ProcessId}", _bench.Spool.OpenFailure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_SpoolOfAnotherAgent_SetsItAside()
    {
        _bench.Open().Ticks(100);
        ulong epoch = _bench.Spool.Epoch;
        _bench.Spool.Dispose();
        _bench.Plan = _bench.Plan with { Owner = "somebody else" };
        _bench.Open().Ticks(5);
        Assert.NotEqual(epoch, _bench.Spool.Epoch);
        Assert.Equal(5, _bench.AssertReadsBack().Count);
        Assert.Contains("another agent", _bench.Logs.Single("SpoolSetAside").Message, StringComparison.Ordinal);
        Assert.Contains(_bench.Disk.Paths, path => path.Contains("/full/quarantine/", StringComparison.Ordinal));
    }

    [Fact]
    public void Open_DiskAwayAtFirst_BeginsInMemoryAndMovesToDisk()
    {
        _bench.Disk.Fault = new DiskFault(DiskFaultKind.Error, 1, Errno.ReadOnlyFileSystem, int.MaxValue);
        _bench.Open().Ticks(20);
        ulong epoch = _bench.Spool.Epoch;
        Assert.Equal((SpoolMode.MemoryOnly, 20UL), (_bench.Spool.Mode, _bench.Spool.ReadableThrough));
        _bench.Disk.Fault = null;
        _bench.Ticks(30);
        Assert.Equal((SpoolMode.Durable, epoch), (_bench.Spool.Mode, _bench.Spool.Epoch));
        _bench.Spool.Dispose();
        _bench.Open();
        Assert.Equal(epoch, _bench.Spool.Epoch);
        Assert.Equal(50, _bench.AssertReadsBack().Count);
    }

    [Fact]
    public void Open_DiskAwayAtFirstWithABacklogOnIt_OffersTheBacklogAndThenTakesTheDisk()
    {
        _bench.Open().Ticks(100);
        ulong epoch = _bench.Spool.Epoch;
        _bench.Spool.Dispose();
        _bench.Disk.Fault = new DiskFault(DiskFaultKind.Error, _bench.Disk.Calls + 1, Errno.InputOutput, int.MaxValue);
        _bench.Open().Ticks(5);
        Assert.NotEqual(epoch, _bench.Spool.Epoch);
        _bench.Disk.Fault = null;
        _bench.Ticks(100);
        Assert.Contains("100 records", _bench.Logs.Single("SpoolBacklogWaits").Message, StringComparison.Ordinal);
        ISpool inherited = _bench.Spool.Inherited!;
        Assert.Equal((epoch, 100UL, SpoolMode.MemoryOnly), (inherited.Epoch, inherited.UnacknowledgedRecords, _bench.Spool.Mode));
        byte[] buffer = new byte[16];
        for (ulong wanted = 1; wanted <= 100; wanted++)
        {
            ulong sequence = wanted;
            Assert.True(inherited.TryRead(ref sequence, ref buffer, out int length));
            Assert.Equal(wanted, sequence);
            Assert.True(_bench.Appended[(epoch, wanted)].Message.AsSpan().SequenceEqual(buffer.AsSpan(0, length)), $"record {wanted} reads back changed");
        }

        inherited.Acknowledge(1, 60);
        _bench.Ticks(10);
        Assert.Equal(40UL, inherited.UnacknowledgedRecords);
        inherited.Acknowledge(61, 100);
        _bench.Ticks(10);
        Assert.Equal((null, SpoolMode.Durable), (_bench.Spool.Inherited, _bench.Spool.Mode));
        Assert.Equal(125, _bench.AssertReadsBack().Count);

        // On disk: the next life has them, and nothing of the earlier one.
        ulong own = _bench.Spool.Epoch;
        _bench.Disk.CutPower();
        _bench.Open();
        Assert.Equal((own, 125), (_bench.Spool.Epoch, _bench.AssertReadsBack().Count));
        Assert.Equal(default, _bench.Spool.Counts);
    }

    [Fact]
    public void Open_DiskAwayAtFirst_AnEndBeforeTheBacklogIsTakenLeavesItToTheNextLife()
    {
        _bench.Open().Ticks(100);
        ulong epoch = _bench.Spool.Epoch;
        _bench.Spool.Dispose();
        _bench.Disk.Fault = new DiskFault(DiskFaultKind.Error, _bench.Disk.Calls + 1, Errno.InputOutput, int.MaxValue);
        _bench.Open().Ticks(5);
        _bench.Disk.Fault = null;
        _bench.Ticks(100);
        _bench.Spool.Inherited!.Acknowledge(1, 60);
        _bench.Spool.Dispose();
        _bench.Open();
        Assert.Equal((epoch, 40UL), (_bench.Spool.Epoch, _bench.Spool.UnacknowledgedRecords));
    }

    [Fact]
    public void Read_WhileTheDiskRefuses_GivesNothingLaterInItsPlace()
    {
        // A backlog on disk, fresh records in memory. Were they given out, the aggregator's acknowledgement would free what was never sent.
        _bench.Open().Ticks(100);
        _bench.Disk.CutPower();
        _bench.Plan = _bench.Plan with { BootId = "boot-2" };
        _bench.Open().Ticks(20);
        _bench.Disk.Fault = new DiskFault(DiskFaultKind.Error, _bench.Disk.Calls + 1, Errno.InputOutput, int.MaxValue);
        Assert.Empty(_bench.Read());
        Assert.Equal(1UL, _bench.Spool.StartAfter(0));
        _bench.Time.Advance(DiskCursor.PatienceWithBlock / 2);
        Assert.Empty(_bench.Read());
        _bench.Disk.Fault = null;
        Assert.Equal(120, _bench.AssertReadsBack().Count);
        Assert.Equal(default, _bench.Spool.Counts);
    }

    [Fact]
    public void Open_WhileABurstOfReadsFails_SetsNothingAside()
    {
        _bench.Open().Ticks(100);
        _bench.Disk.KillProcess();
        long before = _bench.Disk.Calls;
        _bench.Open();
        long calls = _bench.Disk.Calls - before;
        for (long call = 1; call <= calls; call++)
        {
            _bench.Disk.KillProcess();
            _bench.Disk.Fault = new DiskFault(DiskFaultKind.Error, _bench.Disk.Calls + call, Errno.InputOutput, 8);
            _bench.Open();
            _bench.Disk.KillProcess();
            _bench.Disk.Fault = null;
            _bench.Open();
            Assert.Equal(100, _bench.AssertReadsBack().Count);
            Assert.Equal(default, _bench.Spool.Counts);
        }
    }

    [Fact]
    public void Chapters_DroppedWhileNothingCanBeNoted_AreCountedByTheNextLife()
    {
        // Full, so the backlog goes; and before the disk takes a note of it the agent ends.
        _bench.Open().Ticks(100);
        _bench.Disk.CutPower();
        _bench.Plan = _bench.Plan with { BootId = "boot-2" };
        _bench.Open().Ticks(20);
        _bench.Disk.CutPower();
        _bench.Plan = _bench.Plan with { BootId = "boot-3" };
        _bench.Open();
        _bench.Disk.CapacityBytes = _bench.Disk.UsedBytes;
        _bench.Ticks(3);
        ulong dropped = _bench.Spool.Counts.DroppedRecords;
        Assert.True(dropped > 0);
        _bench.Disk.KillProcess();
        _bench.Disk.CapacityBytes = long.MaxValue;
        _bench.Open();

        // The newest file is never deleted, so what was dropped in it may be back.
        Assert.InRange(_bench.Spool.Counts.DroppedRecords, 1UL, dropped);
        Assert.Equal(120UL, _bench.Spool.Counts.DroppedRecords + _bench.Spool.UnacknowledgedRecords);
        Assert.Equal(_bench.Spool.UnacknowledgedRecords, (ulong)_bench.AssertReadsBack().Count);
    }

    [Fact]
    public void Disk_NotAnswering_HoldsUpNobodyButItself()
    {
        _bench.Open().Ticks(30);
        using SemaphoreSlim stuck = new(0);
        using SemaphoreSlim reached = new(0);
        _bench.Disk.BeforeSync = () =>
        {
            reached.Release();
            stuck.Wait();
        };
        _bench.Tick(pump: false);
        Thread disk = new(() => _bench.Spool.Pump());
        disk.Start();
        reached.Wait();
        for (int i = 0; i < 12; i++)
        {
            _bench.Tick(pump: false);
        }

        Assert.Equal((SpoolMode.MemoryOnly, "the disk does not answer"), (_bench.Spool.Mode, _bench.Spool.ModeReason));
        Assert.Equal(43UL, _bench.Spool.ReadableThrough);
        Assert.Equal(43, _bench.AssertReadsBack().Count);
        _bench.Disk.BeforeSync = null;
        stuck.Release(100);
        disk.Join();
        _bench.Ticks(2);
        Assert.Equal(SpoolMode.Durable, _bench.Spool.Mode);
    }

    [Theory]
    [InlineData("link")]
    [InlineData("mode")]
    [InlineData("file")]
    public void Inspect_NotADirectoryOfOurs_SaysWhy(string harm)
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("symbolic links and modes are those of Linux here");
            return;
        }

        string folder = Path.Combine(Path.GetTempPath(), $"spool-inspect-{Environment.ProcessId}-{harm}");
        string spool = Path.Combine(folder, "spool");
        Directory.CreateDirectory(folder);
        try
        {
            Assert.Null(SpoolDirectory.Inspect(spool));
            Directory.CreateDirectory(spool, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            Assert.Null(SpoolDirectory.Inspect(spool));
            string state = Path.Combine(spool, "state");
            string expected;
            switch (harm)
            {
                case "link":
                    Directory.CreateSymbolicLink(state, "/etc");
                    expected = "is a symbolic link to /etc";
                    break;
                case "mode":
                    File.SetUnixFileMode(spool, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.OtherWrite);
                    expected = "can be written by others (mode 702)";
                    break;
                default:
                    File.WriteAllText(state, "");
                    expected = "is a file where the spool wants a directory";
                    break;
            }

            Assert.Contains(expected, SpoolDirectory.Inspect(spool), StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
