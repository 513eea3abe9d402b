using NodeAgent.Agent.Spool;

namespace NodeAgent.Agent.Tests.Spool.Durable;

public sealed class SpoolDamageTests
{
    private const int Flips = 8_000;
    private const int Truncations = 2_000;

    /// <summary>
    /// Bits flipped and files cut at random: never a crash, and what is reported as lost is what is gone. After an orderly end, because without it
    /// nobody can know how much there was behind the last record that is left.
    /// </summary>
    [Fact]
    public void Files_FlippedOrCut_ReportWhatIsGone()
    {
        using SpoolBench bench = new(seed: 3, columns: 12);
        bench.Plan = bench.Plan with { MaxBytes = 1L << 20 };
        bench.Open().Ticks(600);
        bench.ChangeColumns();
        bench.Ticks(400);
        bench.Spool.Dispose();
        bench.Time.Advance(TimeSpan.FromSeconds(3));
        bench.Open().Ticks(900);
        bench.Happen("in between");
        bench.Ticks(60);
        bench.Spool.Dispose();
        Dictionary<string, byte[]> files = bench.Disk.Paths.ToDictionary(path => path, bench.Disk.ReadFile);
        bench.Open();
        HashSet<ulong> whole = [.. bench.AssertReadsBack()];
        ulong epoch = bench.Spool.Epoch;
        bench.Kill();
        Assert.Equal(bench.Appended.Count, whole.Count);

        string[] targets = [.. files.Keys.Where(path => path.EndsWith(".segment", StringComparison.Ordinal) && files[path].Length > 64)];
        Random random = new(9);
        int harmed = 0;
        long lostMost = 0;
        for (int i = 0; i < Flips + Truncations; i++)
        {
            bench.Disk.Restore(files);
            string target = targets[random.Next(targets.Length)];
            long offset = random.NextInt64(files[target].Length);
            int bit = random.Next(8);
            if (i < Flips)
            {
                bench.Disk.FlipBit(target, offset, bit);
            }
            else
            {
                bench.Disk.TruncateFile(target, offset);
            }

            string what = $"{(i < Flips ? $"bit {bit} at" : "cut at")} {offset} of {target}";
            bench.Open();
            if (bench.Spool.Epoch != epoch)
            {
                // The one block that says whose these files are is gone: they were set aside whole.
                Assert.True(i >= Flips || targets.Length < 3, $"{what}: a new epoch");
                bench.Kill();
                continue;
            }

            HashSet<ulong> left = [.. bench.AssertReadsBack()];
            ulong gone = (ulong)whole.Except(left).Count();
            SpoolCounts counts = bench.Spool.Counts;
            Assert.True(gone == counts.LostRecords && gone == counts.DroppedRecords, $"{what}: {gone} records are gone, {counts}");
            harmed += gone > 0 ? 1 : 0;
            lostMost = Math.Max(lostMost, i < Flips ? (long)gone : 0);
            bench.Kill();
        }

        Assert.True(harmed > Flips / 2, $"only {harmed} cost anything");
    }
}
