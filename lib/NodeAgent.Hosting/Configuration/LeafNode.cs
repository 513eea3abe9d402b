namespace NodeAgent.Hosting.Configuration;

/// <summary>One setting: how to reach it in the options object, and what it may be.</summary>
internal sealed class LeafNode<TOptions, TValue>(
    string name, string help, SettingKind<TValue> kind, Func<TOptions, TValue> get, Action<TOptions, TValue> set,
    bool required, bool secret, string? exampleJson)
    : SettingNode<TOptions>(name, help)
{
    public override void Assign(TOptions target, string key, ReadOnlySpan<string> path, RawSetting raw, LoadReport report)
    {
        if (!path.IsEmpty)
        {
            report.Error(raw.Source, key, $"'{key}' takes {kind.Allowed}, not a section with '{raw.Path[^1]}' in it");
        }
        else if (kind.TryRead(raw.Value, out TValue value))
        {
            set(target, value);
            report.Set(key, raw.Source);
        }
        else
        {
            report.NotAllowed(key, raw, kind.Allowed, secret);
        }
    }

    public override bool Knows(ReadOnlySpan<string> path) => path.IsEmpty;

    public override IEnumerable<string> Keys(string key) => [key];

    public override SettingView View(TOptions target, string key, bool asTemplate) => new()
    {
        Name = Name,
        Key = key,
        Help = Help,
        Kind = kind.Name,
        Allowed = kind.Allowed,
        Json = required && asTemplate ? null : Shown(get(target)),
        ExampleJson = exampleJson,
        Required = required,
        Secret = secret,
    };

    public override void Check(TOptions target, string key, LoadReport report)
    {
        if (required && !report.Incomplete && !report.Sources.ContainsKey(key) && !report.IsSpoiled(key))
        {
            report.Error(SettingSource.Nowhere, key, $"'{key}' is not set and has no default; set it to {kind.Allowed}");
        }
    }

    private string Shown(TValue value) => value is null ? "null" : secret ? "\"***\"" : kind.ToJson(value);
}
