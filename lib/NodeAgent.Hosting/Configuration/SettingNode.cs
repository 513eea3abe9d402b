namespace NodeAgent.Hosting.Configuration;

/// <summary>A place in the tree of settings: a leaf, a section, or a map of named sections.</summary>
internal abstract class SettingNode<TOptions>(string name, string help)
{
    public string Name => name;

    public string Help => help;

    /// <summary>Puts a raw value where <paramref name="path"/> (the rest of the key below this node) says, or reports why not.</summary>
    public abstract void Assign(TOptions target, string key, ReadOnlySpan<string> path, RawSetting raw, LoadReport report);

    /// <summary>True when <paramref name="path"/> below this node ends in a setting.</summary>
    public abstract bool Knows(ReadOnlySpan<string> path);

    /// <summary>Keys of all settings below; <c>*</c> stands for a name the file may choose.</summary>
    public abstract IEnumerable<string> Keys(string key);

    /// <summary>The node with the values of <paramref name="target"/>.</summary>
    public abstract SettingView View(TOptions target, string key, bool asTemplate);

    /// <summary>Rules between settings, and required ones nobody set.</summary>
    public abstract void Check(TOptions target, string key, LoadReport report);
}
