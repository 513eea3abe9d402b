using System.Net;
using NodeAgent.EndToEnd.Tests.Faults.Truth;
using NodeAgent.Testing.Processes;

namespace NodeAgent.EndToEnd.Tests.Faults.Rig;

/// <summary>
/// The real programs with everything a fault test needs around them: an aggregator that keeps its address over restarts, agents that
/// each reach it through a fault proxy and a witness, and the comparison of what was promised with what is there.
/// </summary>
internal sealed class FaultRig : IAsyncDisposable
{
    private static readonly TimeSpan DrainLimit = TimeSpan.FromSeconds(90);

    // A stop gives the aggregator three seconds to take what is left; under load the rest needs another life of the agent.
    private const int MostDrains = 4;

    private readonly ScratchFolder _folder = new();
    private readonly RigOptions _options;
    private readonly List<RealProcess> _aggregators = [];

    private FaultRig(RigOptions options)
    {
        _options = options;
        Address = new IPEndPoint(IPAddress.Loopback, LocalPair.FreePort());
    }

    internal IPEndPoint Address { get; }

    internal string Folder => _folder.Path;

    /// <summary>The aggregator's state.</summary>
    internal string StateFolder => Durability.StateFolder(Folder);

    internal RealProcess Aggregator => _aggregators[^1];

    /// <summary>Every start of the aggregator.</summary>
    internal IReadOnlyList<RealProcess> AggregatorLives => _aggregators;

    internal List<AgentUnit> Agents { get; } = [];

    /// <summary>The first one, where there is one.</summary>
    internal AgentUnit Agent => Agents[0];

    /// <summary>Starts the aggregator and the agents; returns when all are connected.</summary>
    internal static async Task<FaultRig> StartAsync(RigOptions? options = null)
    {
        Sweep.Once();
        FaultRig rig = new(options ?? new RigOptions());
        try
        {
            string[] nodes = [.. Enumerable.Range(1, rig._options.Agents).Select(i => $"fault-{i}")];
            await TestFleet.EnsureAsync(nodes).ConfigureAwait(false);
            await rig.StartAggregatorAsync().ConfigureAwait(false);
            rig.Agents.AddRange(nodes.Select(node => new AgentUnit(node, Path.Combine(rig.Folder, node), rig.Address, rig._options)));
            if (rig._options.StartsAgents)
            {
                await Task.WhenAll(rig.Agents.Select(agent => agent.StartConnectedAsync())).ConfigureAwait(false);
            }

            return rig;
        }
        catch
        {
            await rig.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Starts the aggregator (again); does not wait.</summary>
    internal RealProcess LaunchAggregator(params string[] moreSettings)
    {
        List<string> arguments = ["run"];
        string[] settings =
        [
            $"listen.address={Address}",
            $"listen.ca_file={Path.Combine(TestFleet.Folder, "ca.crt")}",
            $"listen.certificate_file={Path.Combine(TestFleet.Folder, "aggregator.crt")}",
            $"listen.key_file={Path.Combine(TestFleet.Folder, "aggregator.key")}",
            .. Durability.AggregatorSettings(Folder),
            .. _options.AggregatorSettings,
            .. moreSettings,
        ];
        foreach (string setting in settings)
        {
            arguments.AddRange(["--set", setting]);
        }

        Launcher launcher = _options.AggregatorLauncherOf(StateFolder);
        (string file, IReadOnlyList<string> command) = launcher.Command(Repository.AggregatorProgram, arguments);
        RealProcess process = RealProcess.Start("aggregator", file, command, Sweep.Mark(launcher.Environment));
        _aggregators.Add(process);
        return process;
    }

    /// <summary>Starts the aggregator (again) and waits until it serves.</summary>
    internal async Task<RealProcess> StartAggregatorAsync(params string[] moreSettings)
    {
        RealProcess process = LaunchAggregator(moreSettings);
        await process.WaitForEventAsync("AggregatorReady", LocalPair.StartLimit).ConfigureAwait(false);
        return process;
    }

    /// <summary>A reader of what is stored.</summary>
    internal TickReader Reader() => new(Address, TestFleet.Folder);

    /// <summary>Waits until this many more frames of an agent are acknowledged.</summary>
    internal static async Task ProgressAsync(AgentUnit agent, int frames, TimeSpan limit)
    {
        int before = agent.Ledger.AcknowledgedFrames;
        await Fault.UntilAsync(
            $"{frames} more acknowledged frames of {agent.Node}, after {before}", limit, () => agent.Ledger.AcknowledgedFrames - before >= frames,
            () => Tail(agent.Process)).ConfigureAwait(false);
    }

    /// <summary>
    /// The end of a test: every agent stops as when its service is stopped and hands over what it holds; agents that could not in the time
    /// that a stop takes are started again until nothing is owed. Then both halves of the truth are compared.
    /// </summary>
    internal async Task<Verdict> SettleAsync()
    {
        await DrainAsync().ConfigureAwait(false);
        using TickReader reader = Reader();
        Verdict verdict = await Verdict.ReachAsync(reader, Agents.Select(agent => (agent.Node, agent.Ledger))).ConfigureAwait(false);
        Assert.All(Agents, agent => Assert.Empty(agent.Witness.Problems));
        return verdict;
    }

    /// <summary>Stops the agents so that they owe nothing: waits until each is up to date, stops it, and starts it again if something was left.</summary>
    internal async Task DrainAsync()
    {
        foreach (AgentUnit agent in Agents.Where(agent => agent.Lives.Count > 0))
        {
            for (int round = 0; round < MostDrains && !(agent.Process.HasExited && agent.Ledger.Read(OwesNothing)); round++)
            {
                if (agent.Process.HasExited)
                {
                    await agent.StartConnectedAsync().ConfigureAwait(false);
                }

                await UpToDateAsync(agent, DrainLimit).ConfigureAwait(false);
                Assert.True(await agent.Process.StopAsync(LocalPair.StopLimit).ConfigureAwait(false), $"{agent.Node} did not stop:\n{Tail(agent.Process)}");
            }

            Assert.True(agent.Ledger.OpenFrames == 0, $"{agent.Node} still owes {agent.Ledger.OpenFrames} frames:\n{Tail(agent.Process)}");
        }
    }

    /// <summary>
    /// Waits until an agent sends what it samples as it samples it, and everything it has ever given a sequence has been on the wire. A backlog
    /// is handed over at a pace of its own, so the limit is for standing still and not for all of it.
    /// </summary>
    internal static async Task UpToDateAsync(AgentUnit agent, TimeSpan limit)
    {
        long startedUnixMs = Fault.NowUnixMs;
        ulong least = ulong.MaxValue;
        while (!agent.Ledger.Read(ledger => IsUpToDate(ledger, startedUnixMs)))
        {
            ulong owed = 0;
            await Fault.UntilAsync(
                $"{agent.Node} is up to date", limit,
                () => (owed = agent.Ledger.Read(Owed)) < least || agent.Ledger.Read(ledger => IsUpToDate(ledger, startedUnixMs)),
                () => $"{State(agent)}\n{Tail(agent.Process)}").ConfigureAwait(false);
            least = owed;
        }
    }

    /// <summary>What the witness knows of an agent, in a line.</summary>
    internal static string State(AgentUnit agent) => agent.Ledger.Read(ledger =>
        $"{agent.Node}: {ledger.Frames} frames on the wire, {ledger.Epochs.Sum(epoch => epoch.AcknowledgedFrames.Count())} acknowledged, "
        + $"{ledger.Epochs.Sum(epoch => epoch.OpenFrames)} open, {Owed(ledger)} never seen, {ledger.Welcomes} welcomes, {ledger.Acknowledgements} acknowledgements, "
        + $"{agent.Lives.Count} lives");

    /// <summary>Copies folders and logs to where they survive the test, for whoever has to find out why it failed.</summary>
    internal string Keep(string name)
    {
        string kept = Path.Combine(Repository.Root, "artifacts", "faults", name);
        Tool.TryRun(out _, "rm", "-rf", kept);
        Directory.CreateDirectory(kept);
        Tool.TryRun(out _, "cp", "-a", Folder + "/.", kept);
        foreach ((RealProcess process, int number) in _aggregators.Concat(Agents.SelectMany(agent => agent.Lives)).Select((process, number) => (process, number)))
        {
            File.WriteAllLines(Path.Combine(kept, $"{process.Name}-{number:0000}.log"), process.Lines);
        }

        return kept;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (AgentUnit agent in Agents)
        {
            await agent.DisposeAsync().ConfigureAwait(false);
        }

        foreach (RealProcess aggregator in _aggregators)
        {
            aggregator.Resume();
            await aggregator.StopAsync(LocalPair.StopLimit).ConfigureAwait(false);
            aggregator.Dispose();
        }

        _folder.Dispose();
    }

    internal static string Tail(RealProcess process) => string.Join('\n', process.Lines.TakeLast(30));

    // Nothing on the wire is unacknowledged, and nothing that has a sequence has stayed in the spool.
    private static bool OwesNothing(LinkLedger ledger) =>
        ledger.Epochs.All(epoch => epoch.OpenFrames == 0) && ledger.Epochs.LastOrDefault() is { } last && last.NeverSeen <= last.Dropped;

    private static ulong Owed(LinkLedger ledger) =>
        ledger.Epochs.LastOrDefault() is { } last ? last.NeverSeen - Math.Min(last.NeverSeen, last.Dropped) : 0;

    private static bool IsUpToDate(LinkLedger ledger, long sinceUnixMs)
    {
        EpochLedger? last = ledger.Epochs.LastOrDefault();
        return last is not null && last.Frames.Count > 0 && last.Frames.Values.Last().SeenUnixMs > sinceUnixMs && last.NeverSeen <= last.Dropped;
    }
}
