using NodeAgent.Journal.Reading;
using NodeAgent.Journal.Segments;

namespace NodeAgent.Journal.Tests.Formats;

/// <summary>
/// The bytes of version 1, frozen in tests/fixtures/formats/v1. The writer must go on making exactly these, and every later version must
/// go on reading them. A new version gets a folder of its own; <c>GOLDEN_UPDATE=1</c> writes files that are missing, and never changes one.
/// </summary>
public sealed class SegmentFixtureTests
{
    [Theory]
    [InlineData("journal-small.bin", 0)]
    [InlineData("journal-blocks.bin", 1)]
    [InlineData("journal-floor.bin", 2)]
    public void Writer_OfTheSameRecords_MakesTheFrozenBytes(string name, int script)
    {
        var bench = new JournalBench(0);
        byte[] made = Make(bench, script);
        string path = Fixture(name);
        if (!File.Exists(path) && Environment.GetEnvironmentVariable("GOLDEN_UPDATE") == "1") File.WriteAllBytes(path, made);
        Assert.True(File.ReadAllBytes(path).AsSpan().SequenceEqual(made), $"{name}: the writer no longer makes the bytes of version 1");
    }

    [Theory]
    [InlineData("journal-small.bin", 0)]
    [InlineData("journal-blocks.bin", 1)]
    [InlineData("journal-floor.bin", 2)]
    public void Reader_OfTheFrozenBytes_FindsEveryRecord(string name, int script)
    {
        var bench = new JournalBench(0);
        Make(bench, script);
        var old = new JournalBench(1);
        foreach ((ulong id, (byte, byte[]) record) in bench.Taken) old.Taken[id] = record;
        old.Disk.PutFile($"{JournalBench.Directory}/0000000000000001.segment", File.ReadAllBytes(Fixture(name)));

        using DurableLog log = old.Open();
        Assert.Equal(bench.Taken.Count, old.ReadAll(log).Count + (int)(log.Recovery.Floor - 1));
        Assert.Equal(0UL, log.Recovery.LostRecords);
        Assert.Equal(0L, log.Recovery.TornBytes);
    }

    [Fact]
    public void Numbers_OnDisks_AreThoseOfTheDescription()
    {
        Assert.Equal(1, SegmentFormat.Version);
        Assert.Equal(65536, SegmentFormat.BlockBytes);
        Assert.Equal(64, BlockHeader.Bytes);
        Assert.Equal(10, SegmentFormat.FragmentHeaderBytes);
        Assert.Equal("00000000000000ff.segment", SegmentName.Of(255));
    }

    private static byte[] Make(JournalBench bench, int script)
    {
        using DurableLog log = bench.Open();
        switch (script)
        {
            case 0:
                foreach (int size in new[] { 0, 1, 8, 100, 1000 }) bench.AppendMany(log, 1, size);
                break;
            case 1:
                foreach (int size in new[] { 30_000, 35_380, 60_000, 5, 0, 3 }) bench.AppendMany(log, 1, size);
                break;
            default:
                // The second block's header tells that the segment before was released.
                bench.AppendMany(log, 1, 99_000);
                bench.AppendMany(log, 1, 40_000);
                log.ReleaseUpTo(1);
                bench.AppendMany(log, 1, 7);
                break;
        }

        return bench.Disk.ReadFile(bench.Segments()[^1]);
    }

    private static string Fixture(string name)
    {
        string? folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "NodeAgent.sln"))) folder = Path.GetDirectoryName(folder);
        Assert.True(folder is not null, "the tests do not run from inside the repository");
        return Path.Combine(folder, "tests", "fixtures", "formats", "v1", name);
    }
}
