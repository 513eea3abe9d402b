using NodeAgent.Testing.Disk;
using NodeAgent.Tsdb.Backup;
using NodeAgent.Tsdb.Segments;

namespace NodeAgent.Tsdb.Tests.Backup;

/// <summary>What a check says when bytes are wrong: it never misses one, and names the place.</summary>
public sealed class BackupDamageTests
{
    private const string Target = "/safe/b1";

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void SingleFile_WithAnyByteFlipped_IsNeverSound(bool encrypted)
    {
        (SimulatedDisk disk, BackupKey? key) = Make(single: true, encrypted);
        int length = disk.ReadFile(Target).Length;
        for (int offset = 0; offset < length; offset += offset < 256 || offset > length - 600 ? 1 : 97)
        {
            disk.FlipBit(Target, offset, offset % 8);
            AssertUnsound(disk, key, $"byte {offset} of {length}");
            disk.FlipBit(Target, offset, offset % 8);
        }

        Assert.True(Check(disk, key).IsSound);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void SingleFile_CutAnywhere_IsNeverSound(bool encrypted)
    {
        (SimulatedDisk disk, BackupKey? key) = Make(single: true, encrypted);
        byte[] whole = disk.ReadFile(Target);
        for (int length = 0; length < whole.Length; length += length < 200 || length > whole.Length - 300 ? 1 : 211)
        {
            disk.PutFile(Target, whole.AsSpan(0, length));
            AssertUnsound(disk, key, $"cut at {length} of {whole.Length}");
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void SingleFile_OfManyChunks_CannotBeRearranged(bool encrypted)
    {
        BackupKey? key = encrypted ? BackupTests.KeyFile : null;
        SimulatedDisk disk = new(1);
        disk.PutFile("/safe/x", []);
        SealedWriter writer = SealedWriter.Begin(disk, "/safe/x", disk.Open("/safe/x", Journal.Files.FileOpenMode.ReadWrite).Value, key, new byte[16]);
        byte[] content = new byte[(3 * SealedHeader.ChunkBytes) + 5];
        new Random(1).NextBytes(content);
        writer.Write(content);
        writer.Finish();
        writer.Dispose();
        byte[] whole = disk.ReadFile("/safe/x");
        const int Chunk = SealedHeader.ChunkBytes + SealedHeader.TagBytes;
        Assert.Equal(SealedHeader.Bytes + (3 * Chunk) + 5 + SealedHeader.TagBytes, whole.Length);

        byte[] swapped = [.. whole[..96], .. whole[(96 + Chunk)..(96 + (2 * Chunk))], .. whole[96..(96 + Chunk)], .. whole[(96 + (2 * Chunk))..]];
        byte[] without = [.. whole[..96], .. whole[(96 + Chunk)..]];
        byte[] ended = whole[..(96 + (3 * Chunk))];
        byte[] repeated = [.. whole[..(96 + Chunk)], .. whole[96..]];
        foreach (byte[] changed in new[] { swapped, without, ended, repeated })
        {
            disk.PutFile("/safe/x", changed);
            using SealedReader reader = SealedReader.Open(disk, "/safe/x", key);
            Assert.Contains(Enumerable.Range(0, (int)reader.Chunks), chunk => !reader.Check(chunk).Ok);
        }

        disk.PutFile("/safe/x", whole);
        using SealedReader good = SealedReader.Open(disk, "/safe/x", key);
        byte[] read = new byte[content.Length];
        Assert.Equal(content.Length, good.Read(read, 0).Value);
        Assert.Equal(content, read);
        Assert.Equal(7, good.Read(read.AsSpan(0, 7), SealedHeader.ChunkBytes - 3).Value);
        Assert.Equal(content.AsSpan(SealedHeader.ChunkBytes - 3, 7).ToArray(), read[..7]);
    }

    [Fact]
    public void Partial_ThatIsWholeByChance_IsNoBackup()
    {
        (SimulatedDisk disk, _) = Make(single: true, encrypted: false);
        disk.PutFile(Target + ".partial", disk.ReadFile(Target));
        Assert.Equal(BackupFailure.NotABackup, Assert.Throws<BackupException>(() => BackupView.Open(disk, Target + ".partial", null)).Failure);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Directory_WithAnyFileHarmed_NamesTheFile(bool encrypted)
    {
        (SimulatedDisk disk, BackupKey? key) = Make(single: false, encrypted);
        foreach (string path in disk.Paths.Where(path => path.StartsWith(Target, StringComparison.Ordinal)).ToList())
        {
            byte[] whole = disk.ReadFile(path);
            for (int offset = 0; offset < whole.Length; offset += 1 + (whole.Length / 40))
            {
                disk.FlipBit(path, offset, 3);
                AssertUnsound(disk, key, $"byte {offset} of {path}", path);
                disk.FlipBit(path, offset, 3);
            }

            disk.RemoveFile(path);
            AssertUnsound(disk, key, $"without {path}", path.EndsWith("backup.index", StringComparison.Ordinal) ? Target : path);
            disk.PutFile(path, whole);
        }
    }

    [Fact]
    public void State_WithAnyByteOfASegmentFlipped_NamesFileAndPlace()
    {
        SimulatedDisk disk = new(1);
        SegmentInfo info;
        using (BackupWorld world = new(1, disk))
        {
            world.Live(200);
            info = world.Store.Segments.Current.Raw[0].Info;
        }

        string path = $"{BackupWorld.State}/store/segments/{info.FileName}";
        for (int offset = 0; offset < info.Length; offset++)
        {
            disk.FlipBit(path, offset, offset % 8);
            StateFinding finding = Assert.Single(CheckState(disk).Findings);
            Assert.True(finding.IsDamage);
            Assert.Equal(path, finding.File);
            Assert.True(finding.Offset <= offset, $"byte {offset} is told as {finding}");
            disk.FlipBit(path, offset, offset % 8);
        }

        Assert.True(CheckState(disk).IsSound);
    }

    [Fact]
    public void State_WithADamagedLog_NamesFilePlaceAndCost()
    {
        SimulatedDisk disk = new(1);
        using (BackupWorld world = new(1, disk))
        {
            world.Live(30);
        }

        string path = disk.Paths.First(name => name.StartsWith($"{BackupWorld.State}/wal/", StringComparison.Ordinal) && name.EndsWith(".segment", StringComparison.Ordinal));
        disk.FlipBit(path, 64 + 10, 0); // the first record's payload
        StateFinding finding = Assert.Single(CheckState(disk).Findings);
        Assert.Equal((path, 64L), (finding.File, finding.Offset));
        Assert.Contains("it cost 1 records from 1 on", finding.What, StringComparison.Ordinal);
    }

    [Fact]
    public void State_AfterAKill_IsSoundAndUntouchedByTheCheck()
    {
        SimulatedDisk disk = new(1);
        using (BackupWorld world = new(1, disk))
        {
            world.Live(57);
            disk.KillProcess();
        }

        string[] names = [.. disk.Paths.Where(path => !path.EndsWith("/lock", StringComparison.Ordinal))];
        Dictionary<string, byte[]> before = names.ToDictionary(path => path, disk.ReadFile);
        Assert.True(CheckState(disk).IsSound);
        Assert.Equal(before, disk.Paths.Where(path => !path.EndsWith("/lock", StringComparison.Ordinal)).ToDictionary(path => path, disk.ReadFile));
    }

    private static StateReport CheckState(SimulatedDisk disk)
    {
        using StateOnDisk state = StateOnDisk.Open(disk, BackupWorld.State, TimeProvider.System);
        return StateCheck.Run(state, BackupWorld.Silent, CancellationToken.None);
    }

    private static StateReport Check(SimulatedDisk disk, BackupKey? key)
    {
        using BackupView view = BackupView.Open(disk, Target, key);
        return StateCheck.Run(view, TimeProvider.System, BackupWorld.Silent, CancellationToken.None);
    }

    private static void AssertUnsound(SimulatedDisk disk, BackupKey? key, string what, string? path = null)
    {
        try
        {
            StateReport report = Check(disk, key);
            Assert.False(report.IsSound, $"{what}: passed");
            Assert.True(path is null || report.Findings.Any(finding => finding.File == path), $"{what}: {string.Join("; ", report.Findings)}");
        }
        catch (BackupException e)
        {
            Assert.True(path is null || e.Message.Contains(path, StringComparison.Ordinal), $"{what}: {e.Message}");
        }
    }

    private static (SimulatedDisk Disk, BackupKey? Key) Make(bool single, bool encrypted)
    {
        BackupKey? key = encrypted ? BackupTests.KeyFile : null;
        SimulatedDisk disk = new(1);
        using BackupWorld world = new(1, disk);
        world.Live(60);
        world.Backup(BackupWorld.To(Target, single, key));
        return (disk, key);
    }
}
