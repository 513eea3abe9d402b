using NodeAgent.EndToEnd.Tests.Faults.Rig;

namespace NodeAgent.EndToEnd.Tests.Faults;

/// <summary>P9: what the service manager hears of a program whose main loop stands still. Its restart is the manager's part.</summary>
public sealed class WatchdogFaultTests
{
    // Beats come every half of it. Small, so that the test need not be long; large against what a busy machine delays a thread.
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(6);

    [Fact]
    [Trait("fault", "P9")]
    [Trait("cost", "long")]
    public async Task P9_HungSamplingLoop_TheServiceManagerHearsNothingUntilItMoves()
    {
        using ScratchFolder folder = new();
        using NotifySocket manager = new(Path.Combine(folder.Path, "notify"));
        using ControlGroup freezer = ControlGroup.MakeOrSkip("freezer");
        await using FaultRig rig = await FaultRig.StartAsync(new RigOptions { AgentLauncher = manager.Launcher(Limit), Tick = TimeSpan.FromSeconds(60) });
        await Fault.UntilAsync("the first beat", Fault.Limit, () => manager.Count("WATCHDOG=1") > 0, () => FaultRig.Tail(rig.Agent.Process));
        Assert.True(manager.IsReady);
        await Fault.LetRunAsync(3 * Limit.TotalSeconds);
        TimeSpan healthy = manager.LongestSilence();
        Fault.Say($"longest silence of a healthy agent that samples once a minute: {healthy.TotalSeconds:0.0} of {Limit.TotalSeconds:0} s");
        Assert.True(healthy < Limit, $"{healthy}");

        // Only the two that tick in turn, as a driver would hold the loop; everything else of the agent runs on.
        foreach (int thread in TickThreadsOf(rig.Agent.Process.Id))
        {
            freezer.TakeThread(thread);
        }

        int before;
        await FreezeAsync(freezer, "FROZEN");
        try
        {
            await Fault.UntilAsync("the silence that ends a service", Fault.Limit, () => manager.LongestSilence() > Limit);
            Assert.False(rig.Agent.Process.HasExited);
            before = manager.Count("WATCHDOG=1");
        }
        finally
        {
            await FreezeAsync(freezer, "THAWED"); // whatever happened: what is frozen cannot even be killed
        }

        await Fault.UntilAsync("a beat of the thread that moves again", Fault.Limit, () => manager.Count("WATCHDOG=1") > before);
    }

    [Fact]
    [Trait("fault", "P9")]
    [Trait("cost", "long")]
    public async Task P9_AggregatorThatServes_BeatsAndOneThatStandsStillDoesNot()
    {
        using ScratchFolder folder = new();
        using NotifySocket manager = new(Path.Combine(folder.Path, "notify"));
        await using FaultRig rig = await FaultRig.StartAsync(new RigOptions { AggregatorLauncherOf = _ => manager.Launcher(Limit) });
        await Fault.UntilAsync("the first beat", Fault.Limit, () => manager.Count("WATCHDOG=1") > 0, () => FaultRig.Tail(rig.Aggregator));
        Assert.True(manager.IsReady);
        await Fault.LetRunAsync(2 * Limit.TotalSeconds);
        TimeSpan healthy = manager.LongestSilence();
        Fault.Say($"longest silence of a healthy aggregator: {healthy.TotalSeconds:0.0} of {Limit.TotalSeconds:0} s");
        Assert.True(healthy < Limit, $"{healthy}");

        rig.Aggregator.Pause();
        await Fault.UntilAsync("the silence that ends a service", Fault.Limit, () => manager.LongestSilence() > Limit);
        int before = manager.Count("WATCHDOG=1");
        rig.Aggregator.Resume();
        await Fault.UntilAsync("a beat after it", Fault.Limit, () => manager.Count("WATCHDOG=1") > before);
        (await rig.SettleAsync()).AssertExactlyOnce("P9");
    }

    private static Task FreezeAsync(ControlGroup freezer, string state) => File.WriteAllTextAsync(Path.Combine(freezer.Folder, "freezer.state"), state);

    private static int[] TickThreadsOf(int process)
    {
        int[] threads = [.. Directory.EnumerateDirectories($"/proc/{process}/task")
            .Where(task => File.ReadAllText(Path.Combine(task, "comm")).Trim() == "tick")
            .Select(task => int.Parse(Path.GetFileName(task), System.Globalization.CultureInfo.InvariantCulture))];
        Assert.Equal(2, threads.Length);
        return threads;
    }
}
