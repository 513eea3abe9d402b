using NodeAgent.EndToEnd.Tests.Faults.Rig;
using NodeAgent.EndToEnd.Tests.Faults.Truth;

namespace NodeAgent.EndToEnd.Tests.Faults;

/// <summary>The clock family (docs/reliability.md): the agent's wall clock jumps, races, stands still or starts in 1970.</summary>
public sealed class ClockFaultTests
{
    [Theory]
    [Trait("fault", "C1")]
    [Trait("cost", "long")]
    [InlineData(3)]
    [InlineData(-3)]
    [InlineData(400 * 24)]
    public async Task C1_ClockJumpsWhileRunning_NoSampleIsDroppedAndTheSessionStays(int hours)
    {
        using ScratchFolder folder = new();
        using FakeClock clock = FakeClock.MakeOrSkip(folder.Path);
        await using FaultRig rig = await FaultRig.StartAsync(new RigOptions { AgentLauncher = clock.Launcher });
        await FaultRig.ProgressAsync(rig.Agent, 5, Fault.Limit);
        clock.Jump(TimeSpan.FromHours(hours));
        await Fault.LetRunAsync(4);
        clock.True();
        await Fault.LetRunAsync(2);

        Assert.Equal(0, rig.Agent.Process.Count("UplinkLost"));
        long longest = LongestSilenceMs(rig.Agent);
        Fault.Say($"{hours:+0;-0} h: longest silence {longest} ms, {Rejected(rig.Agent)} records refused");
        Assert.True(longest < 1000 * Fault.Patience, $"{longest} ms");
        Verdict verdict = await rig.SettleAsync();
        verdict.AssertExactlyOnce($"C1 {hours:+0;-0} h");
        Assert.Equal(0, verdict.NeverSent);
        Assert.Equal(0, Rejected(rig.Agent));
    }

    [Theory]
    [Trait("fault", "C2")]
    [Trait("cost", "long")]
    [InlineData(10)]
    [InlineData(0)]
    public async Task C2_ClockRacesOrStandsStill_TheStreamGoesOnInOrder(int pace)
    {
        using ScratchFolder folder = new();
        using FakeClock clock = FakeClock.MakeOrSkip(folder.Path);
        await using FaultRig rig = await FaultRig.StartAsync(new RigOptions { AgentLauncher = clock.Launcher });
        await FaultRig.ProgressAsync(rig.Agent, 5, Fault.Limit);
        int before = rig.Agent.Ledger.Frames;
        clock.Pace(pace);
        await Fault.LetRunAsync(5);
        int during = rig.Agent.Ledger.Frames - before;
        clock.True();
        await FaultRig.UpToDateAsync(rig.Agent, Fault.Limit);

        Fault.Say($"pace {pace}: {during} frames in 5 s");
        Assert.True(during > 5, $"{during} frames");
        Assert.Equal(0, rig.Agent.Process.Count("UplinkLost"));
        Assert.Equal(0, Rejected(rig.Agent));
        Assert.Equal(0UL, rig.Agent.Ledger.Read(ledger => ledger.Epochs.Last().NeverSeen));
        Assert.False(rig.Aggregator.HasExited);
    }

    [Fact]
    [Trait("fault", "C3")]
    public async Task C3_AnotherTimeZone_HasNoEffect()
    {
        await using FaultRig rig = await FaultRig.StartAsync(new RigOptions { AgentLauncher = Launcher.Plain.And("TZ", "Pacific/Kiritimati") });
        await Fault.UntilAsync("frames", Fault.Limit, () => rig.Agent.Ledger.Frames > 5);

        SentFrame frame = rig.Agent.Ledger.Read(ledger => ledger.Epochs.First().Frames.Values.Last());
        Assert.InRange(frame.SeenUnixMs - frame.WallUnixMs, -100, 60_000);
        string written = rig.Agent.Process.Lines[0].Split(' ')[0];
        DateTimeOffset logged = DateTimeOffset.Parse(written, System.Globalization.CultureInfo.InvariantCulture);
        Assert.EndsWith("Z", written, StringComparison.Ordinal);
        Assert.InRange(Fault.NowUnixMs - logged.ToUnixTimeMilliseconds(), 0, 120_000);
        (await rig.SettleAsync()).AssertExactlyOnce("C3");
    }

    [Fact]
    [Trait("fault", "C4")]
    [Trait("cost", "long")]
    public async Task C4_BootIn1970_SamplesAreKeptAndFindTheirTrueTimeOnceItIsKnown()
    {
        using ScratchFolder folder = new();
        using FakeClock clock = FakeClock.MakeOrSkip(folder.Path);
        clock.StartAt(10_000);
        await using FaultRig rig = await FaultRig.StartAsync(new RigOptions { AgentLauncher = clock.Launcher, StartsAgents = false });
        long started = Fault.NowUnixMs;
        rig.Agent.Start();

        // In 1970 no certificate is valid yet; the agent says so and keeps what it samples.
        string lost = await rig.Agent.Process.WaitForEventAsync("UplinkLost", Fault.Limit);
        await Fault.LetRunAsync(3);
        clock.True();
        await rig.Agent.Process.WaitForEventAsync("UplinkConnected", Fault.Limit + Fault.Limit);
        Verdict verdict = await rig.SettleAsync();

        Fault.Say(lost[lost.IndexOf("reason=", StringComparison.Ordinal)..Math.Min(lost.Length, lost.IndexOf("reason=", StringComparison.Ordinal) + 160)]);
        verdict.AssertExactlyOnce("C4");
        Assert.Equal(0, verdict.NeverSent);
        long[] early = rig.Agent.Ledger.Read(ledger => ledger.Epochs.First().Frames.Values.Select(frame => frame.WallUnixMs).Where(wall => wall < 86_400_000).ToArray());
        Assert.NotEmpty(early);
        using TickReader reader = rig.Reader();
        StoredTicks stored = await reader.ReadAsync(rig.Agent.Node, started - 5000, Fault.NowUnixMs + 5000);
        int mended = early.Count(tick => stored.WallUnixMs.Contains(tick));
        Fault.Say($"{mended} of {early.Length} samples from 1970 are at their true time");
        Assert.Equal(early.Length, mended);
    }

    [Fact]
    [Trait("fault", "C5")]
    [Trait("cost", "long")]
    public async Task C5_UptimeOfYears_MakesNoDifference()
    {
        Launcher launcher = Launcher.With("unshare", "--time", "--monotonic", "300000000", "--boottime", "300000000");
        Assert.SkipUnless(Tool.TryRun(out string why, "unshare", "--time", "--monotonic", "300000000", "--boottime", "300000000", "true"), $"no time namespaces here: {why}");
        await using FaultRig rig = await FaultRig.StartAsync(new RigOptions { AgentLauncher = launcher });
        await FaultRig.ProgressAsync(rig.Agent, 10, Fault.Limit);
        using TickReader reader = rig.Reader();
        double? uptime = await reader.InstantAsync("node_uptime_seconds{node=\"fault-1\"}");

        Fault.Say($"the agent's host has been up for {uptime / 86_400 / 365:0.0} years");
        Assert.True(uptime > 300_000_000, $"{uptime}");
        Verdict verdict = await rig.SettleAsync();
        verdict.AssertExactlyOnce("C5");
        Assert.Equal(0, verdict.NeverSent);
    }

    private static int Rejected(AgentUnit agent) => agent.Ledger.Read(ledger => ledger.Epochs.Sum(epoch => epoch.Rejected.Count));

    // By the true clock: how long the aggregator heard nothing.
    private static long LongestSilenceMs(AgentUnit agent) => agent.Ledger.Read(ledger =>
    {
        long[] seen = [.. ledger.Epochs.Last().Frames.Values.Select(frame => frame.SeenUnixMs).Order()];
        return seen.Zip(seen.Skip(1), (a, b) => b - a).Max();
    });
}
