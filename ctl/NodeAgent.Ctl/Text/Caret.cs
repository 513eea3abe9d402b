using System.Globalization;
using System.Text.RegularExpressions;

namespace NodeAgent.Ctl.Text;

/// <summary>Shows where in an expression an error is.</summary>
internal static partial class Caret
{
    /// <summary>
    /// The expression and a caret below the position the server names ("… at position 7 …", from 1), indented as the error's details.
    /// Empty when the message names none or one outside the expression (by more than the end).
    /// </summary>
    public static IReadOnlyList<string> Under(string expression, string message)
    {
        Match match = Position().Match(message);
        if (!match.Success || !int.TryParse(match.Groups[1].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out int position)) return [];
        if (position < 1 || position > expression.Length + 1) return [];

        // One output column for one input character keeps the caret true even when the expression holds control characters.
        string line = string.Concat(expression.Select(c => char.IsControl(c) ? '\u00b7' : c));
        return ["  " + line, "  " + new string(' ', position - 1) + "^"];
    }

    [GeneratedRegex(@"\bposition (\d{1,6})\b", RegexOptions.CultureInvariant)]
    private static partial Regex Position();
}
