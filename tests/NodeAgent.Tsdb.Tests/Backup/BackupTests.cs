using NodeAgent.Journal.Files;
using NodeAgent.Testing.Disk;
using NodeAgent.Tsdb.Backup;

namespace NodeAgent.Tsdb.Tests.Backup;

/// <summary>Backups that are made while rows come in, looked at, harmed, and put back.</summary>
public sealed class BackupTests
{
    private const string Target = "/safe/b1";

    public static BackupKey KeyFile { get; } = BackupKey.FromFile(Enumerable.Range(0, 32).Select(i => (byte)i).ToArray());

    public static TheoryData<bool, string> Forms => new()
    {
        { false, "plain" }, { false, "linked" }, { false, "key" }, { false, "passphrase" }, { true, "plain" }, { true, "key" }, { true, "passphrase" },
    };

    [Theory]
    [MemberData(nameof(Forms))]
    public void Backup_WhileRowsComeIn_RestoresWhatTheCutHad(bool single, string form)
    {
        using BackupWorld world = new(1);
        world.Live(123);
        BackupKey? key = KeyOf(form);
        using (BackupCut cut = world.Cut())
        {
            world.Live(200); // flushed, merged, released: none of it may reach into the cut
            BackupIndex index = BackupWriter.Write(world.Disk, cut, BackupWorld.To(Target, single, key, form == "linked"), BackupWorld.Silent, CancellationToken.None);
            Assert.Equal(123UL, index.LogId);
        }

        using BackupView view = BackupView.Open(world.Disk, Target, key);
        StateReport report = StateCheck.Run(view, TimeProvider.System, BackupWorld.Silent, CancellationToken.None);
        Assert.Empty(report.Findings);
        IReadOnlyList<string> aside = RestoreJob.Run(world.Disk, view, Into("/other"), TimeProvider.System, BackupWorld.Silent, CancellationToken.None);
        Assert.Empty(aside);

        using BackupWorld restored = new(2, world.Disk, "/other");
        Assert.Equal(123, restored.Rows);
        restored.AssertHolds(123, form);
        restored.Live(77); // and life goes on from there, nothing taken for stored that is not
        restored.AssertHolds(200, form + ", lived on");
        world.AssertHolds(323, "the origin");
    }

    [Fact]
    public void Backup_OfAStoppedAggregator_IsTheSameAsOnline()
    {
        SimulatedDisk disk = new(1);
        using (BackupWorld world = new(1, disk))
        {
            world.Live(150);
            disk.KillProcess();
        }

        using (StateOnDisk state = StateOnDisk.Open(disk, BackupWorld.State, TimeProvider.System))
        using (BackupCut cut = state.Cut())
        {
            BackupWriter.Write(disk, cut, BackupWorld.To(Target, single: true, KeyFile), BackupWorld.Silent, CancellationToken.None);
            StateInspection found = StateInspection.Of(state);
            Assert.Equal((2, 4), (found.Nodes, found.Series));
            Assert.Equal(280, found.Segments.Where(segments => segments.Kind == "raw").Sum(segments => segments.Samples));
        }

        using BackupView view = BackupView.Open(disk, Target, KeyFile);
        RestoreJob.Run(disk, view, Into("/other"), TimeProvider.System, BackupWorld.Silent, CancellationToken.None);
        using BackupWorld restored = new(2, disk, "/other");
        restored.AssertHolds(150, "after the restore");
    }

    [Fact]
    public void Backup_WithLinks_WritesNoSegmentAgain()
    {
        using BackupWorld world = new(1);
        world.Live(200);
        world.Disk.Trace = [];
        world.Backup(BackupWorld.To(Target, single: false, linked: true));
        Assert.NotEmpty(world.Store.Segments.Current.All);
        Assert.Equal(world.Store.Segments.Current.All.Length, world.Disk.Trace.Count(call => call.Contains(" link ", StringComparison.Ordinal)));
        Assert.DoesNotContain(world.Disk.Trace, call => call.Contains("write", StringComparison.Ordinal) && call.Contains("/store/segments/", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Backup_WhereOneIs_IsRefusedAndHarmsNothing(bool single)
    {
        using BackupWorld world = new(1);
        world.Live(50);
        world.Backup(BackupWorld.To(Target, single));
        Dictionary<string, byte[]> before = world.Disk.Paths.ToDictionary(path => path, world.Disk.ReadFile);
        BackupException refused = Assert.Throws<BackupException>(() => world.Backup(BackupWorld.To(Target, single)));
        Assert.Equal(BackupFailure.InTheWay, refused.Failure);
        Assert.Equal(before, world.Disk.Paths.ToDictionary(path => path, world.Disk.ReadFile));
    }

    [Fact]
    public void Backup_IntoTheStateDirectory_IsRefusedAndHarmsNothing()
    {
        using BackupWorld world = new(1);
        world.Live(50);
        BackupException refused = Assert.Throws<BackupException>(() => world.Backup(BackupWorld.To(BackupWorld.State, single: false)));
        Assert.Equal(BackupFailure.InTheWay, refused.Failure);
        world.AssertHolds(50, "afterwards");
        Assert.Equal(50, world.RowsInLog());
    }

    [Fact]
    public void State_InUse_IsNeitherOpenedNorReplaced()
    {
        using BackupWorld world = new(1);
        world.Live(50);
        world.Backup(BackupWorld.To(Target, single: true));
        Assert.Equal(BackupFailure.InUse, Assert.Throws<BackupException>(() => StateOnDisk.Open(world.Disk, BackupWorld.State, TimeProvider.System)).Failure);
        using BackupView view = BackupView.Open(world.Disk, Target, null);
        BackupException refused = Assert.Throws<BackupException>(() =>
            RestoreJob.Run(world.Disk, view, Into(BackupWorld.State, force: true), TimeProvider.System, BackupWorld.Silent, CancellationToken.None));
        Assert.Equal(BackupFailure.InUse, refused.Failure);
    }

    [Fact]
    public void Restore_OverState_NeedsForceAndPutsItAside()
    {
        SimulatedDisk disk = new(1);
        using (BackupWorld world = new(1, disk))
        {
            world.Live(50);
            world.Backup(BackupWorld.To(Target, single: true));
            world.Live(60);
        }

        using BackupView view = BackupView.Open(disk, Target, null);
        BackupException refused = Assert.Throws<BackupException>(() =>
            RestoreJob.Run(disk, view, Into(BackupWorld.State), TimeProvider.System, BackupWorld.Silent, CancellationToken.None));
        Assert.Equal(BackupFailure.InTheWay, refused.Failure);
        IReadOnlyList<string> aside = RestoreJob.Run(disk, view, Into(BackupWorld.State, force: true), TimeProvider.System, BackupWorld.Silent, CancellationToken.None);
        using (BackupWorld restored = new(2, disk))
        {
            restored.AssertHolds(50, "the restored state");
        }

        using BackupWorld former = new(3, disk, Assert.Single(aside));
        former.AssertHolds(110, "the state that was put aside");
    }

    [Fact]
    public void Key_MissingOrWrong_IsToldFromDamage()
    {
        using BackupWorld world = new(1);
        world.Live(20);
        world.Backup(BackupWorld.To(Target, single: true, KeyFile));
        BackupKey other = BackupKey.FromFile(new byte[32]);
        foreach (BackupKey? key in new[] { null, other, BackupKey.FromPassphrase("correct horse") })
        {
            Assert.Equal(BackupFailure.WrongKey, Assert.Throws<BackupException>(() => BackupView.Open(world.Disk, Target, key)).Failure);
        }

        Assert.DoesNotContain("n0", System.Text.Encoding.Latin1.GetString(world.Disk.ReadFile(Target)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("short")]
    [InlineData("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdeg")]
    public void KeyFile_OfAnotherForm_IsRefused(string content) =>
        Assert.Throws<FormatException>(() => BackupKey.FromFile(System.Text.Encoding.ASCII.GetBytes(content)));

    [Fact]
    public void KeyFile_AsDigits_IsTheSameKey()
    {
        using BackupWorld world = new(1);
        world.Live(20);
        world.Backup(BackupWorld.To(Target, single: true, KeyFile));
        string digits = Convert.ToHexString(Enumerable.Range(0, 32).Select(i => (byte)i).ToArray());
        using BackupView view = BackupView.Open(world.Disk, Target, BackupKey.FromFile(System.Text.Encoding.ASCII.GetBytes(digits + "\n")));
        Assert.Equal(20UL, view.Index.LogId);
    }

    private static BackupKey? KeyOf(string form) => form switch
    {
        "key" => KeyFile,
        "passphrase" => BackupKey.FromPassphrase("a long passphrase\n"),
        _ => null,
    };

    [Fact]
    public void Restore_OfAStoreOnAnotherDisk_PutsItThereAndTheFormerOneAside()
    {
        SimulatedDisk disk = new(1);
        using (BackupWorld world = new(1, disk, store: "/wide"))
        {
            world.Live(50);
            world.Backup(BackupWorld.To(Target, single: true));
            world.Live(60);
        }

        using BackupView view = BackupView.Open(disk, Target, null);
        IReadOnlyList<string> aside = RestoreJob.Run(
            disk, view, Into(BackupWorld.State, force: true, store: "/wide"), TimeProvider.System, BackupWorld.Silent, CancellationToken.None);
        Assert.Equal(2, aside.Count);
        Assert.StartsWith("/wide/replaced-", aside.Single(path => !path.StartsWith(BackupWorld.State, StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.DoesNotContain(disk.Paths, path => path.StartsWith($"{BackupWorld.State}/store/", StringComparison.Ordinal));
        using (BackupWorld restored = new(2, disk, store: "/wide"))
        {
            restored.AssertHolds(50, "the restored state");
        }

        using BackupWorld former = new(3, disk, aside.Single(path => path.StartsWith(BackupWorld.State, StringComparison.Ordinal)), aside.Single(path => path.StartsWith("/wide", StringComparison.Ordinal)));
        former.AssertHolds(110, "the state that was put aside");
    }

    internal static RestoreOptions Into(string directory, bool force = false, string? store = null) =>
        new() { Directory = directory, StoreDirectory = store, IsForced = force, Now = DateTimeOffset.FromUnixTimeMilliseconds(Make.Start) };
}
