using NodeAgent.Journal.Reading;

namespace NodeAgent.Journal.Tests.Faults;

/// <summary>Random harm to closed journals: never a crash, never a wrong record, at most one block lost, and the loss told exactly.</summary>
public sealed class DamageTests
{
    private const int BlockBytes = 64 * 1024;
    private const int MaxPayloadBytes = 3000;

    /// <summary>More than lie in any block of the template (records of 1,500 bytes in the mean).</summary>
    private const int RecordsInABlock = 72;

    [Fact]
    public void Open_AfterOneFlippedBit_LosesAtMostOneBlockAndSaysExactlyWhat() => Repeat(6000, FlipOne);

    [Fact]
    public void Open_AfterATruncation_LosesWhatWasCutAndAtMostOneBlockMore() => Repeat(4000, TruncateOne);

    [Fact]
    public void Open_AfterSeveralFlippedBits_LosesAtMostOneBlockEach() => Repeat(500, random: (bench, chance) =>
    {
        for (int i = 0; i < 5; i++) FlipOne(bench, chance);
        return 5 * (BlockBytes + (2 * MaxPayloadBytes));
    });

    [Fact]
    public void Open_OfAKilledJournalAfterOneFlippedBit_SaysExactlyWhatIsKnown() => Repeat(1500, FlipOne, isKilled: true);

    private static long FlipOne(JournalBench bench, Random chance)
    {
        (string path, long length) = Pick(bench, chance);
        bench.Disk.FlipBit(path, chance.NextInt64(length), chance.Next(8));
        return BlockBytes + (2 * MaxPayloadBytes);
    }

    private static long TruncateOne(JournalBench bench, Random chance)
    {
        (string path, long length) = Pick(bench, chance);
        long cut = chance.NextInt64(length);
        bench.Disk.TruncateFile(path, cut);
        return length - cut + BlockBytes + (2 * MaxPayloadBytes);
    }

    /// <summary>A file of the journal, the larger the likelier.</summary>
    private static (string Path, long Length) Pick(JournalBench bench, Random chance)
    {
        List<string> segments = bench.Segments();
        long at = chance.NextInt64(segments.Sum(path => (long)bench.Disk.ReadFile(path).Length));
        foreach (string path in segments)
        {
            long length = bench.Disk.ReadFile(path).Length;
            if (at < length) return (path, length);
            at -= length;
        }

        throw new InvalidOperationException("BUG: no file picked");
    }

    private static void Repeat(int times, Func<JournalBench, Random, long> random, bool isKilled = false)
    {
        var template = new JournalBench(0);
        DurableLog log = template.Open();
        var sizes = new Random(5);
        for (int i = 0; i < 300; i++) template.AppendMany(log, 1, sizes.Next(MaxPayloadBytes));
        if (!isKilled) log.Dispose();

        Dictionary<string, byte[]> files = template.Segments().ToDictionary(path => path, template.Disk.ReadFile);
        for (int seed = 1; seed <= times; seed++)
        {
            try
            {
                Run(template, files, random, seed, isKilled);
            }
            catch (Exception error)
            {
                throw new InvalidOperationException($"replay: seed {seed}", error);
            }
        }
    }

    private static void Run(JournalBench template, Dictionary<string, byte[]> files, Func<JournalBench, Random, long> harm, int seed, bool isKilled)
    {
        var bench = new JournalBench(seed);
        foreach ((string path, byte[] bytes) in files) bench.Disk.PutFile(path, bytes);
        foreach ((ulong id, (byte, byte[]) record) in template.Taken) bench.Taken[id] = record;
        long bound = harm(bench, new Random(seed));

        using DurableLog log = bench.Open();
        RecoveryReport report = log.Recovery;
        using JournalReader reader = log.OpenReader(1);
        List<ulong> ids = bench.ReadOn(reader);
        var lost = bench.Taken.Keys.Except(ids).ToList();
        if (isKilled)
        {
            // How many records followed the last whole one is nowhere written; that bytes of some did is seen.
            int unknown = lost.RemoveAll(id => id >= report.NextId);
            Assert.InRange(unknown, 0, report.TornBytes > 0 ? RecordsInABlock : 0);
        }
        Assert.Equal((ulong)lost.Count, report.LostRecords);
        Assert.Equal(report.LostRecords, (ulong)report.Damages.Sum(damage => (long)damage.LostRecords));
        Assert.Equal(report.LostRecords, reader.LostRecords);
        Assert.Equal(0UL, report.MissingAtHead);
        Assert.InRange(lost.Sum(id => bench.Taken[id].Payload.Length + 10L), 0, bound);
        if (!isKilled) Assert.Equal(301UL, report.NextId);
        Assert.Equal(0L, report.NotQuarantinedBytes);

        // And life goes on.
        bench.AppendMany(log, 2, 100);
        Assert.Equal(report.NextId + 1, bench.ReadAll(log)[^1]);
    }
}
