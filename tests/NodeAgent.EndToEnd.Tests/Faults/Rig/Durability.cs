namespace NodeAgent.EndToEnd.Tests.Faults.Rig;

/// <summary>Where the programs keep what must outlive them.</summary>
internal static class Durability
{
    internal static IEnumerable<string> AgentSettings(string folder) => [$"spool.directory={SpoolFolder(folder)}"];

    internal static IEnumerable<string> AggregatorSettings(string folder) => [$"state.directory={StateFolder(folder)}"];

    internal static string SpoolFolder(string folder) => Path.Combine(folder, "spool");

    internal static string StateFolder(string folder) => Path.Combine(folder, "state");
}
