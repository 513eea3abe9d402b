namespace NodeAgent.Hosting.Configuration;

/// <summary>Where a value was written: a position in a file, an environment variable or an argument.</summary>
/// <param name="Name">File name as given, <c>environment NODEAGENT_X</c>, <c>--set</c>, or <c>default</c>.</param>
/// <param name="Line">1-based, 0 when the source is not a file.</param>
/// <param name="Column">1-based in characters, 0 when the source is not a file.</param>
public sealed record SettingSource(string Name, int Line = 0, int Column = 0)
{
    /// <summary>Nobody wrote it.</summary>
    public static SettingSource Default { get; } = new("default");

    /// <summary>Stands in the errors about what is missing everywhere.</summary>
    public static SettingSource Nowhere { get; } = new("configuration");

    /// <summary><c>agent.json:7:5</c>, the form editors and terminals make clickable; just the name where there is no position.</summary>
    public override string ToString() => Line == 0 ? Name : $"{Name}:{Line}:{Column}";
}
