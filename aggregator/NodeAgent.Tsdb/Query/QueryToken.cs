namespace NodeAgent.Tsdb.Query;

internal enum TokenKind
{
    End,
    Name,
    Number,
    Duration,
    Text,

    /// <summary>Punctuation and operators: the text is the sign.</summary>
    Sign,
}

/// <summary>A piece of a query.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Text">As written; for <see cref="TokenKind.Text"/> the content with escapes resolved.</param>
/// <param name="Position">Index of its first character.</param>
/// <param name="End">Index behind its last character.</param>
internal readonly record struct QueryToken(TokenKind Kind, string Text, int Position, int End)
{
    public bool Is(string sign) => Kind == TokenKind.Sign && Text == sign;

    public bool IsName(string name) => Kind == TokenKind.Name && Text == name;

    /// <summary>For messages: what a person sees at this place.</summary>
    public string Shown => Kind == TokenKind.Text ? "the text " + QueryText.Quote(Shorten(Text)) : QueryText.Quote(Shorten(Text));

    private static string Shorten(string text) => text.Length <= 40 ? text : text[..40] + "...";
}
