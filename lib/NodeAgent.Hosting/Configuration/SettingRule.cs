namespace NodeAgent.Hosting.Configuration;

/// <summary>A rule between settings of one section.</summary>
/// <param name="keys">The settings it looks at, relative to the section; the error stands at the first that someone wrote.</param>
/// <param name="broken">Says what is wrong, or null.</param>
internal sealed class SettingRule<TOptions>(IReadOnlyList<string> keys, Func<TOptions, string?> broken)
    where TOptions : class, new()
{
    public void Check(TOptions target, string section, LoadReport report)
    {
        string[] full = [.. keys.Select(key => SettingCatalog<TOptions>.Join(section, key))];
        if (full.Any(report.IsSpoiled) || broken(target) is not { } message)
        {
            return; // a key that has an error of its own holds its default here, and would be blamed for a value nobody chose
        }

        string at = full.FirstOrDefault(report.Sources.ContainsKey) ?? full[0];
        report.Error(report.Sources.GetValueOrDefault(at, SettingSource.Default), at, message);
    }
}
