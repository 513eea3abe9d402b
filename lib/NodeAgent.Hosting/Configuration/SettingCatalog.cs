namespace NodeAgent.Hosting.Configuration;

/// <summary>Where a catalogue of settings starts.</summary>
public static class SettingCatalog
{
    /// <summary>Declares the settings of one options class; a key twice or a malformed one is a bug and throws.</summary>
    /// <example><code>
    /// public static SettingCatalog&lt;SamplingOptions&gt; Settings { get; } = SettingCatalog.Define&lt;SamplingOptions&gt;(s => s
    ///     .Duration("interval", o => o.Interval, (o, v) => o.Interval = v, min, max, help: "Time between two readings."));
    /// </code></example>
    public static SettingCatalog<TOptions> Define<TOptions>(Action<SettingCatalogBuilder<TOptions>> declare)
        where TOptions : class, new()
    {
        SettingCatalogBuilder<TOptions> builder = new();
        declare(builder);
        return builder.Build();
    }
}

/// <summary>
/// Every setting of one options class, declared once: key, kind, bounds, help, and how to reach the property. The default is the
/// property's initial value in a new object. Loading, checking, the example file, the page of settings and
/// <c>config show</c> all read this one declaration. No reflection, so the trimmer sees everything.
/// </summary>
/// <typeparam name="TOptions">The options class; its parameterless constructor gives the defaults.</typeparam>
public sealed class SettingCatalog<TOptions>
    where TOptions : class, new()
{
    private readonly IReadOnlyList<SettingNode<TOptions>> _nodes;
    private readonly IReadOnlyList<SettingRule<TOptions>> _rules;

    internal SettingCatalog(IReadOnlyList<SettingNode<TOptions>> nodes, IReadOnlyList<SettingRule<TOptions>> rules)
    {
        _nodes = nodes;
        _rules = rules;
    }

    /// <summary>All keys, <c>*</c> where the file chooses a name.</summary>
    public IReadOnlyList<string> AllKeys => [.. Keys("")];

    /// <summary>The section in a few words, for an error that found something else: <c>{ "interval": ..., "enabled": ... }</c>.</summary>
    internal string Outline => $"{{ {string.Join(", ", _nodes.Take(4).Select(node => $"\"{node.Name}\": ..."))} }}";

    /// <summary>Reads all sources. Never throws for what is in them; see <see cref="LoadedConfiguration{TOptions}.Errors"/>.</summary>
    public LoadedConfiguration<TOptions> Load(ConfigurationSources sources)
    {
        TOptions options = new();
        IReadOnlyList<string> keys = AllKeys;
        LoadReport report = new(raw => Suggestion.For(raw, keys));
        foreach (RawSetting raw in new RawSettings(sources, keys, report).ReadAll())
        {
            Assign(options, "", raw.Path.ToArray(), raw, report);
        }

        Check(options, "", report);
        return new LoadedConfiguration<TOptions>(options, this, report);
    }

    /// <summary>The settings with the values of <paramref name="options"/>.</summary>
    public IReadOnlyList<SettingView> View(TOptions options) => View(options, "", asTemplate: false);

    /// <summary>The settings with their defaults, for pages and example files; maps show one entry called <c>&lt;name&gt;</c>.</summary>
    public IReadOnlyList<SettingView> Template() => View(new TOptions(), "", asTemplate: true);

    internal void Assign(TOptions target, string key, ReadOnlySpan<string> path, RawSetting raw, LoadReport report)
    {
        if (Find(path[0]) is { } node)
        {
            node.Assign(target, Join(key, node.Name), path[1..], raw, report);
        }
        else
        {
            report.Unknown(raw);
        }
    }

    internal bool Knows(ReadOnlySpan<string> path) => !path.IsEmpty && Find(path[0]) is { } node && node.Knows(path[1..]);

    internal IEnumerable<string> Keys(string key) => _nodes.SelectMany(node => node.Keys(Join(key, node.Name)));

    internal IReadOnlyList<SettingView> View(TOptions target, string key, bool asTemplate) =>
        [.. _nodes.Select(node => node.View(target, Join(key, node.Name), asTemplate))];

    internal void Check(TOptions target, string key, LoadReport report)
    {
        foreach (SettingNode<TOptions> node in _nodes)
        {
            node.Check(target, Join(key, node.Name), report);
        }

        foreach (SettingRule<TOptions> rule in _rules)
        {
            rule.Check(target, key, report);
        }
    }

    internal static string Join(string key, string name) => key.Length == 0 ? name : $"{key}.{name}";

    private SettingNode<TOptions>? Find(string name)
    {
        foreach (SettingNode<TOptions> node in _nodes)
        {
            if (node.Name == name)
            {
                return node;
            }
        }

        return null;
    }
}
