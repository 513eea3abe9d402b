using System.Text;

namespace NodeAgent.Hosting.Configuration;

/// <summary>Prints settings as the Markdown of docs/configuration.md.</summary>
public static class ConfigurationPage
{
    /// <summary>One table a section, in the order of declaration.</summary>
    /// <param name="catalog">The settings.</param>
    /// <param name="heading">Heading of this program's part, such as <c>nodeagent</c>.</param>
    public static string Render<TOptions>(SettingCatalog<TOptions> catalog, string heading)
        where TOptions : class, new()
    {
        StringBuilder page = new($"## {heading}\n");
        Table(page, [.. catalog.Template().Where(setting => setting.Children is null)]);
        foreach (SettingView section in catalog.Template().Where(setting => setting.Children is not null))
        {
            page.Append($"\n### `{section.Key}`\n\n{section.Help}\n");
            List<SettingView> leaves = [];
            Collect(section, leaves);
            Table(page, leaves);
        }

        return page.ToString();
    }

    private static void Table(StringBuilder page, List<SettingView> settings)
    {
        if (settings.Count == 0)
        {
            return;
        }

        page.Append("\n| key | default | allowed | meaning |\n|---|---|---|---|\n");
        foreach (SettingView setting in settings)
        {
            string fallback = setting.Json is { } json ? $"`{json}`" : setting.Required ? "required" : "";
            page.Append($"| `{setting.Key}` | {Cell(fallback)} | {Cell(setting.Allowed)} | {Cell(setting.Help)} |\n");
        }
    }

    /// <summary>A map's default entries are left to the example file: here its one row tells what an entry may hold.</summary>
    private static void Collect(SettingView setting, List<SettingView> leaves)
    {
        if (setting.Children is null)
        {
            leaves.Add(setting);
            return;
        }

        foreach (SettingView child in setting.Children.Where(child => !setting.IsMap || child.IsTemplate))
        {
            Collect(child, leaves);
        }
    }

    private static string Cell(string text) => text.Replace("|", "\\|", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal);
}
