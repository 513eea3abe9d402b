namespace NodeAgent.Tsdb.Query;

/// <summary>Writing parts of the query language.</summary>
internal static class QueryText
{
    public static string Quote(string value) =>
        "\"" + value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)
            .Replace("\n", "\\n", StringComparison.Ordinal) + "\"";

    public static bool IsNameStart(char c) => char.IsAsciiLetter(c) || c == '_' || c == ':';

    public static bool IsNamePart(char c) => IsNameStart(c) || char.IsAsciiDigit(c);

    /// <summary>Whether the text is a metric name: <c>[a-zA-Z_:][a-zA-Z0-9_:]*</c>.</summary>
    public static bool IsMetricName(ReadOnlySpan<char> text)
    {
        if (text.IsEmpty || !IsNameStart(text[0]))
        {
            return false;
        }

        foreach (char c in text)
        {
            if (!IsNamePart(c))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Whether the text is a label name: a metric name without colons.</summary>
    public static bool IsLabelName(ReadOnlySpan<char> text) => IsMetricName(text) && !text.Contains(':');
}
