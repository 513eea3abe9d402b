namespace NodeAgent.Ctl.Connection;

/// <summary>One named way to an aggregator. Paths are absolute by now.</summary>
internal sealed record Profile(string? Server, string? Ca, string? Certificate, string? Key);

/// <summary>The configuration file.</summary>
/// <param name="Current">Profile used when none is named. Null: the only one there is.</param>
internal sealed record CtlConfig(string? Current, IReadOnlyDictionary<string, Profile> Profiles);
