namespace NodeAgent.Hosting.Configuration;

/// <summary>What a load has found so far: errors, who set what, and which keys are spoiled for further checks.</summary>
internal sealed class LoadReport(Func<RawSetting, string?> suggest)
{
    private readonly HashSet<string> _spoiled = new(StringComparer.Ordinal);

    public List<ConfigurationError> Errors { get; } = [];

    public Dictionary<string, SettingSource> Sources { get; } = new(StringComparer.Ordinal);

    /// <summary>A file could not be read to its end: what is missing may be in the rest of it, so absence proves nothing.</summary>
    public bool Incomplete { get; set; }

    /// <summary>By source in the order they were read, and by position inside a file: the order in which a person goes through them.</summary>
    public IReadOnlyList<ConfigurationError> InOrder()
    {
        List<string> names = [.. Errors.Select(error => error.Source.Name).Distinct()];
        return [.. Errors.OrderBy(error => names.IndexOf(error.Source.Name)).ThenBy(error => error.Source.Line).ThenBy(error => error.Source.Column)];
    }

    public bool IsSpoiled(string key) => _spoiled.Contains(key);

    public void Set(string key, SettingSource source) => Sources[key] = source;

    public void Unknown(RawSetting raw)
    {
        string? suggestion = suggest(raw);
        Errors.Add(new(raw.Source, raw.Key, $"unknown key '{raw.Key}'" + (suggestion is null ? "" : $"; {suggestion}")));
    }

    public void NotAllowed(string key, RawSetting raw, string allowed, bool secret)
    {
        _spoiled.Add(key);
        string found = secret ? "(a secret, not shown)" : raw.Value.Shown;
        Errors.Add(new(raw.Source, key, $"'{key}' is {found}; allowed is {allowed}"));
    }

    public void Error(SettingSource source, string? key, string message)
    {
        if (key is not null)
        {
            _spoiled.Add(key);
        }

        Errors.Add(new(source, key, message));
    }
}
