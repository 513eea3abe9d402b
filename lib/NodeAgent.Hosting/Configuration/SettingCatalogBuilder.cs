using System.Net;

namespace NodeAgent.Hosting.Configuration;

/// <summary>
/// Declares settings, see <see cref="SettingCatalog.Define{TOptions}"/>. Common to all: <c>key</c> is one lower_case word of the section
/// it stands in; <c>help</c> is full sentences with unit, meaning of null and zero, and what the setting does not do;
/// <c>required</c> means some source must set it.
/// </summary>
public sealed class SettingCatalogBuilder<TOptions>
    where TOptions : class, new()
{
    private const int DefaultMaxText = 1024;

    private readonly List<SettingNode<TOptions>> _nodes = [];
    private readonly List<SettingRule<TOptions>> _rules = [];

    internal SettingCatalogBuilder()
    {
    }

    /// <summary>"500ms", "1s", "5m"; zero only when <paramref name="min"/> says so.</summary>
    public SettingCatalogBuilder<TOptions> Duration(string key, Func<TOptions, TimeSpan> get, Action<TOptions, TimeSpan> set,
        TimeSpan min, TimeSpan max, string help, bool required = false) =>
        Add(key, new DurationKind(min, max), get, set, help, required);

    /// <summary>A duration, or null for "decide for me".</summary>
    public SettingCatalogBuilder<TOptions> OptionalDuration(string key, Func<TOptions, TimeSpan?> get, Action<TOptions, TimeSpan?> set,
        TimeSpan min, TimeSpan max, string help) =>
        Add(key, new OptionalValueKind<TimeSpan>(new DurationKind(min, max)), get, set, help);

    /// <summary>"64MiB", "10GB", or a number of bytes.</summary>
    public SettingCatalogBuilder<TOptions> Bytes(string key, Func<TOptions, long> get, Action<TOptions, long> set,
        long min, long max, string help, bool required = false) =>
        Add(key, new BytesKind(min, max), get, set, help, required);

    /// <summary>A size, or null for "decide for me".</summary>
    public SettingCatalogBuilder<TOptions> OptionalBytes(string key, Func<TOptions, long?> get, Action<TOptions, long?> set,
        long min, long max, string help) =>
        Add(key, new OptionalValueKind<long>(new BytesKind(min, max)), get, set, help);

    /// <summary>A whole number.</summary>
    public SettingCatalogBuilder<TOptions> Integer(string key, Func<TOptions, int> get, Action<TOptions, int> set,
        int min, int max, string help, bool required = false) =>
        Add(key, new IntegerKind(min, max), get, set, help, required);

    /// <summary>A whole number, or null for "decide for me".</summary>
    public SettingCatalogBuilder<TOptions> OptionalInteger(string key, Func<TOptions, int?> get, Action<TOptions, int?> set,
        int min, int max, string help) =>
        Add(key, new OptionalValueKind<int>(new IntegerKind(min, max)), get, set, help);

    /// <summary>A number with decimals.</summary>
    public SettingCatalogBuilder<TOptions> Number(string key, Func<TOptions, double> get, Action<TOptions, double> set,
        double min, double max, string help, bool required = false) =>
        Add(key, new NumberKind(min, max), get, set, help, required);

    /// <summary><c>true</c> or <c>false</c>.</summary>
    public SettingCatalogBuilder<TOptions> Bool(string key, Func<TOptions, bool> get, Action<TOptions, bool> set, string help) =>
        Add(key, new BoolKind(), get, set, help);

    /// <summary><c>true</c>, <c>false</c>, or null for "decide for me".</summary>
    public SettingCatalogBuilder<TOptions> OptionalBool(string key, Func<TOptions, bool?> get, Action<TOptions, bool?> set, string help) =>
        Add(key, new OptionalValueKind<bool>(new BoolKind()), get, set, help);

    /// <summary>Free text on one line; <paramref name="secret"/> text is never printed back.</summary>
    public SettingCatalogBuilder<TOptions> Text(string key, Func<TOptions, string> get, Action<TOptions, string> set, string help,
        bool required = false, bool allowEmpty = false, bool secret = false, int maxLength = DefaultMaxText, string? example = null) =>
        Add(key, new TextKind(maxLength, allowEmpty), get, set, help, required, secret, Json(example));

    /// <summary>Text, or null for "decide for me".</summary>
    public SettingCatalogBuilder<TOptions> OptionalText(string key, Func<TOptions, string?> get, Action<TOptions, string?> set, string help,
        bool secret = false, int maxLength = DefaultMaxText, string? example = null) =>
        Add(key, new OptionalReferenceKind<string>(new TextKind(maxLength, allowEmpty: false)), get, set, help, secret: secret, example: Json(example));

    /// <summary>One of the names of an enum, in lower_case (<c>LogFormat.Text</c> is <c>text</c>).</summary>
    public SettingCatalogBuilder<TOptions> Choice<TEnum>(string key, Func<TOptions, TEnum> get, Action<TOptions, TEnum> set, string help,
        bool required = false)
        where TEnum : struct, Enum =>
        Choice(key, get, set, [.. Enum.GetValues<TEnum>().Select(value => KeyValuePair.Create(SnakeCase.From(value.ToString()), value))], help, required);

    /// <summary>One of the names given.</summary>
    public SettingCatalogBuilder<TOptions> Choice<TValue>(string key, Func<TOptions, TValue> get, Action<TOptions, TValue> set,
        IReadOnlyList<KeyValuePair<string, TValue>> choices, string help, bool required = false)
        where TValue : struct =>
        Add(key, new ChoiceKind<TValue>(choices), get, set, help, required);

    /// <summary>The address of a server to call, with one of <paramref name="schemes"/>.</summary>
    public SettingCatalogBuilder<TOptions> Endpoint(string key, Func<TOptions, Uri?> get, Action<TOptions, Uri?> set,
        IReadOnlyList<string> schemes, string help, bool required = false, string? example = null) =>
        required
            ? Add(key, new EndpointKind(schemes), o => get(o)!, (o, v) => set(o, v), help, required, example: Json(example))
            : Add(key, new OptionalReferenceKind<Uri>(new EndpointKind(schemes)), get, set, help, example: Json(example));

    /// <summary>An IP address and port to listen on.</summary>
    public SettingCatalogBuilder<TOptions> Listen(string key, Func<TOptions, IPEndPoint> get, Action<TOptions, IPEndPoint> set, string help,
        bool required = false) =>
        Add(key, new ListenKind(), get, set, help, required);

    /// <summary>An address to listen on, or null not to listen.</summary>
    public SettingCatalogBuilder<TOptions> OptionalListen(string key, Func<TOptions, IPEndPoint?> get, Action<TOptions, IPEndPoint?> set,
        string help, string? example = null) =>
        Add(key, new OptionalReferenceKind<IPEndPoint>(new ListenKind()), get, set, help, example: Json(example));

    /// <summary>A path.</summary>
    public SettingCatalogBuilder<TOptions> FilePath(string key, Func<TOptions, string> get, Action<TOptions, string> set, string help,
        bool required = false, bool absolute = false, string? example = null) =>
        Add(key, new PathKind(absolute), get, set, help, required, example: Json(example));

    /// <summary>A path, or null for none.</summary>
    public SettingCatalogBuilder<TOptions> OptionalFilePath(string key, Func<TOptions, string?> get, Action<TOptions, string?> set, string help,
        bool absolute = false, string? example = null) =>
        Add(key, new OptionalReferenceKind<string>(new PathKind(absolute)), get, set, help, example: Json(example));

    /// <summary>A list of texts.</summary>
    public SettingCatalogBuilder<TOptions> TextList(string key, Func<TOptions, IReadOnlyList<string>> get, Action<TOptions, IReadOnlyList<string>> set,
        string help, int maxItems = 256) =>
        Add(key, new ListKind<string>(new TextKind(DefaultMaxText, allowEmpty: false), maxItems), get, set, help);

    /// <summary>The settings of an object inside; <paramref name="select"/> must give the same object every time.</summary>
    public SettingCatalogBuilder<TOptions> Section<TSection>(string key, Func<TOptions, TSection> select, SettingCatalog<TSection> settings,
        string help)
        where TSection : class, new() =>
        Add(new SectionNode<TOptions, TSection>(key, help, select, settings));

    /// <summary>
    /// Sections under names of the file's choice (or of <paramref name="knownNames"/>). Entries already in a new options object are
    /// defaults that the file may change.
    /// </summary>
    public SettingCatalogBuilder<TOptions> Map<TEntry>(string key, Func<TOptions, IDictionary<string, TEntry>> select,
        SettingCatalog<TEntry> settings, string help, IReadOnlyList<string>? knownNames = null)
        where TEntry : class, new() =>
        Add(new MapNode<TOptions, TEntry>(key, help, select, settings, knownNames));

    /// <summary>One of a few names each, under names of the file's choice.</summary>
    public SettingCatalogBuilder<TOptions> ChoiceMap<TValue>(string key, Func<TOptions, IDictionary<string, TValue>> select,
        IReadOnlyList<KeyValuePair<string, TValue>> choices, string help)
        where TValue : struct =>
        Add(new ValueMapNode<TOptions, TValue>(key, help, new ChoiceKind<TValue>(choices), select, choices[0].Value));

    /// <summary>
    /// A rule between settings of this section: <paramref name="broken"/> says what is wrong, or returns null. Not asked when one of
    /// <paramref name="keys"/> has an error already.
    /// </summary>
    public SettingCatalogBuilder<TOptions> Rule(IReadOnlyList<string> keys, Func<TOptions, string?> broken)
    {
        _rules.Add(new SettingRule<TOptions>(keys, broken));
        return this;
    }

    internal SettingCatalog<TOptions> Build() => new(_nodes, _rules);

    private static string? Json(string? example) => example is null ? null : JsonText.String(example);

    private SettingCatalogBuilder<TOptions> Add<TValue>(string key, SettingKind<TValue> kind, Func<TOptions, TValue> get,
        Action<TOptions, TValue> set, string help, bool required = false, bool secret = false, string? example = null) =>
        Add(new LeafNode<TOptions, TValue>(key, help, kind, get, set, required, secret, example));

    private SettingCatalogBuilder<TOptions> Add(SettingNode<TOptions> node)
    {
        if (node.Name.Length == 0 || SnakeCase.From(node.Name) != node.Name || node.Name.Contains("__", StringComparison.Ordinal))
        {
            throw new ArgumentException($"BUG: '{node.Name}' is not a lower_case key", nameof(node));
        }

        if (_nodes.Any(other => other.Name == node.Name))
        {
            throw new ArgumentException($"BUG: '{node.Name}' is declared twice in {typeof(TOptions).Name}", nameof(node));
        }

        _nodes.Add(node);
        return this;
    }
}
