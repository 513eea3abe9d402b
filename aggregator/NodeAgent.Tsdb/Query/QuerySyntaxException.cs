namespace NodeAgent.Tsdb.Query;

/// <summary>
/// A selector or an expression that cannot be parsed. The message is one sentence that names the position (from 1, in characters),
/// what was found and what was expected.
/// </summary>
public sealed class QuerySyntaxException(string text, int position, string problem)
    : QueryException(QueryErrorKind.Syntax, $"{problem} (position {position + 1})")
{
    /// <summary>The text as given.</summary>
    public string Text { get; } = text;

    /// <summary>Index of the offending character; the text's length when the text ends too soon.</summary>
    public int Position { get; } = position;

    /// <summary>The message without the position.</summary>
    public string Problem { get; } = problem;

    /// <summary>Two lines for a terminal: the text (line breaks and tabs shown as spaces), and a caret under the offending character.</summary>
    public string Caret()
    {
        string line = Text.Replace('\n', ' ').Replace('\r', ' ').Replace('\t', ' ');
        return line + "\n" + new string(' ', Position) + "^";
    }
}
