using System.Text;

namespace NodeAgent.Hosting.Configuration;

/// <summary>Shows foreign text inside a message: quoted, on one line, not longer than a person reads.</summary>
internal static class Quote
{
    private const int MaxChars = 80;

    public static string Text(string text) => $"\"{Shorten(text)}\"";

    public static string Shorten(string text)
    {
        StringBuilder shown = new();
        foreach (char c in text.AsSpan(0, Math.Min(text.Length, MaxChars)))
        {
            shown.Append(char.IsControl(c) || char.IsSurrogate(c) ? '?' : c);
        }

        return text.Length > MaxChars ? shown.Append("...").ToString() : shown.ToString();
    }

    /// <summary><c>'a', 'b' or 'c'</c>.</summary>
    public static string OneOf(IReadOnlyList<string> names) => names.Count switch
    {
        0 => "nothing",
        1 => $"\"{names[0]}\"",
        _ => string.Join(", ", names.Take(names.Count - 1).Select(n => $"\"{n}\"")) + $" or \"{names[^1]}\"",
    };
}
