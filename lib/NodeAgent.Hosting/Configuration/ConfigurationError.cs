namespace NodeAgent.Hosting.Configuration;

/// <summary>One thing wrong with the configuration, complete enough to be repaired without reading the source.</summary>
/// <param name="Source">Where it was written.</param>
/// <param name="Key">The full key, null for a file that could not be read or parsed.</param>
/// <param name="Message">What was found and what is allowed.</param>
public sealed record ConfigurationError(SettingSource Source, string? Key, string Message)
{
    /// <summary><c>agent.json:7:5: unknown key 'samplng.interval'; did you mean 'sampling.interval'?</c></summary>
    public override string ToString() => $"{Source}: {Message}";
}
