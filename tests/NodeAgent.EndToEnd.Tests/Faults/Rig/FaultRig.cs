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

        (string file, IReadOnlyList<string> command) = _options.AggregatorLauncher.Command(Repository.AggregatorProgram, arguments);
        RealProcess process = RealProcess.Start("aggregator", file, command, Sweep.Mark(_options.AggregatorLauncher.Environment));
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
        await Waiting.ForAsync($"{frames} more acknowledged frames of {agent.Node}, after {before}", limit, () =>
            Task.FromResult(agent.Ledger.AcknowledgedFrames - before >= frames ? agent : null)).ConfigureAwait(false);
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

    /// <summary>Waits until what is on the wire is acknowledged, then stops the agents.</summary>
    internal async Task DrainAsync()
    {
        foreach (AgentUnit agent in Agents.Where(agent => agent.Lives.Count > 0))
        {
            if (agent.Process.HasExited)
            {
                await agent.StartConnectedAsync().ConfigureAwait(false);
            }

            await CaughtUpAsync(agent, DrainLimit).ConfigureAwait(false);
            Assert.True(await agent.Process.StopAsync(LocalPair.StopLimit).ConfigureAwait(false), $"{agent.Node} did not stop: {Tail(agent.Process)}");
        }
    }

    /// <summary>
    /// Waits until an agent owes nothing old: all that went over the wire up to now is acknowledged, and its live frames follow.
    /// </summary>
    internal static async Task CaughtUpAsync(AgentUnit agent, TimeSpan limit)
    {
        long newest = agent.Ledger.Read(NewestFrame);
        await Waiting.ForAsync($"{agent.Node} hands over what it holds (open: {agent.Ledger.OpenFrames})", limit, () =>
            Task.FromResult(agent.Ledger.Read(ledger => IsCaughtUp(ledger, newest)) ? agent : null)).ConfigureAwait(false);
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

    private static long NewestFrame(LinkLedger ledger) =>
        ledger.Epochs.SelectMany(epoch => epoch.Frames.Values).Select(frame => frame.WallUnixMs).DefaultIfEmpty(0).Max();

    // Open frames of the last seconds are those that wait for their acknowledgement, which comes every five.
    private static bool IsCaughtUp(LinkLedger ledger, long newestThen)
    {
        EpochLedger? last = ledger.Epochs.LastOrDefault();
        return last is not null && last.AcknowledgedFrames.Any(frame => frame.WallUnixMs >= newestThen)
            && last.Frames.Values.Where(frame => frame.WallUnixMs <= newestThen).All(frame => last.Acknowledged.Contains(frame.Sequence))
            && last.NeverSeen <= last.Dropped;
    }
}
