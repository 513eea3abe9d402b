using System.Text;

namespace NodeAgent.Hosting.Configuration;

/// <summary>Prints settings as configuration files: the example with its comments, and what is in effect with where it comes from.</summary>
public static class ConfigurationText
{
    private const int CommentWidth = 100;

    /// <summary>
    /// A file with every setting at its default, its meaning and what is allowed. It loads as it is, and gives the defaults (required
    /// settings have their example).
    /// </summary>
    public static string Example<TOptions>(SettingCatalog<TOptions> catalog, string title)
        where TOptions : class, new()
    {
        StringBuilder text = new();
        Comment(text, "", title);
        Comment(text, "", "JSON with comments and trailing commas. Every setting is shown with its default; leave out what you do not change.");
        text.Append("{\n");
        ExampleSection(text, "  ", catalog.Template(), entriesOfMap: false);
        return text.Append("}\n").ToString();
    }

    /// <summary>What is in effect, as a file; with <paramref name="withSources"/> each line ends with where its value comes from.</summary>
    public static string Effective<TOptions>(LoadedConfiguration<TOptions> loaded, bool withSources)
        where TOptions : class, new()
    {
        StringBuilder text = new("{\n");
        EffectiveSection(text, "  ", loaded.Catalog.View(loaded.Options), withSources ? loaded.SourceOf : null);
        return text.Append("}\n").ToString();
    }

    private static void ExampleSection(StringBuilder text, string indent, IReadOnlyList<SettingView> settings, bool entriesOfMap)
    {
        for (int i = 0; i < settings.Count; i++)
        {
            bool single = entriesOfMap && settings[i].Children is null; // its map has said everything about it
            text.Append(i == 0 || single ? "" : "\n");
            if (settings[i].IsTemplate)
            {
                Template(text, indent, settings[i], single);
            }
            else
            {
                ExampleSetting(text, indent, settings[i], single);
            }
        }
    }

    private static void ExampleSetting(StringBuilder text, string indent, SettingView setting, bool bare)
    {
        if (!bare)
        {
            Comment(text, indent, setting.Help);
            Comment(text, indent, Terms(setting));
        }

        if (setting.Children is { } children)
        {
            text.Append(indent).Append(JsonText.String(setting.Name)).Append(": {\n");
            ExampleSection(text, indent + "  ", children, setting.IsMap);
            text.Append(indent).Append("},\n");
            return;
        }

        text.Append(indent).Append(JsonText.String(setting.Name)).Append(": ").Append(setting.Json ?? setting.ExampleJson ?? "null").Append(",\n");
    }

    /// <summary>An entry whose name the reader chooses can only be shown as a comment.</summary>
    private static void Template(StringBuilder text, string indent, SettingView template, bool bare)
    {
        StringBuilder entry = new();
        ExampleSetting(entry, "", template, bare);
        foreach (string line in entry.ToString().TrimEnd('\n').Split('\n'))
        {
            text.Append(indent).Append(line.Length == 0 ? "//" : "// ").Append(line).Append('\n');
        }
    }

    private static void EffectiveSection(StringBuilder text, string indent, IReadOnlyList<SettingView> settings,
        Func<string, SettingSource>? sourceOf)
    {
        foreach (SettingView setting in settings)
        {
            text.Append(indent).Append(JsonText.String(setting.Name)).Append(": ");
            if (setting.Children is { } children)
            {
                text.Append("{\n");
                EffectiveSection(text, indent + "  ", children, sourceOf);
                text.Append(indent).Append("},\n");
            }
            else
            {
                text.Append(setting.Json ?? "null").Append(sourceOf is null ? ",\n" : $", // {sourceOf(setting.Key)}\n");
            }
        }
    }

    private static void Comment(StringBuilder text, string indent, string comment)
    {
        int width = 0;
        foreach (string word in comment.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            bool starts = width == 0 || width + word.Length > CommentWidth;
            text.Append(starts ? $"{(width == 0 ? "" : "\n")}{indent}// " : " ").Append(word);
            width = (starts ? indent.Length + 3 : width + 1) + word.Length;
        }

        text.Append(width == 0 ? "" : "\n");
    }

    private static string Terms(SettingView setting)
    {
        if (setting.Allowed.Length == 0)
        {
            return "";
        }

        string origin = setting.Children is not null ? "" : setting.Required ? " Required." : $" Default: {setting.Json}.";
        return $"{Capitalised(setting.Allowed)}.{origin}";
    }

    private static string Capitalised(string phrase) => phrase.Length == 0 ? phrase : char.ToUpperInvariant(phrase[0]) + phrase[1..];
}
