using System.Diagnostics;
using Grpc.Core;
using Grpc.Health.V1;
using NodeAgent.EndToEnd.Tests.Faults.Rig;
using NodeAgent.EndToEnd.Tests.Faults.Truth;
using NodeAgent.V1;

namespace NodeAgent.EndToEnd.Tests.Faults;

/// <summary>The server family (docs/reliability.md): an aggregator that is slow, stopped or stormed, and agents that say what they should not.</summary>
public sealed class ServerFaultTests
{
    private static readonly CraftedAgent.Table Values = new(1, "crafted", "crafted_value", ["a", "b"]);

    [Fact]
    [Trait("fault", "S1")]
    [Trait("cost", "long")]
    public async Task S1_SlowAggregator_AgentWaitsInBoundsAndNothingIsLost()
    {
        await using FaultRig rig = await FaultRig.StartAsync();
        await FaultRig.ProgressAsync(rig.Agent, 1, Fault.Limit);
        long resident = rig.Agent.Process.ResidentBytes();
        for (int i = 0; i < 6; i++)
        {
            // Answers come in gasps, seconds apart, but often enough that the link is not dead.
            rig.Aggregator.Pause();
            await Fault.LetRunAsync(3);
            rig.Aggregator.Resume();
            await Fault.LetRunAsync(0.3);
        }

        long grown = rig.Agent.Process.ResidentBytes() - resident;
        Fault.Say($"resident memory grew by {grown >> 10} KiB; {rig.Agent.Process.Count("UplinkLost")} links lost");
        Assert.True(grown < 32 << 20, $"{grown} bytes");
        Verdict verdict = await rig.SettleAsync();
        verdict.AssertExactlyOnce("S1");
        Assert.Equal(0, verdict.NeverSent);
    }

    [Fact]
    [Trait("fault", "S2")]
    [Trait("cost", "long")]
    public async Task S2_AggregatorStoppedAndContinued_AgentNoticesAndNothingIsAppliedTwice()
    {
        await using FaultRig rig = await FaultRig.StartAsync();
        await FaultRig.ProgressAsync(rig.Agent, 1, Fault.Limit);
        rig.Aggregator.Pause();
        TimeSpan noticed = await Fault.UntilAsync("the agent notices", Fault.Limit, () => rig.Agent.Process.Count("UplinkLost") > 0);
        await Fault.LetRunAsync(5);
        int connections = rig.Agent.Process.Count("UplinkConnected");
        rig.Aggregator.Resume();
        await Fault.UntilAsync("a new connection", Fault.Limit, () => rig.Agent.Process.Count("UplinkConnected") > connections);

        Verdict verdict = await rig.SettleAsync();
        Fault.Within("the agent noticed the stopped aggregator", noticed, 15);
        Fault.Say($"{verdict.Resent} frames sent again");
        verdict.AssertExactlyOnce("S2");
        Assert.Equal(0, verdict.NeverSent);
    }

    [Fact]
    [Trait("fault", "S6")]
    [Trait("cost", "long")]
    public async Task S6_TwoHundredAgentsAfterARestart_AllAreServedAndHealthAnswersThroughout()
    {
        const int Agents = 200;
        await using FaultRig rig = await FaultRig.StartAsync(new RigOptions { Agents = 0 });
        CraftedAgent[] agents = [.. Enumerable.Range(0, Agents).Select(i => CraftedAgent.Make(rig.Address, $"storm-{i}"))];
        using CraftedAgent prober = CraftedAgent.Make(rig.Address, "prober");
        await Task.WhenAll(agents.Select(agent => SendOneAsync(agent, 1)));

        await rig.Aggregator.KillAsync();
        await rig.StartAggregatorAsync();
        Stopwatch storm = Stopwatch.StartNew();
        Task<TimeSpan> drained = DrainAsync(agents, storm);
        Health.HealthClient health = new(prober.Channel);
        TimeSpan slowest = TimeSpan.Zero;
        while (!drained.IsCompleted)
        {
            Stopwatch probe = Stopwatch.StartNew();
            HealthCheckResponse answer = await health.CheckAsync(new HealthCheckRequest(), deadline: Deadline(30));
            Assert.Equal(HealthCheckResponse.Types.ServingStatus.Serving, answer.Status);
            slowest = probe.Elapsed > slowest ? probe.Elapsed : slowest;
            await Fault.LetRunAsync(0.05);
        }

        Fault.Say($"slowest health probe during the storm: {slowest.TotalMilliseconds:0} ms");
        Fault.Within($"{Agents} agents, each with a handshake of its own, were served again", await drained, 20);
        Assert.False(rig.Aggregator.HasExited);
        using (TickReader reader = rig.Reader())
        {
            GetStatusResponse.Types.AdmissionStatus admission = (await reader.StatusAsync()).Admission;
            Fault.Say($"admission says: {admission}");
            Assert.True(admission.HandshakesTotal >= Agents, $"{admission}");
        }

        foreach (CraftedAgent agent in agents)
        {
            agent.Dispose();
        }
    }

    [Fact]
    [Trait("fault", "S8")]
    public async Task S8_TheSameRecordsThreeTimes_AreStoredOnce()
    {
        const int Frames = 10;
        await using FaultRig rig = await FaultRig.StartAsync(new RigOptions { Agents = 0 });
        using CraftedAgent agent = CraftedAgent.Make(rig.Address, "again");
        long start = Fault.NowUnixMs - (Frames * 1000);

        // The whole batch three times, the second time only its older half: old and new order.
        foreach (int count in new[] { Frames, Frames / 2, Frames })
        {
            using CraftedStream stream = await agent.OpenAsync(epoch: 42);
            await stream.SendAsync(Values.Schema);
            for (ulong i = 1; i <= (ulong)count; i++)
            {
                await stream.SendAsync(Values.Frame(i, start + ((long)i * 1000), i, i * 10));
            }

            Assert.Equal(StatusCode.OK, (await stream.FinishAsync()).StatusCode);
        }

        using TickReader reader = rig.Reader();
        Assert.Equal(Frames, await reader.InstantAsync("count_over_time(crafted_value{node=\"again\",item=\"a\"}[5m])"));
        Assert.Equal(Frames * (Frames + 1) / 2, await reader.InstantAsync("sum_over_time(crafted_value{node=\"again\",item=\"a\"}[5m])"));
        GetStatusResponse status = await reader.StatusAsync();
        Fault.Say($"{status.DuplicateRecordsTotal} duplicates were dropped");
        Assert.True(status.DuplicateRecordsTotal >= Frames / 2, $"{status.DuplicateRecordsTotal}");
    }

    [Fact]
    [Trait("fault", "S9")]
    public async Task S9_OldAndFutureRecords_InsideRetentionAreTakenOutsideAreRefusedWithAReason()
    {
        await using FaultRig rig = await FaultRig.StartAsync(new RigOptions { Agents = 0 });
        using CraftedAgent agent = CraftedAgent.Make(rig.Address, "late");
        using CraftedStream stream = await agent.OpenAsync(epoch: 9);
        long now = Fault.NowUnixMs;
        await stream.SendAsync(Values.Schema);
        await stream.SendAsync(Values.Frame(1, now - (5 * 3_600_000L), 1));
        await stream.SendAsync(Values.Frame(2, now - (5 * 86_400_000L), 2));
        await stream.SendAsync(Values.Frame(3, now, 3));
        Status status = await stream.FinishAsync();

        Assert.Equal(StatusCode.OK, status.StatusCode);
        Assert.Equal([2UL], stream.Rejected.Select(rejected => rejected.Sequence));
        Assert.NotEmpty(stream.Rejected[0].Reason);
        Fault.Say($"five days old, a day beyond the late window: {stream.Rejected[0].Reason}");
        using TickReader reader = rig.Reader();
        Assert.Equal(2, await reader.InstantAsync("count_over_time(crafted_value{node=\"late\",item=\"a\"}[5h30m])"));
        Assert.Equal(3, await reader.InstantAsync("crafted_value{node=\"late\",item=\"a\"}"));
    }

    [Fact]
    [Trait("fault", "S10")]
    public async Task S10_PoisonAmongGoodRecords_IsSetAsideAndTheRestIsApplied()
    {
        await using FaultRig rig = await FaultRig.StartAsync(new RigOptions { Agents = 0 });
        using CraftedAgent agent = CraftedAgent.Make(rig.Address, "poison");
        long now = Fault.NowUnixMs;
        using (CraftedStream stream = await agent.OpenAsync(epoch: 10))
        {
            await stream.SendAsync(Values.Schema);
            await stream.SendAsync(Values.Frame(1, now - 5000, 1));
            await stream.SendAsync(Values.Frame(2, now - 4000, double.NaN));
            await stream.SendAsync(Values.Frame(3, now - 3000, double.PositiveInfinity));
            await stream.SendAsync(Values.Frame(4, 32_503_680_000_000, 4)); // the year 3000
            AgentMessage garbled = Values.Frame(5, now - 2000, 5);
            garbled.Frame.Blocks[0].Payload = Google.Protobuf.ByteString.CopyFrom(0xFF, 0xFF, 0xFF);
            await stream.SendAsync(garbled);
            await stream.SendAsync(Values.Frame(6, now - 1000, 6));
            Status status = await stream.FinishAsync();

            Assert.Equal(StatusCode.OK, status.StatusCode);
            Assert.Equal(6UL, stream.Acknowledged); // what was set aside counts as settled: nobody sends it for ever
            Fault.Say(string.Join("; ", stream.Rejected.Select(rejected => $"{rejected.Sequence}: {rejected.Reason}")));
            Assert.Contains(4UL, stream.Rejected.Select(rejected => rejected.Sequence));
            Assert.Contains(5UL, stream.Rejected.Select(rejected => rejected.Sequence));
        }

        using TickReader reader = rig.Reader();
        Assert.Equal(6, await reader.InstantAsync("crafted_value{node=\"poison\",item=\"a\"}"));
        Assert.Equal(1, await reader.InstantAsync("min_over_time(crafted_value{node=\"poison\",item=\"a\"}[1m])"));
        Assert.False(rig.Aggregator.HasExited);
    }

    [Fact]
    [Trait("fault", "S11")]
    public async Task S11_SeriesBomb_IsBoundedToItsSenderAndCounted()
    {
        await using FaultRig rig = await FaultRig.StartAsync(new RigOptions { AggregatorSettings = ["store.max_series_per_node=5000"] });
        using CraftedAgent agent = CraftedAgent.Make(rig.Address, "bomb");
        using CraftedStream stream = await agent.OpenAsync(epoch: 11);
        for (uint i = 1; i <= 12; i++)
        {
            uint part = i;
            await stream.SendAsync(new CraftedAgent.Table(
                i, $"bomb-{i}", "bomb_value", Enumerable.Range(0, 1000).Select(n => $"{part}-{n}")).Schema);
        }

        await stream.SendAsync(Values.Schema);
        await FaultRig.ProgressAsync(rig.Agent, 5, Fault.Limit);
        Status status = await stream.FinishAsync();
        using TickReader reader = rig.Reader();
        GetStatusResponse totals = await reader.StatusAsync();

        Fault.Say($"{stream.Rejected.Count} schemas refused ({status.StatusCode}); {totals.Series} series in the store");
        Assert.NotEmpty(stream.Rejected);
        Assert.True(totals.Series < 8000, $"{totals.Series}");
        (await rig.SettleAsync()).AssertExactlyOnce("S11");
    }

    private static async Task SendOneAsync(CraftedAgent agent, ulong sequence)
    {
        using CraftedStream stream = await agent.OpenAsync(epoch: 6);
        await stream.SendAsync(Values.Schema);
        await stream.SendAsync(Values.Frame(sequence, Fault.NowUnixMs, sequence));
        Assert.Equal(StatusCode.OK, (await stream.FinishAsync()).StatusCode);
    }

    // As real agents do: all at once, and those that are turned away again after a moment.
    private static async Task<TimeSpan> DrainAsync(CraftedAgent[] agents, Stopwatch storm)
    {
        await Task.WhenAll(agents.Select(async (agent, number) =>
        {
            Random random = new(number);
            for (int attempt = 1; ; attempt++)
            {
                try
                {
                    await SendOneAsync(agent, 2).ConfigureAwait(false);
                    return;
                }
                catch (RpcException e) when (e.StatusCode is StatusCode.Unavailable or StatusCode.ResourceExhausted && attempt < 20)
                {
                    await Fault.LetRunAsync(random.NextDouble() * attempt).ConfigureAwait(false);
                }
            }
        })).ConfigureAwait(false);
        return storm.Elapsed;
    }

#pragma warning disable RS0030 // A deadline on the real clock, for a real process.
    private static DateTime Deadline(double seconds) => DateTime.UtcNow.AddSeconds(seconds);
#pragma warning restore RS0030
}
