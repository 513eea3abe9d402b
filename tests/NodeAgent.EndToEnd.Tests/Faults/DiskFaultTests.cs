using NodeAgent.EndToEnd.Tests.Faults.Rig;
using NodeAgent.EndToEnd.Tests.Faults.Truth;
using NodeAgent.Testing.Processes;

namespace NodeAgent.EndToEnd.Tests.Faults;

/// <summary>
/// The disk family (docs/reliability.md) on real file systems: each agent has its spool on a mount of its own, in a mount namespace that goes
/// with it. What a real disk does not do on demand (D3, D4, D10, D13) is the journal's simulated disk's.
/// </summary>
public sealed class DiskFaultTests
{
    // Small enough that a test reaches it; the settings allow no less.
    private const string SmallSpool = "spool.max_bytes=4MiB";

    [Fact]
    [Trait("fault", "D1")]
    [Trait("cost", "long")]
    public async Task D1_SpoolDiskFull_OneAlarmNoBusyLoopAndItHealsByItself()
    {
        await using FaultRig rig = await StartAsync(spool => Mount(spool, "size=4m"));
        await CutOffAsync(rig);
        Inside(rig.Agent, $"dd if=/dev/zero of={rig.Agent.SpoolFolder}/filler bs=64k 2>/dev/null; true");
        await rig.Agent.Process.WaitForEventAsync("SpoolMemoryOnly", Fault.Limit);
        TimeSpan before = rig.Agent.Process.ProcessorTime();
        await Fault.LetRunAsync(5);
        TimeSpan used = rig.Agent.Process.ProcessorTime() - before;
        Fault.Say($"processor time while the disk was full: {used.TotalMilliseconds:0} ms in 5 s");
        Assert.True(used < TimeSpan.FromSeconds(1.5), $"{used}");
        Assert.Equal(1, rig.Agent.Process.Count("SpoolMemoryOnly"));

        Inside(rig.Agent, $"rm {rig.Agent.SpoolFolder}/filler");
        await rig.Agent.Process.WaitForEventAsync("SpoolDurableAgain", Fault.Limit);
        await DeliveredAsync(rig, "D1");
    }

    [Fact]
    [Trait("fault", "D2")]
    [Trait("cost", "long")]
    public async Task D2_FsyncReallyFails_IsNoticedAndDataGoesOnFromMemory()
    {
        // An ext4 image on a tmpfs: when the tmpfs is full, blocks that ext4 has promised cannot be written, and fsync(2) says so. Without
        // a journal of its own, which would be aborted and turn the file system read-only: that is D7.
        await using FaultRig rig = await StartAsync(spool => Image(spool, "errors=continue", "^has_journal"));
        await CutOffAsync(rig);
        Inside(rig.Agent, $"dd if=/dev/zero of={rig.Agent.SpoolFolder}.store/filler bs=64k 2>/dev/null; true");
        string alarm = await rig.Agent.Process.WaitForEventAsync("SpoolMemoryOnly", Fault.Limit);
        Fault.Say(alarm[alarm.IndexOf("reason=", StringComparison.Ordinal)..]);
        Assert.Matches("reason=\"sync (segment|directory) [^\"]*: (EIO|ENOSPC)\"", alarm); // fsync(2) itself: writes to the page cache went well
        Assert.False(rig.Agent.Process.HasExited);
        Inside(rig.Agent, $"rm {rig.Agent.SpoolFolder}.store/filler");

        await DeliveredAsync(rig, "D2");
        using TickReader reader = rig.Reader();
        double? counted = await reader.InstantAsync("max_over_time(nodeagent_storage_fsync_errors_total{node=\"fault-1\"}[10m])");
        Fault.Say($"{counted} failed fsyncs were counted");
        Assert.True(counted > 0, $"{counted}");
    }

    [Theory]
    [Trait("fault", "D5")]
    [Trait("cost", "long")]
    [InlineData("missing")]
    [InlineData("duplicated")]
    [InlineData("swapped")]
    public async Task D5_SegmentFilesTamperedWith_GapIsReportedAndNothingIsSentTwice(string how)
    {
        await using FaultRig rig = await FaultRig.StartAsync(new RigOptions { AgentSettings = [SmallSpool] });
        await CutOffAsync(rig);
        for (int life = 0; life < 3; life++)
        {
            await Fault.LetRunAsync(2);
            await rig.Agent.KillAsync();
            rig.Agent.Start();
        }

        await Fault.LetRunAsync(2);
        await rig.Agent.KillAsync();
        string[] segments = [.. Directory.GetFiles(Path.Combine(rig.Agent.SpoolFolder, "full"), "*.segment").Order(StringComparer.Ordinal)];
        Assert.True(segments.Length >= 4, $"{segments.Length} segments");
        Tamper(how, segments);
        rig.Agent.Start();
        rig.Agent.Proxy.Listen();
        await rig.Agent.Process.WaitForEventAsync("UplinkConnected", Fault.Limit);

        Verdict verdict = await rig.SettleAsync();
        ulong dropped = rig.Agent.Ledger.Read(ledger => ledger.Epochs.Last().Dropped);
        Fault.Say($"{how}: the agent counts {dropped} records as dropped; {rig.Agent.Process.Count("SpoolDamaged")} reports");
        verdict.AssertExactlyOnce($"D5 {how}");
        Assert.Equal(0, verdict.NeverSent);
        Assert.Equal(how != "missing", dropped == 0); // what is whole is found wherever it lies
    }

    [Fact]
    [Trait("fault", "D6")]
    [Trait("cost", "long")]
    public async Task D6_SpoolOfAnotherAgent_IsSetAsideAndNotSent()
    {
        await using FaultRig rig = await FaultRig.StartAsync(new RigOptions { Agents = 2 });
        foreach (AgentUnit agent in rig.Agents)
        {
            await agent.Proxy.RefuseAsync();
            agent.Proxy.ResetAll();
        }

        await Fault.LetRunAsync(4);
        foreach (AgentUnit agent in rig.Agents)
        {
            await agent.KillAsync();
        }

        Directory.Delete(rig.Agents[0].SpoolFolder, recursive: true);
        rig.Agents[0].Ledger.WriteOff();
        Tool.Run("cp", "-a", rig.Agents[1].SpoolFolder, rig.Agents[0].SpoolFolder);
        long copied = Fault.NowUnixMs;
        foreach (AgentUnit agent in rig.Agents)
        {
            agent.Start();
            agent.Proxy.Listen();
            await agent.Process.WaitForEventAsync("UplinkConnected", Fault.Limit);
        }

        await rig.Agents[0].Process.WaitForEventAsync("SpoolSetAside", Fault.Limit);
        Verdict verdict = await rig.SettleAsync();

        verdict.AssertExactlyOnce("D6");
        EpochLedger second = rig.Agents[0].Ledger.Read(ledger => ledger.Epochs.Last());
        Assert.All(second.Frames.Values, frame => Assert.True(frame.WallUnixMs >= copied, $"a frame of the other agent, sequence {frame.Sequence}"));
        Assert.Single(rig.Agents[1].Ledger.Read(ledger => ledger.Epochs.ToArray()));
    }

    [Fact]
    [Trait("fault", "D7")]
    [Trait("cost", "long")]
    public async Task D7_FileSystemTurnsReadOnly_AlarmAndDataGoesOnFromMemory()
    {
        await using FaultRig rig = await StartAsync(spool => Image(spool, "errors=remount-ro"));
        await CutOffAsync(rig);
        string device = Path.GetFileName(Inside(rig.Agent, $"findmnt -no SOURCE {rig.Agent.SpoolFolder}").Trim());
        await File.WriteAllTextAsync($"/sys/fs/ext4/{device}/trigger_fs_error", "NodeAgent's test D7");
        await rig.Agent.Process.WaitForEventAsync("SpoolMemoryOnly", Fault.Limit);

        await DeliveredAsync(rig, "D7");
        Assert.Equal(1, rig.Agent.Process.Count("SpoolMemoryOnly"));
    }

    [Fact]
    [Trait("fault", "D8")]
    [Trait("cost", "long")]
    public async Task D8_SpoolRemovedWhileRunning_IsMadeAgain()
    {
        await using FaultRig rig = await FaultRig.StartAsync();
        await CutOffAsync(rig);
        await Fault.LetRunAsync(2);
        Tool.Run("rm", "-rf", rig.Agent.SpoolFolder);
        TimeSpan back = await Fault.UntilAsync(
            "the spool is made again", Fault.Limit, () => Directory.Exists(Path.Combine(rig.Agent.SpoolFolder, "full")), () => FaultRig.Tail(rig.Agent.Process));
        Fault.Say($"the spool was there again after {back.TotalSeconds:0.0} s");

        rig.Agent.Proxy.Listen();
        await rig.Agent.Process.WaitForLineAsync(_ => rig.Agent.Process.Count("UplinkConnected") > 1, Fault.Limit);
        Verdict verdict = await rig.SettleAsync();
        verdict.AssertExactlyOnce("D8");
        Assert.Equal(0, verdict.NeverSent);
    }

    [Theory]
    [Trait("fault", "D9")]
    [InlineData("symlink", "symbolic link")]
    [InlineData("writable", "chmod go-w")]
    public async Task D9_SpoolDirectoryThatOthersControl_IsRefusedWithAReason(string how, string said)
    {
        await using FaultRig rig = await FaultRig.StartAsync(new RigOptions { StartsAgents = false });
        string elsewhere = Path.Combine(rig.Folder, "elsewhere");
        Directory.CreateDirectory(elsewhere);
        if (how == "symlink")
        {
            Directory.CreateSymbolicLink(rig.Agent.SpoolFolder, elsewhere);
        }
        else
        {
            Directory.CreateDirectory(rig.Agent.SpoolFolder);
            Tool.Run("chmod", "0777", rig.Agent.SpoolFolder);
        }

        rig.Agent.Start();
        string refused = await rig.Agent.Process.WaitForEventAsync("SpoolUnavailable", Fault.Limit);
        Assert.Contains(said, refused);
        await FaultRig.ProgressAsync(rig.Agent, 1, Fault.Limit); // telemetry goes on, from memory
        Assert.Empty(Directory.EnumerateFileSystemEntries(elsewhere));
        Assert.Empty(Directory.EnumerateFileSystemEntries(rig.Agent.SpoolFolder));
    }

    [Fact]
    [Trait("fault", "D11")]
    [Trait("cost", "long")]
    public async Task D11_NoInodeLeft_MemoryOnlyUntilThereAreSome()
    {
        await using FaultRig rig = await FaultRig.StartAsync(new RigOptions { StartsAgents = false });
        string spool = rig.Agent.SpoolFolder;
        rig.Agent.Launcher = Mounted($"{Mount(spool, "size=16m,nr_inodes=20")}; for i in $(seq 40); do touch {spool}/filler-$i 2>/dev/null || true; done");
        rig.Agent.Start();
        await rig.Agent.Process.WaitForLineAsync(line => line.Contains("event=SpoolUnavailable", StringComparison.Ordinal)
            || line.Contains("event=SpoolMemoryOnly", StringComparison.Ordinal), Fault.Limit);
        await FaultRig.ProgressAsync(rig.Agent, 5, Fault.Limit);

        Inside(rig.Agent, $"rm -f {spool}/filler-*");
        await rig.Agent.Process.WaitForLineAsync(line => line.Contains("event=SpoolOpened", StringComparison.Ordinal)
            || line.Contains("event=SpoolDurableAgain", StringComparison.Ordinal), Fault.Limit);
        Verdict verdict = await rig.SettleAsync();
        verdict.AssertExactlyOnce("D11");
        Assert.Equal(0, verdict.NeverSent);
    }

    [Fact]
    [Trait("fault", "D12")]
    public async Task D12_SecondAgentOnOneSpool_ExitsAndSaysWhy()
    {
        await using FaultRig rig = await FaultRig.StartAsync();
        RealProcess second = rig.Agent.Start();

        Assert.True(await second.WaitForExitAsync(LocalPair.StopLimit), FaultRig.Tail(second));
        Assert.NotEqual(0, second.ExitCode);
        Assert.Equal(1, second.Count("SpoolInUse"));
        Assert.False(rig.Agent.Lives[0].HasExited);
        rig.Agent.Lives.RemoveAt(1);
        second.Dispose();
        (await rig.SettleAsync()).AssertExactlyOnce("D12");
    }

    private static async Task<FaultRig> StartAsync(Func<string, string> mounts)
    {
        Assert.SkipUnless(Tool.TryRun(out string why, "unshare", "--mount", "--propagation", "private", "mount", "-t", "tmpfs", "tmpfs", "/mnt"), $"no mounts here: {why}");
        FaultRig rig = await FaultRig.StartAsync(new RigOptions { StartsAgents = false, AgentSettings = [SmallSpool] });
        try
        {
            rig.Agent.Launcher = Mounted(mounts(rig.Agent.SpoolFolder));
            await rig.Agent.StartConnectedAsync();
            await FaultRig.ProgressAsync(rig.Agent, 1, Fault.Limit);
            return rig;
        }
        catch
        {
            await rig.DisposeAsync();
            throw;
        }
    }

    private static Launcher Mounted(string script) => Launcher.WithMounts(script);

    private static string Mount(string folder, string options) => $"mkdir -p {folder}; mount -t tmpfs -o {options},mode=0700 tmpfs {folder}";

    // The image is larger than what it lies on. lazy_itable_init keeps mkfs from writing what nobody needs.
    private static string Image(string folder, string options, string features = "has_journal") =>
        $"mkdir -p {folder}.store {folder}; mount -t tmpfs -o size=24m tmpfs {folder}.store; truncate -s 96M {folder}.store/image; "
        + $"mkfs.ext4 -q -F -E lazy_itable_init=1 -O {features} {folder}.store/image; mount -o loop,{options} {folder}.store/image {folder}; chmod 0700 {folder}; rmdir {folder}/lost+found";

    private static string Inside(AgentUnit agent, string script) => Tool.Run("nsenter", "-t", agent.Process.Id.ToString(), "-m", "sh", "-c", script);

    // No aggregator in reach: what is sampled stays in the spool.
    private static async Task CutOffAsync(FaultRig rig)
    {
        await rig.Agent.Proxy.RefuseAsync();
        rig.Agent.Proxy.ResetAll();
        await Fault.UntilAsync("the agent is cut off", Fault.Limit, () => rig.Agent.Process.Count("UplinkLost") > 0);
    }

    private static async Task DeliveredAsync(FaultRig rig, string context)
    {
        rig.Agent.Proxy.Listen();
        await FaultRig.ProgressAsync(rig.Agent, 20, Fault.Limit + Fault.Limit);
        Verdict verdict = await rig.SettleAsync();
        Assert.Single(rig.Agent.Lives);
        verdict.AssertExactlyOnce(context);
        Assert.Equal(0, verdict.NeverSent);
    }

    private static void Tamper(string how, string[] segments)
    {
        switch (how)
        {
            case "missing":
                File.Delete(segments[1]);
                break;
            case "duplicated":
                long after = Convert.ToInt64(Path.GetFileNameWithoutExtension(segments[^1]), 16) + 1;
                File.Copy(segments[1], Path.Combine(Path.GetDirectoryName(segments[1])!, $"{after:x16}.segment"));
                break;
            default:
                string aside = segments[1] + ".aside";
                File.Move(segments[1], aside);
                File.Move(segments[2], segments[1]);
                File.Move(aside, segments[2]);
                break;
        }
    }
}
