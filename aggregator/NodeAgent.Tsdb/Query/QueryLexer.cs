using System.Globalization;
using System.Text;

namespace NodeAgent.Tsdb.Query;

/// <summary>Cuts a query into tokens. Comments run from <c>#</c> to the end of the line.</summary>
/// <param name="text">The query.</param>
/// <param name="start">Where to begin: behind a token.</param>
internal sealed class QueryLexer(string text, int start = 0)
{
    /// <summary>Longest query in characters; real ones are a hundred times shorter.</summary>
    public const int MaxLength = 16_384;

    private static readonly string[] LongSigns = ["=~", "!~", "!=", "==", ">=", "<="];
    private int _at = start;

    public QueryToken Next()
    {
        SkipBlanks();
        if (_at == text.Length)
        {
            return new QueryToken(TokenKind.End, "", _at, _at);
        }

        char c = text[_at];
        if (QueryText.IsNameStart(c))
        {
            return Take(TokenKind.Name, LengthWhile(QueryText.IsNamePart));
        }

        if (char.IsAsciiDigit(c) || (c == '.' && _at + 1 < text.Length && char.IsAsciiDigit(text[_at + 1])))
        {
            return NumberOrDuration();
        }

        return c is '"' or '\'' or '`' ? QuotedText(c) : Sign();
    }

    private void SkipBlanks()
    {
        while (_at < text.Length && (char.IsWhiteSpace(text[_at]) || text[_at] == '#'))
        {
            int lineEnd = text[_at] == '#' ? text.IndexOf('\n', _at) : _at;
            _at = lineEnd < 0 ? text.Length : lineEnd + 1;
        }
    }

    private int LengthWhile(Func<char, bool> belongs)
    {
        int end = _at;
        while (end < text.Length && belongs(text[end]))
        {
            end++;
        }

        return end - _at;
    }

    private QueryToken Take(TokenKind kind, int length)
    {
        QueryToken token = new(kind, text.Substring(_at, length), _at, _at + length);
        _at += length;
        return token;
    }

    private QueryToken Sign()
    {
        foreach (string sign in LongSigns)
        {
            if (text.AsSpan(_at).StartsWith(sign, StringComparison.Ordinal))
            {
                return Take(TokenKind.Sign, sign.Length);
            }
        }

        // A pair of surrogates is one character for the person who reads the message.
        return Take(TokenKind.Sign, char.IsHighSurrogate(text[_at]) && _at + 1 < text.Length ? 2 : 1);
    }

    private QueryToken NumberOrDuration()
    {
        int length = LengthWhile(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_');
        string word = text.Substring(_at, length);
        if ((word[^1] is 'e' or 'E') && _at + length < text.Length && text[_at + length] is '+' or '-')
        {
            int digits = _at + length + 1;
            while (digits < text.Length && char.IsAsciiDigit(text[digits]))
            {
                digits++;
            }

            length = digits - _at;
            word = text.Substring(_at, length);
        }

        bool isNumber = double.TryParse(word, NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent, CultureInfo.InvariantCulture, out _);
        return Take(isNumber ? TokenKind.Number : TokenKind.Duration, length);
    }

    private QueryToken QuotedText(char quote)
    {
        int open = _at;
        StringBuilder content = new();
        int at = open + 1;
        while (at < text.Length && text[at] != quote)
        {
            at = text[at] == '\\' && quote != '`' ? Escape(at, content) : Plain(at, content);
        }

        if (at >= text.Length)
        {
            throw new QuerySyntaxException(text, open, $"The text that begins here has no closing {(quote == '"' ? "quote" : quote.ToString())}");
        }

        _at = at + 1;
        return new QueryToken(TokenKind.Text, content.ToString(), open, _at);
    }

    private int Plain(int at, StringBuilder content)
    {
        content.Append(text[at]);
        return at + 1;
    }

    /// <summary>The escapes of Go, which are Prometheus'; returns the index behind the escape.</summary>
    private int Escape(int at, StringBuilder content)
    {
        char kind = at + 1 < text.Length ? text[at + 1] : '\0';
        const string Simple = "abfnrtv\\'\"";
        int simple = kind == '\0' ? -1 : Simple.IndexOf(kind, StringComparison.Ordinal);
        if (simple >= 0)
        {
            content.Append("\a\b\f\n\r\t\v\\'\""[simple]);
            return at + 2;
        }

        int digits = kind switch { 'x' => 2, 'u' => 4, 'U' => 8, _ => 0 };
        if (digits > 0
            && at + 2 + digits <= text.Length
            && int.TryParse(text.AsSpan(at + 2, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out int code)
            && Rune.IsValid(code))
        {
            content.Append(new Rune(code).ToString());
            return at + 2 + digits;
        }

        throw new QuerySyntaxException(text, at, "This is not an escape; a backslash is written \\\\, in a pattern often \\\\");
    }
}
