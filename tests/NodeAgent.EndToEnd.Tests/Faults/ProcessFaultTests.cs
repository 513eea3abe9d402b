using System.Diagnostics;
using NodeAgent.EndToEnd.Tests.Faults.Rig;
using NodeAgent.EndToEnd.Tests.Faults.Truth;
using NodeAgent.Testing.Processes;

namespace NodeAgent.EndToEnd.Tests.Faults;

/// <summary>The process family (docs/reliability.md): stopped, starved, out of memory, files or threads, asked to go. P1 is the kill loop.</summary>
public sealed class ProcessFaultTests
{
    [Fact]
    [Trait("fault", "P3")]
    [Trait("cost", "long")]
    public async Task P3_AgentStoppedAndContinued_LeavesAGapAndInventsNothing()
    {
        await using FaultRig rig = await FaultRig.StartAsync();
        await FaultRig.ProgressAsync(rig.Agent, 1, Fault.Limit);
        rig.Agent.Process.Pause();
        await Fault.LetRunAsync(0.3);
        long stopped = Fault.NowUnixMs;
        await Fault.LetRunAsync(20); // longer than either side takes to notice
        long continued = Fault.NowUnixMs;
        rig.Agent.Process.Resume();
        await Fault.LetRunAsync(2);
        Verdict verdict = await rig.SettleAsync();

        long[] ticks = rig.Agent.Ledger.Read(ledger => ledger.Epochs.SelectMany(epoch => epoch.Frames.Values).Select(frame => frame.WallUnixMs).ToArray());
        int invented = ticks.Count(tick => tick > stopped && tick < continued);
        int burst = ticks.Count(tick => tick >= continued && tick < continued + 1000);
        Fault.Say($"{invented} ticks inside the stop, {burst} in the second after it");
        Assert.Equal(0, invented);
        Assert.InRange(burst, 1, 12);
        verdict.AssertExactlyOnce("P3");
        Assert.Equal(0, verdict.NeverSent);
    }

    [Fact]
    [Trait("fault", "P4")]
    [Trait("cost", "long")]
    public async Task P4_MemoryLimit_IsHeldAndAKillByTheKernelCostsNothingSpooled()
    {
        using ControlGroup group = ControlGroup.MakeOrSkip("memory");
        group.Set("memory.limit_in_bytes", 128L << 20);
        await using FaultRig rig = await FaultRig.StartAsync(new RigOptions { AgentLauncher = group.Launcher });
        await rig.Agent.Proxy.RefuseAsync();
        rig.Agent.Proxy.ResetAll();
        await Fault.LetRunAsync(6);
        Assert.False(rig.Agent.Process.HasExited);
        Fault.Say($"{group.Get("memory.max_usage_in_bytes") >> 20} of 128 MiB were used at most");

        // Taken away what it has: the kernel either reclaims or ends it.
        Tool.TryRun(out _, "sh", "-c", $"for i in 48 40 32 24 16 8; do echo ${{i}}M > /sys/fs/cgroup/memory/{GroupName(group)}/memory.limit_in_bytes 2>/dev/null; sleep 0.3; done");
        await Fault.LetRunAsync(2);
        bool wasKilled = rig.Agent.Process.HasExited;
        group.Set("memory.limit_in_bytes", 256L << 20);
        if (!wasKilled)
        {
            await rig.Agent.KillAsync(); // what the kernel would have done with one page less
        }

        Fault.Say(wasKilled ? "the kernel ended the agent" : "the agent held out; it was ended by hand");
        rig.Agent.Proxy.Listen();
        await rig.Agent.StartConnectedAsync();
        Verdict verdict = await rig.SettleAsync();
        verdict.AssertExactlyOnce("P4");
        Assert.Equal(0, verdict.NeverSent);
        Assert.Equal(1, verdict.Epochs); // the same spool, so what was written before the end was sent after it
    }

    [Fact]
    [Trait("fault", "P5")]
    [Trait("cost", "long")]
    public async Task P5_NoFileDescriptorLeft_SamplesOnAndReconnectsWhenThereAreSome()
    {
        await using FaultRig rig = await FaultRig.StartAsync();
        await FaultRig.ProgressAsync(rig.Agent, 1, Fault.Limit);
        string process = rig.Agent.Process.Id.ToString();
        rig.Agent.Proxy.ResetAll();
        Tool.Run("prlimit", "--pid", process, "--nofile=8:4096");
        await Fault.LetRunAsync(5);
        Assert.False(rig.Agent.Process.HasExited, FaultRig.Tail(rig.Agent.Process));
        Tool.Run("prlimit", "--pid", process, "--nofile=1024:4096");
        await FaultRig.UpToDateAsync(rig.Agent, Fault.Limit + Fault.Limit);

        Verdict verdict = await rig.SettleAsync();
        Assert.Single(rig.Agent.Lives);
        Fault.Say($"longest gap of two ticks {LongestGapMs(rig.Agent)} ms");
        Assert.True(LongestGapMs(rig.Agent) < 1000 * Fault.Patience);
        verdict.AssertExactlyOnce("P5");
        Assert.Equal(0, verdict.NeverSent);
    }

    [Fact]
    [Trait("fault", "P6")]
    [Trait("cost", "long")]
    public async Task P6_NoThreadLeft_TheRunningAgentSurvives()
    {
        using ControlGroup group = ControlGroup.MakeOrSkip("pids");
        await using FaultRig rig = await FaultRig.StartAsync(new RigOptions { AgentLauncher = group.Launcher });
        await FaultRig.ProgressAsync(rig.Agent, 1, Fault.Limit);
        group.Set("pids.max", 1); // fewer than there are: none may be added
        rig.Agent.Proxy.ResetAll();
        await Fault.LetRunAsync(5);
        Assert.False(rig.Agent.Process.HasExited, FaultRig.Tail(rig.Agent.Process));
        group.Set("pids.max", 200);

        Verdict verdict = await rig.SettleAsync();
        Assert.Single(rig.Agent.Lives);
        verdict.AssertExactlyOnce("P6");
        Assert.Equal(0, verdict.NeverSent);
    }

    [Fact]
    [Trait("fault", "P7")]
    [Trait("cost", "long")]
    public async Task P7_OnePerCentOfACore_HeartbeatsGoOn()
    {
        using ControlGroup group = ControlGroup.MakeOrSkip("cpu");
        await using FaultRig rig = await FaultRig.StartAsync(new RigOptions { Tick = TimeSpan.FromSeconds(1) });
        await FaultRig.ProgressAsync(rig.Agent, 2, Fault.Limit);
        group.Set("cpu.cfs_period_us", 100_000);
        group.Set("cpu.cfs_quota_us", 1000);
        group.Take(rig.Agent.Process.Id);
        await Fault.LetRunAsync(15);
        Assert.Equal(0, rig.Agent.Process.Count("UplinkLost"));
        long longest = LongestGapMs(rig.Agent);
        group.Set("cpu.cfs_quota_us", -1);

        Fault.Within("longest gap of two heartbeats with one per cent of a core", TimeSpan.FromMilliseconds(longest), 3);
        (await rig.SettleAsync()).AssertExactlyOnce("P7");
    }

    [Fact]
    [Trait("fault", "P8")]
    [Trait("cost", "long")]
    public async Task P8_DiskStorm_SamplingKeepsItsBeat()
    {
        await using FaultRig rig = await FaultRig.StartAsync();
        await FaultRig.ProgressAsync(rig.Agent, 1, Fault.Limit);
        string file = Path.Combine(rig.Folder, "storm");
        using (RealProcess storm = RealProcess.Start(
            "storm", "sh", ["-c", $"while :; do dd if=/dev/zero of={file} bs=1M count=256 conv=fsync 2>/dev/null; done"], Sweep.Mark(new Dictionary<string, string>())))
        {
            await Fault.LetRunAsync(8);
        }

        File.Delete(file);
        long longest = LongestGapMs(rig.Agent);
        Fault.Say($"longest gap of two ticks under 256 MiB writes and fsyncs: {longest} ms");
        Assert.True(longest < 1000 * Fault.Patience, $"{longest} ms");
        Verdict verdict = await rig.SettleAsync();
        verdict.AssertExactlyOnce("P8");
        Assert.Equal(0, verdict.NeverSent);
    }

    [Fact]
    [Trait("fault", "P11")]
    [Trait("cost", "long")]
    public async Task P11_OneSourceBroken_TheOtherSamplersGoOn()
    {
        using ScratchFolder folder = new();
        string meminfo = Path.Combine(folder.Path, "meminfo");
        await File.WriteAllTextAsync(meminfo, "this is no meminfo\n");
        await using FaultRig rig = await FaultRig.StartAsync(new RigOptions
        {
            AgentLauncher = Launcher.WithMounts($"mount --bind {meminfo} /proc/meminfo"),
        });
        await FaultRig.ProgressAsync(rig.Agent, 5, Fault.Limit);
        await rig.Agent.Process.WaitForLineAsync(
            line => line.Contains("event=SamplerFailed", StringComparison.Ordinal) && line.Contains("meminfo", StringComparison.Ordinal), Fault.Limit);
        using TickReader reader = rig.Reader();

        Assert.NotNull(await reader.InstantAsync("node_load1{node=\"fault-1\"}"));
        Assert.Null(await reader.InstantAsync("node_memory_MemTotal_bytes{node=\"fault-1\"}"));
        Assert.Equal(1, rig.Agent.Process.Count("SamplerFailed"));
        (await rig.SettleAsync()).AssertExactlyOnce("P11");
    }

    [Fact]
    [Trait("fault", "P12")]
    [Trait("cost", "long")]
    public async Task P12_TermDuringAFlushAndHangUp_StopsInTimeWithExitCodeZero()
    {
        await using FaultRig rig = await FaultRig.StartAsync();
        await FaultRig.ProgressAsync(rig.Agent, 1, Fault.Limit);
        rig.Agent.Process.HangUp();
        await Fault.LetRunAsync(0.5);
        Assert.False(rig.Agent.Process.HasExited); // no reload yet: ignored and said, the running configuration stays

        // A backlog, so that there is something to flush, over a link on which that takes its time.
        await rig.Agent.Proxy.RefuseAsync();
        rig.Agent.Proxy.ResetAll();
        await Fault.LetRunAsync(4);
        rig.Agent.Proxy.SetFaults(new Testing.Network.LinkFaults { Delay = TimeSpan.FromMilliseconds(300) });
        rig.Agent.Proxy.Listen();
        int connections = rig.Agent.Process.Count("UplinkConnected");
        await Fault.UntilAsync("a connection", Fault.Limit, () => rig.Agent.Process.Count("UplinkConnected") > connections);
        Stopwatch watch = Stopwatch.StartNew();
        Assert.True(await rig.Agent.Process.StopAsync(LocalPair.StopLimit), FaultRig.Tail(rig.Agent.Process));
        Fault.Within("SIGTERM to a clean exit, with a backlog", watch.Elapsed, 5);
        Assert.Equal(0, rig.Agent.Process.ExitCode);
        rig.Agent.Proxy.SetFaults(Testing.Network.LinkFaults.None);

        Verdict verdict = await rig.SettleAsync();
        verdict.AssertExactlyOnce("P12");
        Assert.Equal(0, verdict.NeverSent);
    }

    private static string GroupName(ControlGroup group) => Path.GetFileName(group.Folder);

    private static long LongestGapMs(AgentUnit agent) => agent.Ledger.Read(ledger =>
    {
        long[] ticks = [.. ledger.Epochs.Last().Frames.Values.Select(frame => frame.WallUnixMs).Order()];
        return ticks.Zip(ticks.Skip(1), (a, b) => b - a).Max();
    });
}
