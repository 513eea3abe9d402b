namespace NodeAgent.Hosting.Configuration;

/// <summary>An options object inside another one.</summary>
internal sealed class SectionNode<TOptions, TSection>(
    string name, string help, Func<TOptions, TSection> select, SettingCatalog<TSection> settings)
    : SettingNode<TOptions>(name, help)
    where TSection : class, new()
{
    public override void Assign(TOptions target, string key, ReadOnlySpan<string> path, RawSetting raw, LoadReport report)
    {
        if (!path.IsEmpty)
        {
            settings.Assign(select(target), key, path, raw, report);
        }
        else if (raw.Value.Kind != RawKind.EmptySection)
        {
            report.Error(raw.Source, key, $"'{key}' is {raw.Value.Shown}; it is a section: {settings.Outline}");
        }
    }

    public override bool Knows(ReadOnlySpan<string> path) => settings.Knows(path);

    public override IEnumerable<string> Keys(string key) => settings.Keys(key);

    public override SettingView View(TOptions target, string key, bool asTemplate) => new()
    {
        Name = Name,
        Key = key,
        Help = Help,
        Children = settings.View(select(target), key, asTemplate),
    };

    public override void Check(TOptions target, string key, LoadReport report) => settings.Check(select(target), key, report);
}
