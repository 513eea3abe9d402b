namespace NodeAgent.Hosting.Configuration;

/// <summary>One setting or section as it stands in an options object, for printing.</summary>
public sealed class SettingView
{
    /// <summary>Last part of the key.</summary>
    public required string Name { get; init; }

    /// <summary>Full key: <c>sampling.interval</c>.</summary>
    public required string Key { get; init; }

    /// <summary>What it does; full sentences.</summary>
    public required string Help { get; init; }

    /// <summary>One word: <c>duration</c>. Empty for a section.</summary>
    public string Kind { get; init; } = "";

    /// <summary>What may be written; for a map of single values, in each. Empty for other sections.</summary>
    public string Allowed { get; init; } = "";

    /// <summary>The value in JSON, a secret one as <c>"***"</c>; null for a section and for a required setting in a template.</summary>
    public string? Json { get; init; }

    /// <summary>A value to show where there is no default, in JSON.</summary>
    public string? ExampleJson { get; init; }

    /// <summary>True when some source must set it.</summary>
    public bool Required { get; init; }

    /// <summary>True when its value must not be shown.</summary>
    public bool Secret { get; init; }

    /// <summary>The settings in a section; null for a setting.</summary>
    public IReadOnlyList<SettingView>? Children { get; init; }

    /// <summary>True for a section whose children have names of the file's choice.</summary>
    public bool IsMap { get; init; }

    /// <summary>True for the stand-in <c>&lt;name&gt;</c> of a map's entries.</summary>
    public bool IsTemplate { get; init; }
}
