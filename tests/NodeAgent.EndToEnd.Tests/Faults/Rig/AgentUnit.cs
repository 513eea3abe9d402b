using System.Net;
using NodeAgent.EndToEnd.Tests.Faults.Truth;
using NodeAgent.Testing.Network;
using NodeAgent.Testing.Processes;

namespace NodeAgent.EndToEnd.Tests.Faults.Rig;

/// <summary>One agent of a rig: the real program, its folder, the fault proxy and the witness between it and the aggregator.</summary>
internal sealed class AgentUnit : IAsyncDisposable
{
    private readonly RigOptions _options;

    internal AgentUnit(string node, string folder, IPEndPoint aggregator, RigOptions options)
    {
        Node = node;
        Folder = folder;
        _options = options;
        Launcher = options.AgentLauncher;
        Directory.CreateDirectory(folder);
        Witness = new LinkWitness(aggregator, TestFleet.Folder, node);
        Proxy = new FaultProxy(Witness.Address, options.Seed, options.ProxyListens is { } address ? new IPEndPoint(address, 0) : null);
        Aggregator = Proxy.Address.ToString();
    }

    internal string Node { get; }

    /// <summary>The agent's own: its spool.</summary>
    internal string Folder { get; }

    /// <summary>Where the agent dials, HOST:PORT.</summary>
    internal string Aggregator { get; set; }

    /// <summary>Agent to proxy to witness to aggregator: the proxy cuts and garbles, the witness sees what comes through.</summary>
    internal FaultProxy Proxy { get; }

    internal LinkWitness Witness { get; }

    internal LinkLedger Ledger => Witness.Ledger;

    internal Launcher Launcher { get; set; }

    /// <summary>Its present life.</summary>
    internal RealProcess Process => Lives[^1];

    /// <summary>Every start of it.</summary>
    internal List<RealProcess> Lives { get; } = [];

    /// <summary>Starts it (again); does not wait for anything.</summary>
    internal RealProcess Start(params string[] moreSettings)
    {
        List<string> arguments = ["run"];
        string[] settings =
        [
            $"uplink.aggregator=https://{Aggregator}",
            "uplink.server_name=localhost",
            $"uplink.ca_file={Path.Combine(TestFleet.Folder, "ca.crt")}",
            $"uplink.certificate_file={Path.Combine(TestFleet.Folder, "agents", Node + ".crt")}",
            $"uplink.key_file={Path.Combine(TestFleet.Folder, "agents", Node + ".key")}",
            .. Durability.AgentSettings(Folder),
            .. RigSettings.Samplers(_options.Tick),
            .. _options.AgentSettings,
            .. moreSettings,
        ];
        foreach (string setting in settings)
        {
            arguments.AddRange(["--set", setting]);
        }

        (string file, IReadOnlyList<string> command) = Launcher.Command(_options.AgentProgram, arguments);
        RealProcess process = RealProcess.Start(Node, file, command, Sweep.Mark(Launcher.Environment));
        Lives.Add(process);
        return process;
    }

    /// <summary>Starts it and waits until it is connected.</summary>
    internal async Task<RealProcess> StartConnectedAsync()
    {
        RealProcess process = Start();
        await process.WaitForLineAsync(line => line.Contains("event=UplinkConnected", StringComparison.Ordinal), LocalPair.StartLimit).ConfigureAwait(false);
        return process;
    }

    /// <summary>SIGKILL, and its end awaited.</summary>
    internal Task KillAsync() => Process.KillAsync();

    /// <summary>Its spool's folder, where it has one.</summary>
    internal string SpoolFolder => Durability.SpoolFolder(Folder);

    public async ValueTask DisposeAsync()
    {
        foreach (RealProcess life in Lives)
        {
            life.Resume();
            life.Dispose();
        }

        await Proxy.DisposeAsync().ConfigureAwait(false);
        await Witness.DisposeAsync().ConfigureAwait(false);
    }
}
