using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using NodeAgent.Ctl.Text;

namespace NodeAgent.Ctl.Commands;

/// <summary>Options whose values are more than text, with an error that says what would have been right.</summary>
internal static class Values
{
    /// <summary>Null: not given. The default stands in the description in the words that one would type.</summary>
    public static Option<TimeSpan?> Duration(string name, string description, bool recursive = false) => new(name)
    {
        Description = description,
        HelpName = "duration",
        Recursive = recursive,
        CustomParser = result => ParseDuration(result, name),
    };

    public static Option<int?> Count(string name, string description, int from, int to) => new(name)
    {
        Description = description,
        HelpName = "n",
        CustomParser = result =>
        {
            string text = result.Tokens[0].Value;
            if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int count) && count >= from && count <= to) return count;
            result.AddError($"{name}: '{text}' is no whole number from {from} to {to}");
            return null;
        },
    };

    /// <summary>One of an enumeration's names, lower case. Null: not given.</summary>
    public static Option<T?> Choice<T>(string name, string? alias, string description, string helpName, bool recursive = false)
        where T : struct, Enum
    {
        string[] names = [.. Enum.GetNames<T>().Select(known => known.ToLowerInvariant())];
        Option<T?> option = new(name, alias is null ? [] : [alias])
        {
            Description = $"{description}: {string.Join(", ", names)}",
            HelpName = helpName,
            Recursive = recursive,
            CustomParser = result =>
            {
                string text = result.Tokens[0].Value;
                int index = Array.IndexOf(names, text);
                if (index >= 0) return Enum.GetValues<T>()[index];
                result.AddError($"{name}: '{text}' is none of {string.Join(", ", names)}{(Nearest.Question(text, names) is { } question ? ". " + question : "")}");
                return null;
            },
        };
        // The library's own would offer the enumeration's names, with a capital that is not accepted.
        option.CompletionSources.Clear();
        option.CompletionSources.Add(names);
        return option;
    }

    private static TimeSpan? ParseDuration(ArgumentResult result, string name)
    {
        string text = result.Tokens[0].Value;
        if (DurationText.TryParse(text, out TimeSpan duration) && duration > TimeSpan.Zero) return duration;
        result.AddError($"{name}: '{text}' is no duration. Write 500ms, 10s, 5m, 1h30m or 2d");
        return null;
    }
}
