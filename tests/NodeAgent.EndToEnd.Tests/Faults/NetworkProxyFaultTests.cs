using NodeAgent.EndToEnd.Tests.Faults.Rig;
using NodeAgent.EndToEnd.Tests.Faults.Truth;
using NodeAgent.Testing.Network;

namespace NodeAgent.EndToEnd.Tests.Faults;

/// <summary>The network family (docs/reliability.md), as far as a user-space proxy between the real programs can be the network.</summary>
public sealed class NetworkProxyFaultTests
{
    [Fact]
    [Trait("fault", "N1")]
    [Trait("cost", "long")]
    public async Task N1_AggregatorAwayAtStart_SamplesFromTheFirstTickAndSaysSoOnce()
    {
        await using FaultRig rig = await FaultRig.StartAsync(new RigOptions { StartsAgents = false });
        await rig.Agent.Proxy.RefuseAsync();
        long started = Fault.NowUnixMs;
        rig.Agent.Start();
        await rig.Agent.Process.WaitForEventAsync("UplinkLost", Fault.Limit);
        await Fault.LetRunAsync(4);
        Assert.Equal(1, rig.Agent.Process.Count("UplinkLost"));

        rig.Agent.Proxy.Listen();
        await rig.Agent.Process.WaitForEventAsync("UplinkConnected", Fault.Limit);
        Verdict verdict = await rig.SettleAsync();

        long first = rig.Agent.Ledger.Read(ledger => ledger.Epochs.First().Frames.Values.First().WallUnixMs);
        Fault.Within("start to first sample", TimeSpan.FromMilliseconds(first - started), 1);
        verdict.AssertExactlyOnce("N1");
        Assert.Equal(0, verdict.NeverSent);
    }

    [Fact]
    [Trait("fault", "N5")]
    [Trait("cost", "long")]
    public async Task N5_ConnectionRefused_RetriesSoonAndLosesNothing()
    {
        await using FaultRig rig = await FaultRig.StartAsync();
        await FaultRig.ProgressAsync(rig.Agent, 1, Fault.Limit);
        await rig.Agent.Proxy.RefuseAsync();
        rig.Agent.Proxy.ResetAll();

        string lost = await rig.Agent.Process.WaitForEventAsync("UplinkLost", Fault.Limit);
        await Fault.LetRunAsync(3);
        int connections = rig.Agent.Process.Count("UplinkConnected");
        rig.Agent.Proxy.Listen();
        TimeSpan back = await Fault.UntilAsync("a new connection", Fault.Limit, () => rig.Agent.Process.Count("UplinkConnected") > connections);
        Verdict verdict = await rig.SettleAsync();

        // After three seconds of failures the bound of the jitter is 8 s.
        Fault.Within("reconnected after the listener was back", back, 8);
        Assert.Matches(@"retry_in=(\d+ms|0s|1s)\b", lost);
        verdict.AssertExactlyOnce("N5");
    }

    [Fact]
    [Trait("fault", "N7")]
    [Trait("cost", "long")]
    public async Task N7_ResetInTheMiddleOfMessages_AppliesNoHalfMessageAndResends()
    {
        const int Seed = 7;
        Random random = new(Seed);
        await using FaultRig rig = await FaultRig.StartAsync(new RigOptions { Seed = Seed });
        FaultProxy proxy = rig.Agent.Proxy;

        // Some within the handshake, most where messages are. Between two cuts the link must do its work, as it would.
        for (int i = 0; i < 10; i++)
        {
            long before = proxy.Counters.Resets;
            int bytes = random.Next(4) == 0 ? random.Next(1, 2500) : random.Next(2500, 8193);
            proxy.ToServer = new LinkFaults { ResetAfterBytes = bytes };
            proxy.ResetAll();
            await Fault.UntilAsync($"a reset after {bytes} bytes", Fault.Limit, () => proxy.Counters.Resets > before, () => FaultRig.Tail(rig.Agent.Process));
            proxy.ToServer = LinkFaults.None;
            await FaultRig.ProgressAsync(rig.Agent, 1, Fault.Limit);
        }

        proxy.SetFaults(LinkFaults.None);
        Verdict verdict = await rig.SettleAsync();

        Fault.Say($"{proxy.Counters.Resets} resets, {verdict.Resent} frames sent again");
        verdict.AssertExactlyOnce("N7");
        Assert.Equal(0, verdict.NeverSent);
    }

    [Fact]
    [Trait("fault", "N9")]
    [Trait("cost", "long")]
    public async Task N9_SlowRoundTrip_KeepsThroughputWithoutFalseAlarm()
    {
        await using FaultRig rig = await FaultRig.StartAsync();
        rig.Agent.Proxy.SetFaults(new LinkFaults { Delay = TimeSpan.FromMilliseconds(450), Jitter = TimeSpan.FromMilliseconds(100) });
        await Fault.LetRunAsync(3);
        int before = rig.Agent.Ledger.Frames;
        await Fault.LetRunAsync(12);
        int frames = rig.Agent.Ledger.Frames - before;

        Assert.Equal(0, rig.Agent.Process.Count("UplinkLost"));
        Assert.Equal(0, rig.Aggregator.Count("AgentDisconnected"));
        Fault.Say($"{frames} frames in 12 s at a round trip of 1 s");
        Assert.True(frames > 60, $"{frames} frames of about 120 came through"); // half: a busy machine also samples less
        (await rig.SettleAsync()).AssertExactlyOnce("N9");
    }

    [Fact]
    [Trait("fault", "N11")]
    public async Task N11_OneByteAtATime_EverythingIsRead()
    {
        await using FaultRig rig = await FaultRig.StartAsync(new RigOptions { StartsAgents = false });
        rig.Agent.Proxy.SetFaults(new LinkFaults { SliceBytes = 1 });
        await rig.Agent.StartConnectedAsync();
        await Fault.UntilAsync("frames", Fault.Limit, () => rig.Agent.Ledger.Frames > 10);

        (await rig.SettleAsync()).AssertExactlyOnce("N11");
    }

    [Fact]
    [Trait("fault", "N12")]
    [Trait("cost", "long")]
    public async Task N12_FlippedBits_BreakTheConnectionAndNothingElse()
    {
        await using FaultRig rig = await FaultRig.StartAsync(new RigOptions { Seed = 12 });
        FaultProxy proxy = rig.Agent.Proxy;
        proxy.SetFaults(new LinkFaults { FlipOneIn = 8000 });
        await Fault.UntilAsync("three connections that a flipped bit ended", Fault.Limit, () => rig.Agent.Process.Count("UplinkConnected") >= 4 && proxy.Counters.FlippedBytes >= 3);

        proxy.SetFaults(LinkFaults.None);
        Verdict verdict = await rig.SettleAsync();

        Fault.Say($"{proxy.Counters.FlippedBytes} flipped bytes, {proxy.Counters.Accepted} connections");
        Assert.False(rig.Aggregator.HasExited);
        Assert.Single(rig.Agent.Lives);
        verdict.AssertExactlyOnce("N12");
        Assert.Equal(0, verdict.NeverSent);
    }

    [Fact]
    [Trait("fault", "N16")]
    [Trait("cost", "long")]
    public async Task N16_MiddleboxCutsIdleConnections_TrafficKeepsTheLinkAndACutCostsNothing()
    {
        await using FaultRig rig = await FaultRig.StartAsync(new RigOptions { Tick = TimeSpan.FromSeconds(60) });
        rig.Agent.Proxy.IdleCut = TimeSpan.FromSeconds(6);
        await Fault.LetRunAsync(14);
        Assert.Equal(0, rig.Agent.Proxy.Counters.IdleCuts);
        Assert.Equal(0, rig.Agent.Process.Count("UplinkLost"));

        rig.Agent.Proxy.IdleCut = TimeSpan.FromMilliseconds(300);
        await Fault.UntilAsync("two cuts, each mended", Fault.Limit, () => rig.Agent.Proxy.Counters.IdleCuts >= 2 && rig.Agent.Process.Count("UplinkConnected") >= 2);
        rig.Agent.Proxy.IdleCut = TimeSpan.Zero;
        await FaultRig.UpToDateAsync(rig.Agent, Fault.Limit);

        Assert.Single(rig.Agent.Lives);
        Assert.Equal(0UL, rig.Agent.Ledger.Read(ledger => ledger.Epochs.Last().NeverSeen));
    }
}
