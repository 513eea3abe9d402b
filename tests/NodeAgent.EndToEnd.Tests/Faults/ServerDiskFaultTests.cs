using NodeAgent.EndToEnd.Tests.Faults.Rig;
using NodeAgent.EndToEnd.Tests.Faults.Truth;

namespace NodeAgent.EndToEnd.Tests.Faults;

/// <summary>The server family (docs/reliability.md) where the aggregator's disk is at fault: full, or holding something else than was written.</summary>
public sealed class ServerDiskFaultTests
{
    [Fact]
    [Trait("fault", "S4")]
    [Trait("cost", "long")]
    public async Task S4_DiskFull_HoldsAgentsOffServesQueriesAndRecoversWithoutRestart()
    {
        await using FaultRig rig = await FaultRig.StartAsync(new RigOptions
        {
            AggregatorLauncherOf = state => Launcher.WithMounts($"mkdir -p {state}; mount -t tmpfs -o size=24m,mode=0700 tmpfs {state}"),
        });
        await FaultRig.ProgressAsync(rig.Agent, 1, Fault.Limit);
        Inside(rig, $"dd if=/dev/zero of={rig.StateFolder}/filler bs=64k 2>/dev/null; true");
        await rig.Aggregator.WaitForEventAsync("WalDiskFails", Fault.Limit);
        await Fault.LetRunAsync(3);
        using (TickReader reader = rig.Reader())
        {
            Assert.True((await reader.StatusAsync()).Nodes == 1);
            Assert.NotNull(await reader.InstantAsync("count_over_time(node_time_seconds[5m])"));
        }

        await Fault.LetRunAsync(3);
        Inside(rig, $"rm {rig.StateFolder}/filler");
        await rig.Aggregator.WaitForEventAsync("WalDiskWorks", Fault.Limit);

        Verdict verdict = await rig.SettleAsync();
        Fault.Say($"{rig.Agent.Ledger.Throttles} throttles, {rig.Agent.Process.Count("UplinkLost")} streams ended while the disk was full");
        Assert.Single(rig.AggregatorLives);
        verdict.AssertExactlyOnce("S4");
        Assert.Equal(0, verdict.NeverSent);
    }

    [Theory]
    [Trait("fault", "S5")]
    [Trait("cost", "long")]
    [InlineData("torn")]
    [InlineData("flipped")]
    [InlineData("missing")]
    [InlineData("empty")]
    public async Task S5_WriteAheadLogDamaged_ServesWhatIsWholeAndNeverAWrongValue(string how)
    {
        const int Seed = 5;
        await using FaultRig rig = await FaultRig.StartAsync();
        for (int life = 0; life < 2; life++)
        {
            await FaultRig.ProgressAsync(rig.Agent, 20, Fault.Limit);
            await rig.Aggregator.KillAsync();
            await rig.StartAggregatorAsync();
        }

        await FaultRig.ProgressAsync(rig.Agent, 20, Fault.Limit);
        await rig.DrainAsync();
        await rig.Aggregator.KillAsync();
        string[] segments = [.. Directory.GetFiles(Path.Combine(rig.StateFolder, "wal"), "*.segment").Order(StringComparer.Ordinal)];
        string hurt = segments.Where(path => new FileInfo(path).Length > 0).ElementAt(how == "missing" ? 0 : segments.Length / 2);
        Damage(how, hurt, new Random(Seed));
        await rig.StartAggregatorAsync();
        using TickReader reader = rig.Reader();
        Verdict verdict = await Verdict.ReachAsync(reader, [(rig.Agent.Node, rig.Agent.Ledger)]);

        Fault.Say($"{how} (seed {Seed}): {verdict.Lost} of {verdict.Acked} frames are gone; {rig.Aggregator.Count("WalDamaged")} reports");
        Assert.True(verdict.Unknown == 0 && verdict.Duplicated == 0 && verdict.Reused == 0, $"{how}: {verdict}");
        Assert.True(verdict.Stored > 0, $"{how}: nothing is left: {verdict}");
        Assert.True(verdict.Lost == 0 || rig.Aggregator.Count("WalDamaged") == 1, $"{how}: a loss that nobody reports: {verdict}");
        await rig.Agent.StartConnectedAsync();
        await FaultRig.ProgressAsync(rig.Agent, 5, Fault.Limit);
    }

    private static void Inside(FaultRig rig, string script) => Tool.Run("nsenter", "-t", rig.Aggregator.Id.ToString(), "-m", "sh", "-c", script);

    private static void Damage(string how, string segment, Random random)
    {
        long length = new FileInfo(segment).Length;
        switch (how)
        {
            case "missing":
                File.Delete(segment);
                return;
            case "torn":
                using (FileStream file = File.OpenWrite(segment))
                {
                    file.SetLength(length - 37);
                }

                return;
            case "empty":
                using (FileStream file = File.OpenWrite(segment))
                {
                    file.SetLength(0);
                }

                return;
            default:
                using (FileStream file = new(segment, FileMode.Open, FileAccess.ReadWrite))
                {
                    file.Position = random.NextInt64(64, length);
                    int value = file.ReadByte();
                    file.Position--;
                    file.WriteByte((byte)(value ^ (1 << random.Next(8))));
                }

                return;
        }
    }
}
