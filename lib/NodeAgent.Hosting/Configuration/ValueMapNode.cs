namespace NodeAgent.Hosting.Configuration;

/// <summary>Single values under names the file chooses.</summary>
internal sealed class ValueMapNode<TOptions, TValue>(
    string name, string help, SettingKind<TValue> kind, Func<TOptions, IDictionary<string, TValue>> select, TValue example)
    : SettingNode<TOptions>(name, help)
{
    public override void Assign(TOptions target, string key, ReadOnlySpan<string> path, RawSetting raw, LoadReport report)
    {
        // A file gives names whole, dots included; an argument's key arrives split at them. Either way all that is left is the name,
        // unless a file went one level too deep.
        if (path.IsEmpty || (path.Length > 1 && raw.Value.Kind != RawKind.Text))
        {
            if (!path.IsEmpty || raw.Value.Kind != RawKind.EmptySection)
            {
                report.Error(raw.Source, key, $"'{key}' takes names, each with {kind.Allowed}: {{ \"name\": ... }}");
            }

            return;
        }

        string entryName = string.Join('.', path!);
        string full = $"{key}.{entryName}";
        if (kind.TryRead(raw.Value, out TValue value))
        {
            select(target)[entryName] = value;
            report.Set(full, raw.Source);
        }
        else
        {
            report.NotAllowed(full, raw, kind.Allowed, secret: false);
        }
    }

    public override bool Knows(ReadOnlySpan<string> path) => !path.IsEmpty;

    public override IEnumerable<string> Keys(string key) => [$"{key}.*"];

    public override SettingView View(TOptions target, string key, bool asTemplate)
    {
        List<SettingView> entries = [.. select(target).OrderBy(entry => entry.Key, StringComparer.Ordinal)
            .Select(entry => EntryView(entry.Key, kind.ToJson(entry.Value), key, isTemplate: false))];
        if (asTemplate)
        {
            entries.Add(EntryView("<name>", null, key, isTemplate: true));
        }

        return new() { Name = Name, Key = key, Help = Help, Allowed = $"each {kind.Allowed}", Children = entries, IsMap = true };
    }

    public override void Check(TOptions target, string key, LoadReport report)
    {
        // Single values have no rules between them.
    }

    private SettingView EntryView(string entryName, string? json, string key, bool isTemplate) => new()
    {
        Name = entryName,
        Key = $"{key}.{entryName}",
        Help = Help,
        Kind = kind.Name,
        Allowed = kind.Allowed,
        Json = json,
        ExampleJson = kind.ToJson(example),
        IsTemplate = isTemplate,
    };
}
