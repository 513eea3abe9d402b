using System.Net;
using NodeAgent.EndToEnd.Tests.Faults.Rig;
using NodeAgent.EndToEnd.Tests.Faults.Truth;
using NodeAgent.Testing.Network;
using NodeAgent.Testing.Processes;

namespace NodeAgent.EndToEnd.Tests.Faults;

/// <summary>
/// The network family (docs/reliability.md) where the kernel itself loses, cuts and narrows: the agent lives in a network namespace, a veth pair
/// is its only way to the aggregator.
/// </summary>
public sealed class NetworkKernelFaultTests
{
    // R8: 15 s on both sides.
    private const double NoticeSeconds = 15;

    [Fact]
    [Trait("fault", "N3")]
    [Trait("cost", "long")]
    public async Task N3_SilentLink_BothSidesNoticeAndNothingIsLostOrDoubled()
    {
        using NetworkNamespace network = NetworkNamespace.MakeOrSkip("nft");
        await using FaultRig rig = await StartAsync(network);
        network.DropAll();

        Task<TimeSpan> agent = Fault.UntilAsync("the agent notices", Patient(NoticeSeconds), () => rig.Agent.Process.Count("UplinkLost") > 0);
        Task<TimeSpan> aggregator = Fault.UntilAsync("the aggregator notices", Patient(NoticeSeconds), () => rig.Aggregator.Count("AgentDisconnected") > 0);
        Fault.Within("the agent noticed the silent link", await agent, NoticeSeconds);
        Fault.Within("the aggregator noticed the silent link", await aggregator, NoticeSeconds);
        network.Heal();

        await SettledAsync(rig, "N3");
    }

    [Fact]
    [Trait("fault", "N4")]
    [Trait("cost", "long")]
    public async Task N4_AcknowledgementsLost_ResendsAndStoresOnce()
    {
        using NetworkNamespace network = NetworkNamespace.MakeOrSkip("nft");
        await using FaultRig rig = await StartAsync(network);
        network.DropIncoming();
        Fault.Within(
            "the agent noticed that answers are missing",
            await Fault.UntilAsync("the agent notices", Patient(NoticeSeconds), () => rig.Agent.Process.Count("UplinkLost") > 0), NoticeSeconds);
        network.Heal();

        Verdict verdict = await SettledAsync(rig, "N4");
        Fault.Say($"{verdict.Resent} frames sent again");
    }

    [Fact]
    [Trait("fault", "N6")]
    [Trait("cost", "long")]
    public async Task N6_SynBlackHole_GivesUpInTimeAndTriesAgain()
    {
        using NetworkNamespace network = NetworkNamespace.MakeOrSkip("nft");
        await using FaultRig rig = await FaultRig.StartAsync(Options(network) with { StartsAgents = false });
        network.DropOutgoing("tcp flags syn");
        rig.Agent.Start();
        Fault.Within(
            "the attempt was given up",
            await Fault.UntilAsync("the agent gives up", Fault.Limit, () => rig.Agent.Process.Count("UplinkLost") > 0), 10);
        Assert.True(rig.Agent.Process.Count("UplinkConnected") == 0);
        network.Heal();
        await rig.Agent.Process.WaitForEventAsync("UplinkConnected", Fault.Limit);

        await SettledAsync(rig, "N6");
    }

    [Fact]
    [Trait("fault", "N8")]
    [Trait("cost", "long")]
    public async Task N8_SixtyFourKilobit_FreshDataKeepsUpAndMemoryStays()
    {
        using NetworkNamespace network = NetworkNamespace.MakeOrSkip("tc");
        await using FaultRig rig = await StartAsync(network);
        await rig.Agent.Proxy.RefuseAsync();
        rig.Agent.Proxy.ResetAll();
        await Fault.LetRunAsync(10);
        long resident = rig.Agent.Process.ResidentBytes();
        network.Run("tc", "qdisc", "add", "dev", network.Inner, "root", "tbf", "rate", "64kbit", "burst", "4k", "latency", "2s");
        int connections = rig.Agent.Process.Count("UplinkConnected");
        rig.Agent.Proxy.Listen();
        await Fault.UntilAsync("a connection", Fault.Limit, () => rig.Agent.Process.Count("UplinkConnected") > connections);

        TimeSpan fresh = await Fault.UntilAsync("the newest frame is fresh", Fault.Limit, () => Fault.NowUnixMs - NewestFrame(rig.Agent) < 3000);
        Fault.Within("fresh data after the reconnect, backlog or not", fresh, 5);
        await Fault.LetRunAsync(5);
        Assert.True(Fault.NowUnixMs - NewestFrame(rig.Agent) < 3000 * Fault.Patience, "fresh data fell behind");
        long grown = rig.Agent.Process.ResidentBytes() - resident;
        Fault.Say($"resident memory grew by {grown >> 10} KiB");
        Assert.True(grown < 24 << 20, $"{grown} bytes");
        network.Run("tc", "qdisc", "del", "dev", network.Inner, "root");

        await SettledAsync(rig, "N8");
    }

    [Theory]
    [Trait("fault", "N10")]
    [Trait("cost", "long")]
    [InlineData(1)]
    [InlineData(5)]
    [InlineData(30)]
    public async Task N10_PacketLoss_LosesNoData(int percent)
    {
        using NetworkNamespace network = NetworkNamespace.MakeOrSkip("nft");
        await using FaultRig rig = await StartAsync(network);
        network.Drop($"numgen random mod 100 < {percent}");
        int before = rig.Agent.Ledger.Frames;
        await Fault.LetRunAsync(8);
        Fault.Say($"{rig.Agent.Ledger.Frames - before} of about 80 frames came through under {percent} % loss");
        network.Heal();

        Verdict verdict = await SettledAsync(rig, $"N10 at {percent} %");
        Assert.Equal(0, verdict.NeverSent);
    }

    [Fact]
    [Trait("fault", "N13")]
    [Trait("cost", "long")]
    public async Task N13_MtuBlackHole_IsNoticedAndSmallMtuWorks()
    {
        using NetworkNamespace network = NetworkNamespace.MakeOrSkip("nft");
        await using FaultRig rig = await FaultRig.StartAsync(Options(network) with { StartsAgents = false });

        // Large packets vanish without the ICMP that would say so.
        network.Drop("meta length > 576");
        rig.Agent.Start();
        Fault.Within(
            "the black hole was noticed",
            await Fault.UntilAsync("the agent says so", Fault.Limit + Fault.Limit, () => rig.Agent.Process.Count("UplinkLost") > 0), 30);
        network.Heal();
        Tool.Run("ip", "-n", network.Name, "link", "set", network.Inner, "mtu", "576");
        Tool.Run("ip", "link", "set", network.Outer, "mtu", "576");
        await rig.Agent.Process.WaitForEventAsync("UplinkConnected", Fault.Limit);

        await SettledAsync(rig, "N13");
    }

    [Fact]
    [Trait("fault", "N14")]
    [Trait("cost", "long")]
    public async Task N14_FlappingLink_LeaksNothingAndDeliversAll()
    {
        const int Flaps = 20; // a tenth of the list's 200, at a quarter of its pace: growth would show as well
        using NetworkNamespace network = NetworkNamespace.MakeOrSkip();
        await using FaultRig rig = await StartAsync(network);
        await Fault.LetRunAsync(2);
        (int files, long threads, long resident) = Footprint(rig.Agent.Process);
        for (int i = 0; i < Flaps; i++)
        {
            Tool.Run("ip", "-n", network.Name, "link", "set", network.Inner, "down");
            await Fault.LetRunAsync(0.25);
            Tool.Run("ip", "-n", network.Name, "link", "set", network.Inner, "up");
            await Fault.LetRunAsync(0.25);
        }

        await FaultRig.UpToDateAsync(rig.Agent, Fault.Limit);
        (int filesThen, long threadsThen, long residentThen) = Footprint(rig.Agent.Process);
        Fault.Say($"{Flaps} flaps: files {files} to {filesThen}, threads {threads} to {threadsThen}, memory {resident >> 20} to {residentThen >> 20} MiB");
        Assert.True(filesThen <= files + 3, $"open files grew from {files} to {filesThen}");
        Assert.True(threadsThen <= threads + 6, $"threads grew from {threads} to {threadsThen}");
        Assert.True(residentThen <= resident + (16 << 20), $"memory grew from {resident} to {residentThen}");
        Verdict verdict = await SettledAsync(rig, "N14");
        Assert.Equal(0, verdict.NeverSent);
    }

    [Fact]
    [Trait("fault", "N15")]
    [Trait("cost", "long")]
    public async Task N15_NameServerSilentThenChanging_SamplingGoesOnAndTheNewAddressIsFound()
    {
        using NetworkNamespace network = NetworkNamespace.MakeOrSkip();
        using NameServer names = new(network.HostAddress);
        using ScratchFolder folder = new();
        string resolver = Path.Combine(folder.Path, "resolv.conf");
        await File.WriteAllTextAsync(resolver, $"nameserver {network.HostAddress}\noptions timeout:1 attempts:2\n");
        await using FaultRig rig = await FaultRig.StartAsync(Options(network) with { StartsAgents = false });
        Launcher mounted = Launcher.WithMounts($"mount --bind {resolver} /etc/resolv.conf");
        rig.Agent.Launcher = mounted with { Prefix = [.. network.Launcher.Prefix, .. mounted.Prefix] };
        await using FaultProxy moved = new(rig.Agent.Witness.Address, 2, new IPEndPoint(network.OtherHostAddress, rig.Agent.Proxy.Address.Port));
        rig.Agent.Aggregator = $"aggregator.fault.test:{rig.Agent.Proxy.Address.Port}";

        rig.Agent.Start();
        await Fault.UntilAsync("the agent says that the name is unknown", Fault.Limit, () => rig.Agent.Process.Count("UplinkLost") > 0);
        names.Answer = network.HostAddress;
        await rig.Agent.Process.WaitForEventAsync("UplinkConnected", Fault.Limit);
        Assert.True(rig.Agent.Proxy.OpenConnections > 0);

        names.Answer = network.OtherHostAddress;
        await Fault.LetRunAsync(2);
        Assert.Equal(0, moved.OpenConnections); // the old address is kept while it works
        await rig.Agent.Proxy.RefuseAsync();
        rig.Agent.Proxy.ResetAll();
        await Fault.UntilAsync("the new address is used", Fault.Limit, () => moved.OpenConnections > 0, () => FaultRig.Tail(rig.Agent.Process));

        Verdict verdict = await SettledAsync(rig, "N15");
        Assert.Equal(0, verdict.NeverSent);
        long longest = LongestGapMs(rig.Agent);
        Fault.Say($"{names.Queries} queries; longest gap of two ticks {longest} ms");
        Assert.True(longest < 1000 * Fault.Patience, $"sampling stood still for {longest} ms");
    }

    [Fact]
    [Trait("fault", "N17")]
    [Trait("cost", "long")]
    public async Task N17_NoSourcePortLeft_IsAFailedAttemptLikeAnyOther()
    {
        using NetworkNamespace network = NetworkNamespace.MakeOrSkip();
        await using FaultRig rig = await StartAsync(network);
        string range = network.Run("cat", "/proc/sys/net/ipv4/ip_local_port_range").Trim();
        network.Run("sh", "-c", "echo 50000 > /proc/sys/net/ipv4/ip_local_reserved_ports; echo 50000 50000 > /proc/sys/net/ipv4/ip_local_port_range");
        rig.Agent.Proxy.ResetAll();
        string lost = await rig.Agent.Process.WaitForEventAsync("UplinkLost", Fault.Limit);
        await Fault.LetRunAsync(3);
        int connections = rig.Agent.Process.Count("UplinkConnected");
        Assert.Equal(1, connections);
        network.Run("sh", "-c", $"echo {range} > /proc/sys/net/ipv4/ip_local_port_range");
        await Fault.UntilAsync("a new connection", Fault.Limit, () => rig.Agent.Process.Count("UplinkConnected") > connections, () => lost);

        await SettledAsync(rig, "N17");
    }

    private static RigOptions Options(NetworkNamespace network) => new() { AgentLauncher = network.Launcher, ProxyListens = network.HostAddress };

    private static async Task<FaultRig> StartAsync(NetworkNamespace network)
    {
        FaultRig rig = await FaultRig.StartAsync(Options(network));
        await FaultRig.ProgressAsync(rig.Agent, 1, Fault.Limit);
        return rig;
    }

    private static async Task<Verdict> SettledAsync(FaultRig rig, string context)
    {
        Verdict verdict = await rig.SettleAsync();
        Assert.Single(rig.AggregatorLives);
        verdict.AssertExactlyOnce(context);
        return verdict;
    }

    private static TimeSpan Patient(double seconds) => TimeSpan.FromSeconds(seconds * Fault.Patience);

    private static long NewestFrame(AgentUnit agent) =>
        agent.Ledger.Read(ledger => ledger.Epochs.SelectMany(epoch => epoch.Frames.Values).Select(frame => frame.WallUnixMs).DefaultIfEmpty(0).Max());

    private static long LongestGapMs(AgentUnit agent) => agent.Ledger.Read(ledger =>
    {
        long[] ticks = [.. ledger.Epochs.Last().Frames.Values.Select(frame => frame.WallUnixMs).Order()];
        return ticks.Zip(ticks.Skip(1), (a, b) => b - a).Max();
    });

    private static (int Files, long Threads, long Resident) Footprint(RealProcess process) =>
        (process.OpenFiles(), process.Threads(), process.ResidentBytes());
}
