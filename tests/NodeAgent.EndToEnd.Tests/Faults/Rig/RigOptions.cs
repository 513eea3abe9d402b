using System.Net;
using NodeAgent.Testing.Processes;

namespace NodeAgent.EndToEnd.Tests.Faults.Rig;

/// <summary>How a rig is put together.</summary>
internal sealed record RigOptions
{
    internal int Agents { get; init; } = 1;

    /// <summary>Of the proxies' randomness.</summary>
    internal int Seed { get; init; } = 1;

    /// <summary>Distance of two ticks; the shortest the agent allows, so that faults hit real work.</summary>
    internal TimeSpan Tick { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>Published and trimmed where there is one: it is what ships, and it starts three times as fast.</summary>
    internal string AgentProgram { get; init; } = File.Exists(Repository.PublishedAgent) ? Repository.PublishedAgent : Repository.AgentProgram;

    internal IReadOnlyList<string> AgentSettings { get; init; } = [];

    internal IReadOnlyList<string> AggregatorSettings { get; init; } = [];

    internal Launcher AgentLauncher { get; init; } = Launcher.Plain;

    /// <summary>How the aggregator is started, given the folder of its state.</summary>
    internal Func<string, Launcher> AggregatorLauncherOf { get; init; } = _ => Launcher.Plain;

    /// <summary>Where the proxies listen; null: loopback. The host's end of a veth pair where agents live in a network namespace.</summary>
    internal IPAddress? ProxyListens { get; init; }

    /// <summary>Whether the agents are started with the rig.</summary>
    internal bool StartsAgents { get; init; } = true;
}
