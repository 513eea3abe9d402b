namespace NodeAgent.Hosting.Configuration;

/// <summary>Sections under names the file chooses, or chooses from <paramref name="knownNames"/>.</summary>
internal sealed class MapNode<TOptions, TEntry>(
    string name, string help, Func<TOptions, IDictionary<string, TEntry>> select, SettingCatalog<TEntry> settings,
    IReadOnlyList<string>? knownNames)
    : SettingNode<TOptions>(name, help)
    where TEntry : class, new()
{
    public override void Assign(TOptions target, string key, ReadOnlySpan<string> path, RawSetting raw, LoadReport report)
    {
        if (path.IsEmpty)
        {
            if (raw.Value.Kind != RawKind.EmptySection)
            {
                report.Error(raw.Source, key, $"'{key}' is {raw.Value.Shown}; it is a section of named sections: "
                    + "{ \"name\": " + settings.Outline + " }");
            }

            return;
        }

        int nameParts = NameParts(path, raw);
        string entryName = string.Join('.', path[..nameParts]!);
        if (knownNames is not null && !knownNames.Contains(entryName))
        {
            report.Unknown(raw);
            return;
        }

        AssignEntry(Entry(target, entryName), $"{key}.{entryName}", path[nameParts..], raw, report);
    }

    public override bool Knows(ReadOnlySpan<string> path) => path.Length > 1 && settings.Knows(path[1..]);

    public override IEnumerable<string> Keys(string key) =>
        (knownNames ?? ["*"]).SelectMany(entry => settings.Keys($"{key}.{entry}"));

    public override SettingView View(TOptions target, string key, bool asTemplate)
    {
        List<SettingView> entries = [.. select(target).OrderBy(entry => entry.Key, StringComparer.Ordinal)
            .Select(entry => EntryView(entry.Key, entry.Value, key, isTemplate: false))];
        if (asTemplate)
        {
            entries.Add(EntryView("<name>", new TEntry(), key, isTemplate: true));
        }

        return new()
        {
            Name = Name,
            Key = key,
            Help = knownNames is null ? Help : $"{Help} Names: {string.Join(", ", knownNames)}.",
            Children = entries,
            IsMap = true,
        };
    }

    public override void Check(TOptions target, string key, LoadReport report)
    {
        foreach ((string entryName, TEntry entry) in select(target))
        {
            settings.Check(entry, $"{key}.{entryName}", report);
        }
    }

    private SettingView EntryView(string entryName, TEntry entry, string key, bool isTemplate) => new()
    {
        Name = entryName,
        Key = $"{key}.{entryName}",
        Help = "",
        Children = settings.View(entry, $"{key}.{entryName}", isTemplate),
        IsTemplate = isTemplate,
    };

    private void AssignEntry(TEntry entry, string key, ReadOnlySpan<string> path, RawSetting raw, LoadReport report)
    {
        if (!path.IsEmpty)
        {
            settings.Assign(entry, key, path, raw, report);
        }
        else if (raw.Value.Kind != RawKind.EmptySection)
        {
            report.Error(raw.Source, key, $"'{key}' is {raw.Value.Shown}; it is a section: {settings.Outline}");
        }
    }

    private TEntry Entry(TOptions target, string entryName)
    {
        IDictionary<string, TEntry> entries = select(target);
        if (!entries.TryGetValue(entryName, out TEntry? entry))
        {
            entries[entryName] = entry = new TEntry();
        }

        return entry;
    }

    /// <summary>
    /// A name may have dots in it (a network interface <c>eth0.100</c>). A file gives names whole; a key from an argument arrives
    /// split, so as many parts belong to the name as leave a known setting behind it.
    /// </summary>
    private int NameParts(ReadOnlySpan<string> path, RawSetting raw)
    {
        if (raw.Value.Kind == RawKind.Text)
        {
            for (int parts = 1; parts < path.Length; parts++)
            {
                if (settings.Knows(path[parts..]))
                {
                    return parts;
                }
            }
        }

        return 1;
    }
}
