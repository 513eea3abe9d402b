namespace NodeAgent.Hosting.Configuration;

/// <summary>The outcome of a load: the options, everything wrong with them, and who set what.</summary>
public sealed class LoadedConfiguration<TOptions>
    where TOptions : class, new()
{
    private readonly Dictionary<string, SettingSource> _sources;

    internal LoadedConfiguration(TOptions options, SettingCatalog<TOptions> catalog, LoadReport report)
    {
        Options = options;
        Catalog = catalog;
        Errors = report.InOrder();
        _sources = report.Sources;
    }

    /// <summary>The declaration this was read with.</summary>
    public SettingCatalog<TOptions> Catalog { get; }

    /// <summary>The merged options; a setting with an error has the value of the source before, so use them only when <see cref="IsValid"/>.</summary>
    public TOptions Options { get; }

    /// <summary>Everything wrong, by source and position; what is missing comes last.</summary>
    public IReadOnlyList<ConfigurationError> Errors { get; }

    /// <summary>True when a program may start with it.</summary>
    public bool IsValid => Errors.Count == 0;

    /// <summary>Who set a key last; <see cref="SettingSource.Default"/> when nobody did.</summary>
    public SettingSource SourceOf(string key) => _sources.GetValueOrDefault(key, SettingSource.Default);
}
