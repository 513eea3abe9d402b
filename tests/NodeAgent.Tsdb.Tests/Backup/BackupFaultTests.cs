using NodeAgent.Journal.Files;
using NodeAgent.Testing.Disk;
using NodeAgent.Tsdb.Backup;

namespace NodeAgent.Tsdb.Tests.Backup;

/// <summary>A backup or a restore that dies, or meets a refusing disk, at each of its file calls in turn.</summary>
public sealed class BackupFaultTests
{
    private const string Target = "/safe/b1";
    private const int Rows = 60;

    [Theory]
    [InlineData(false, "kill")]
    [InlineData(true, "kill")]
    [InlineData(false, "power")]
    [InlineData(true, "power")]
    [InlineData(false, "once")]
    [InlineData(true, "once")]
    public void Backup_FailingAtAnyCall_HarmsNothingAndNeverPassesHalfMade(bool single, string how)
    {
        (long first, long last, List<string> calls) = CallsOf(single);
        Assert.True(last > first + 15);
        int kept = 0;
        for (long call = first; call <= last; call++)
        {
            SimulatedDisk disk = new((int)call);
            using (BackupWorld world = new(1, disk))
            {
                world.Live(Rows);
                disk.Fault = new DiskFault(DiskFaultKind.Error, call, Errno.InputOutput, how == "once" ? 1 : int.MaxValue);
                bool isDone = TryBackup(world, single);
                disk.Fault = null;
                if (how == "once")
                {
                    string failed = calls.Find(text => text.StartsWith($"{call} ", StringComparison.Ordinal))!;
                    Assert.True(!isDone || failed.Contains(" close ", StringComparison.Ordinal), $"{failed} failed, and nobody noticed");
                    world.Live(20); // the store has not noticed at all
                    world.AssertHolds(Rows + 20, $"call {call}");
                    continue;
                }

                (how == "kill" ? (Action)disk.KillProcess : disk.CutPower)();
            }

            using (BackupWorld after = new(2, disk))
            {
                after.AssertHolds(Rows, $"the store after call {call}");
            }

            kept += IsSoundAndWhole(disk, call) ? 1 : 0;
        }

        Assert.True(kept <= 8, $"{kept} attempts passed; only the last calls come after the backup is whole");
    }

    [Theory]
    [InlineData("kill", null)]
    [InlineData("power", null)]
    [InlineData("kill", "/wide")]
    [InlineData("power", "/wide")]
    public void Restore_FailingAtAnyCall_LeavesTheOldStateOrEndsWhenRunAgain(string how, string? store)
    {
        (SimulatedDisk probe, long first, long last) = PrepareRestore(null, 0, store);
        Assert.NotNull(probe);
        for (long call = first; call <= last; call += 3)
        {
            (SimulatedDisk disk, _, _) = PrepareRestore(how, call, store);
            bool isUnfinished = disk.Paths.Contains($"{BackupWorld.State}/{StateRooms.UnfinishedRestore}");
            if (!isUnfinished)
            {
                using BackupWorld either = new(3, disk, store: store);
                Assert.True(either.Rows is Rows or Rows + 30, $"call {call}: {either.Rows} rows");
                either.AssertHolds(either.Rows, $"call {call}");
                continue;
            }

            Assert.Throws<BackupException>(() => StateOnDisk.Open(disk, BackupWorld.State, TimeProvider.System, store));
            Restore(disk, force: false, store); // goes on without being forced: what was in the way is aside already
            using BackupWorld restored = new(4, disk, store: store);
            restored.AssertHolds(Rows, $"call {call}, run again");
        }
    }

    private static (SimulatedDisk Disk, long First, long Last) PrepareRestore(string? how, long call, string? store)
    {
        SimulatedDisk disk = new(7);
        using (BackupWorld world = new(1, disk, store: store))
        {
            world.Live(Rows);
            world.Backup(BackupWorld.To(Target, single: true));
            world.Live(30);
        }

        long first = disk.Calls + 1;
        disk.Fault = how is null ? null : new DiskFault(DiskFaultKind.Error, call, Errno.InputOutput, int.MaxValue);
        try
        {
            Restore(disk, force: true, store);
        }
        catch (BackupException e) when (how is not null && e.Failure is BackupFailure.Disk or BackupFailure.Damaged or BackupFailure.NotABackup)
        {
            Assert.NotEmpty(e.Message);
        }

        long last = disk.Calls;
        disk.Fault = null;
        if (how == "kill")
        {
            disk.KillProcess();
        }
        else if (how == "power")
        {
            disk.CutPower();
        }

        return (disk, first, last);
    }

    private static void Restore(SimulatedDisk disk, bool force, string? store)
    {
        using BackupView view = BackupView.Open(disk, Target, null);
        RestoreJob.Run(disk, view, BackupTests.Into(BackupWorld.State, force, store), TimeProvider.System, BackupWorld.Silent, CancellationToken.None);
    }

    private static (long First, long Last, List<string> Calls) CallsOf(bool single)
    {
        using BackupWorld world = new(1);
        world.Live(Rows);
        long first = world.Disk.Calls + 1;
        world.Disk.Trace = [];
        Assert.True(TryBackup(world, single));
        return (first, world.Disk.Calls, world.Disk.Trace);
    }

    private static bool TryBackup(BackupWorld world, bool single)
    {
        try
        {
            world.Backup(BackupWorld.To(Target, single));
            return true;
        }
        catch (BackupException e)
        {
            Assert.Equal(BackupFailure.Disk, e.Failure);
            return false;
        }
    }

    private static bool IsSoundAndWhole(SimulatedDisk disk, long call)
    {
        try
        {
            using BackupView view = BackupView.Open(disk, Target, null);
            if (!StateCheck.Run(view, TimeProvider.System, BackupWorld.Silent, CancellationToken.None).IsSound)
            {
                return false;
            }

            RestoreJob.Run(disk, view, BackupTests.Into("/other"), TimeProvider.System, BackupWorld.Silent, CancellationToken.None);
        }
        catch (BackupException)
        {
            return false; // no backup, as it should be
        }

        using BackupWorld restored = new(5, disk, "/other");
        restored.AssertHolds(Rows, $"a backup that passes, call {call}");
        return true;
    }
}
