using NodeAgent.Agent.Spool;
using NodeAgent.Journal.Files;
using NodeAgent.Testing.Disk;

namespace NodeAgent.Agent.Tests.Spool.Durable;

public sealed class SpoolFaultTests
{
    private const long SmallLimit = 1L << 20;

    /// <summary>Ends of all kinds at any moment, power cuts that lose and tear what was not synced among them.</summary>
    [Theory]
    [InlineData(1, 40)]
    [InlineData(100, 40)]
    [InlineData(1000, 40)]
    public void Lives_EndingAnyhow_NeitherLoseNorRepeatWhatMayHaveBeenSent(int firstSeed, int seeds)
    {
        for (int seed = firstSeed; seed < firstSeed + seeds; seed++)
        {
            using SpoolBench bench = new(seed, columns: 12);
            Random random = new(seed);
            bench.Open();
            HashSet<ulong> acknowledged = [];
            int boot = 1;
            for (int life = 0; life < 6; life++)
            {
                for (int i = random.Next(1, 400); i > 0; i--)
                {
                    bench.Tick(pump: random.Next(5) > 0, withEvent: random.Next(40) == 0);
                    if (random.Next(60) == 0)
                    {
                        AcknowledgeSome(bench, random, acknowledged);
                    }
                }

                switch (random.Next(3))
                {
                    case 0:
                        bench.Spool.Dispose();
                        break;
                    case 1:
                        bench.Kill();
                        break;
                    default:
                        bench.Disk.CutPower();
                        bench.Plan = bench.Plan with { BootId = $"boot-{++boot}" };
                        break;
                }

                bench.Time.Advance(TimeSpan.FromSeconds(random.Next(1, 15)));
                bench.Open();
                HashSet<ulong> held = [.. bench.AssertReadsBack()];
                ulong[] missing = [.. bench.Appended.Keys.Select(key => key.Sequence)
                    .Where(sequence => sequence <= bench.HighestReadable && !held.Contains(sequence) && !acknowledged.Contains(sequence))];
                Assert.True(missing.Length == 0, $"seed {seed}, life {life}: {missing.Length} records that may have been sent are gone, from {missing.FirstOrDefault()}; {string.Join(" / ", bench.Logs.Events.Select(e => e.ToString()))}");
                Assert.True(bench.Spool.Counts == default, $"seed {seed}, life {life}: {bench.Spool.Counts}");
                bench.ForgetUnsent(held);
            }
        }
    }

    /// <summary>As above, while room is short: every record is there, or merged, or counted.</summary>
    [Theory]
    [InlineData(1, 8)]
    [InlineData(200, 8)]
    public void Lives_EndingWhileThinning_CountWhatIsGone(int firstSeed, int seeds)
    {
        for (int seed = firstSeed; seed < firstSeed + seeds; seed++)
        {
            using SpoolBench bench = new(seed, columns: 30);
            bench.Plan = bench.Plan with { MaxBytes = SmallLimit };
            Random random = new(seed);
            bench.Open();
            int boot = 1;
            for (int life = 0; life < 5; life++)
            {
                for (int i = random.Next(3_000, 12_000); i > 0; i--)
                {
                    bench.Tick();
                }

                if (random.Next(2) == 0)
                {
                    bench.Kill();
                }
                else
                {
                    bench.Disk.CutPower();
                    bench.Plan = bench.Plan with { BootId = $"boot-{++boot}" };
                }

                bench.Time.Advance(TimeSpan.FromSeconds(random.Next(1, 15)));
                bench.Open();
                HashSet<ulong> represented = bench.Represented();
                bench.ForgetUnsent(represented);
                ulong gone = (ulong)bench.Appended.Keys.Count(key => !represented.Contains(key.Sequence));
                Assert.True(gone == bench.Spool.Counts.DroppedRecords, $"seed {seed}, life {life}: {gone} records are gone, {bench.Spool.Counts}");
            }

            Assert.True(bench.Spool.Counts.ThinnedRecords > 0, $"seed {seed} proves little");
        }
    }

    public static TheoryData<int, int, DiskFaultKind> Faults => new()
    {
        { Errno.InputOutput, 1, DiskFaultKind.Error },
        { Errno.InputOutput, 60, DiskFaultKind.Error },
        { Errno.NoSpace, 1, DiskFaultKind.Error },
        { Errno.NoSpace, 60, DiskFaultKind.Error },
        { Errno.ReadOnlyFileSystem, 60, DiskFaultKind.Error },
        { Errno.QuotaExceeded, 1, DiskFaultKind.Error },
        { 0, 3, DiskFaultKind.ShortWrite },
        { 0, 1, DiskFaultKind.MisdirectedRead },
    };

    /// <summary>Every file call of two lives fails, one after the other, once or for a while: nothing is lost without being counted.</summary>
    [Theory]
    [MemberData(nameof(Faults))]
    public void AnyCall_Failing_LosesNothingUncounted(int errno, int calls, DiskFaultKind kind)
    {
        int step = calls == 1 ? 1 : 3;
        for (long call = 1; ; call += step)
        {
            using SpoolBench bench = new(seed: 5, columns: 12);
            bench.Plan = bench.Plan with { MaxBytes = SmallLimit };
            bench.Disk.Fault = new DiskFault(kind, call, errno, calls);
            bench.Open();
            bench.Ticks(70);
            bench.Spool.Acknowledge(1, 60);
            bench.Ticks(70);
            bench.Kill();
            bench.Time.Advance(TimeSpan.FromSeconds(2));
            ulong firstEpoch = bench.Spool.Epoch;
            bench.Open();
            bench.Ticks(70);
            bool hit = bench.Disk.FaultsHit > 0;
            bench.Disk.Fault = null;
            bench.Time.Advance(TimeSpan.FromMinutes(5));
            bench.Ticks(70);
            bench.Time.Advance(TimeSpan.FromMinutes(5));
            bench.Ticks(2);
            string where = $"{kind} {Errno.Name(errno)} x {calls} at call {call}";
            if (bench.Spool.Mode == SpoolMode.MemoryOnly)
            {
                // The second life began without its disk, and the first one's records wait for a third.
                Assert.True(bench.Spool.Epoch != firstEpoch && bench.Logs.Named("SpoolBacklogWaits").Count > 0, $"{where}: {bench.Spool.ModeReason}");
                AssertAccounted(bench, where);
                bench.Kill();
                bench.Open();
            }

            AssertAccounted(bench, where);
            bench.Spool.Dispose();
            bench.Open();
            AssertAccounted(bench, where + ", after a restart");
            if (!hit)
            {
                Assert.True(call > 100, $"only {call} calls were tried");
                return;
            }
        }
    }

    private static void AssertAccounted(SpoolBench bench, string where)
    {
        ulong epoch = bench.Spool.Epoch;
        HashSet<ulong> held = [.. bench.AssertReadsBack()];

        // What the first life could not write died with it, and nobody can count it.
        ulong[] missing = [.. bench.Appended.Keys.Where(key => key.Epoch == epoch && key.Sequence > 60 && !held.Contains(key.Sequence)).Select(key => key.Sequence)];
        ulong inMemory = (ulong)missing.Count(bench.DiedInMemory.Contains);
        Assert.True((ulong)missing.Length - inMemory <= bench.Spool.Counts.DroppedRecords, $"{where}: {missing.Length} records are gone, {inMemory} of them in memory only, {bench.Spool.Counts}");
    }

    private static void AcknowledgeSome(SpoolBench bench, Random random, HashSet<ulong> acknowledged)
    {
        ulong first = (ulong)random.NextInt64(1, (long)bench.Spool.ReadableThrough + 2);
        ulong last = Math.Min(bench.Spool.ReadableThrough, first + (ulong)random.Next(300));
        if (random.Next(2) == 0)
        {
            first = Math.Min(bench.Spool.FirstHeldSequence, last + 1);
        }

        if (last < first || last - first > 100_000)
        {
            return;
        }

        bench.Spool.Acknowledge(first, last);
        for (ulong sequence = first; sequence <= last; sequence++)
        {
            acknowledged.Add(sequence);
        }
    }
}
