namespace NodeAgent.Hosting.Configuration;

/// <summary>What kind of thing was written for a key.</summary>
internal enum RawKind
{
    /// <summary>A JSON string.</summary>
    String,

    /// <summary>A JSON number, kept as written.</summary>
    Number,

    /// <summary><c>true</c> or <c>false</c>.</summary>
    Bool,

    /// <summary><c>null</c>.</summary>
    Null,

    /// <summary>An array of scalars.</summary>
    List,

    /// <summary><c>{}</c>: a section without a key in it.</summary>
    EmptySection,

    /// <summary>Text without a type of its own, from the environment or an argument; each setting reads it in its own way.</summary>
    Text,
}

/// <summary>A value as written, before any setting has looked at it.</summary>
/// <param name="Kind">What was written.</param>
/// <param name="Text">The string's content, or the number or word as written.</param>
/// <param name="Items">The elements of a list.</param>
internal sealed record RawValue(RawKind Kind, string Text, IReadOnlyList<RawValue>? Items = null)
{
    /// <summary>How an error quotes it: one line, at most 80 characters.</summary>
    public string Shown => Kind switch
    {
        RawKind.String or RawKind.Text => Quote.Text(Text),
        RawKind.List => $"a list of {Items!.Count}",
        RawKind.EmptySection => "an empty section",
        _ => Quote.Shorten(Text),
    };
}

/// <summary>A raw value with its key and place.</summary>
/// <param name="Path">Key, outermost section first.</param>
/// <param name="Value">As written.</param>
/// <param name="Source">Where.</param>
internal sealed record RawSetting(IReadOnlyList<string> Path, RawValue Value, SettingSource Source)
{
    /// <summary>The key in dotted form.</summary>
    public string Key => string.Join('.', Path);
}
