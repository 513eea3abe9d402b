using NodeAgent.Testing.Processes;

namespace NodeAgent.EndToEnd.Tests.Faults.Rig;

/// <summary>Where the programs keep what must outlive them, as their settings call it.</summary>
internal static class Durability
{
    private static readonly Lazy<string> AgentKeys = new(() => Example("nodeagent"));
    private static readonly Lazy<string> AggregatorKeys = new(() => Example("aggregator"));

    /// <summary>Both programs can keep data on disk; without it a kill loses what was only in memory.</summary>
    internal static bool IsThere => AgentSettings("x").Any() && AggregatorSettings("x").Any();

    internal static IEnumerable<string> AgentSettings(string folder) =>
        AgentKeys.Value.Contains("\"directory\"", StringComparison.Ordinal) ? [$"spool.directory={SpoolFolder(folder)}"] : [];

    internal static IEnumerable<string> AggregatorSettings(string folder) =>
        AggregatorKeys.Value.Contains("\"directory\"", StringComparison.Ordinal) ? [$"state.directory={StateFolder(folder)}"] : [];

    internal static string SpoolFolder(string folder) => Path.Combine(folder, "spool");

    internal static string StateFolder(string folder) => Path.Combine(folder, "state");

    private static string Example(string program) => File.ReadAllText(Path.Combine(Repository.Root, "packaging", "config", program + ".example.json"));
}
