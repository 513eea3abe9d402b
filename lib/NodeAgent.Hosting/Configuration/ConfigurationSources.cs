namespace NodeAgent.Hosting.Configuration;

/// <summary>
/// Everything a configuration is read from. Later wins: defaults, <see cref="Files"/> in order, <see cref="DropInFolder"/> by name,
/// <see cref="Environment"/>, <see cref="Overrides"/>. The program hands in the environment; this library never looks for itself.
/// </summary>
public sealed class ConfigurationSources
{
    /// <summary>Files that must exist; a missing one is an error.</summary>
    public IReadOnlyList<string> Files { get; init; } = [];

    /// <summary>Files that are read if they exist, before <see cref="Files"/>: the usual place that nobody asked for by name.</summary>
    public IReadOnlyList<string> OptionalFiles { get; init; } = [];

    /// <summary>A folder whose <c>*.json</c> are read in ordinal order of their names; null or missing means none.</summary>
    public string? DropInFolder { get; init; }

    /// <summary>The process environment. Only names that start with <see cref="EnvironmentPrefix"/> are looked at.</summary>
    public IEnumerable<KeyValuePair<string, string>> Environment { get; init; } = [];

    /// <summary>
    /// <c>NODEAGENT_</c>; empty: the environment sets nothing. <c>NODEAGENT_SAMPLING__INTERVAL=5s</c> sets sampling.interval. Settings
    /// outside any section cannot be set from here, see <see cref="RawSettings"/>.
    /// </summary>
    public string EnvironmentPrefix { get; init; } = "";

    /// <summary>Arguments of <c>--set</c>, each <c>key=value</c>.</summary>
    public IReadOnlyList<string> Overrides { get; init; } = [];
}
