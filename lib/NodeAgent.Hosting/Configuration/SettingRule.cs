namespace NodeAgent.Hosting.Configuration;

/// <summary>A rule between settings of one section.</summary>
/// <param name="keys">The settings it looks at, relative to the section; the error stands at the first that someone wrote.</param>
/// <param name="broken">Says what is wrong in the words of the section, or null; the section's name is put in front.</param>
internal sealed class SettingRule<TOptions>(IReadOnlyList<string> keys, Func<TOptions, string?> broken)
    where TOptions : class, new()
{
    public void Check(TOptions target, string section, LoadReport report)
    {
        string[] full = [.. keys.Select(key => SettingCatalog<TOptions>.Join(section, key))];
        if (report.Incomplete || full.Any(report.IsSpoiled) || broken(target) is not { } message)
        {
            return; // a key with an error of its own, or lost with its file, holds a value here that nobody chose
        }

        string at = full.FirstOrDefault(report.Sources.ContainsKey) ?? full[0];
        SettingSource source = report.Sources.GetValueOrDefault(at, SettingSource.Nowhere);
        report.Error(source, at, section.Length == 0 ? message : $"{section}: {message}");
    }
}
