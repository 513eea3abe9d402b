namespace NodeAgent.Hosting.Logs;

/// <summary>
/// Fills a [LoggerMessage]'s template straight into the line: a duration reads "20s" rather than "00:00:20", and no string is made for
/// a message that is only written once.
/// </summary>
internal static class MessageTemplate
{
    private const string TemplateName = "{OriginalFormat}";

    // Parameters have pairs of their own; a message that repeats several long ones is cut here.
    private const int MaxBytes = 12 * 1024;

    /// <summary>False for what only the event's own formatter understands: no template, an unknown name, a format or an alignment.</summary>
    public static bool CanAppend(IReadOnlyList<KeyValuePair<string, object?>>? parameters)
    {
        if (parameters is null || !TryFind(parameters, TemplateName, out object? found) || found is not string template)
        {
            return false;
        }

        ReadOnlySpan<char> rest = template;
        while (NextHole(ref rest, out _, out ReadOnlySpan<char> name))
        {
            if (!TryFind(parameters, name, out _))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Appends the filled template; only after <see cref="CanAppend"/>.</summary>
    public static void Append(LineBuffer line, IReadOnlyList<KeyValuePair<string, object?>> parameters, int maxValueChars)
    {
        TryFind(parameters, TemplateName, out object? template);
        int start = line.Length;
        ReadOnlySpan<char> rest = (string)template!;
        while (NextHole(ref rest, out ReadOnlySpan<char> before, out ReadOnlySpan<char> name))
        {
            line.AppendEscaped(before, before.Length);
            TryFind(parameters, name, out object? value);
            AppendValue(line, value, maxValueChars);
            if (line.Length - start > MaxBytes)
            {
                line.Append("...(cut)"u8);
                return;
            }
        }

        line.AppendEscaped(rest, rest.Length);
    }

    private static void AppendValue(LineBuffer line, object? value, int maxChars)
    {
        if (value is null)
        {
            line.Append("null"u8);
        }
        else if (!LogValue.TryAppendBare(line, value))
        {
            line.AppendEscaped(LogValue.TextOf(value), maxChars);
        }
    }

    /// <summary>Splits off the text up to the next hole and the hole's name; false when only text is left. A doubled or lone brace gives a name nobody has.</summary>
    private static bool NextHole(ref ReadOnlySpan<char> rest, out ReadOnlySpan<char> before, out ReadOnlySpan<char> name)
    {
        int brace = rest.IndexOfAny('{', '}');
        before = brace < 0 ? rest : rest[..brace];
        name = [];
        if (brace < 0)
        {
            return false;
        }

        rest = rest[brace..];
        int end = Math.Max(rest.IndexOf('}'), 1);
        name = rest[1..Math.Min(end, rest.Length)];
        rest = rest[Math.Min(end + 1, rest.Length)..];
        return true;
    }

    private static bool TryFind(IReadOnlyList<KeyValuePair<string, object?>> parameters, ReadOnlySpan<char> name, out object? value)
    {
        for (int i = parameters.Count - 1; i >= 0; i--) // the template is the last
        {
            KeyValuePair<string, object?> parameter = parameters[i];
            if (name.Equals(parameter.Key, StringComparison.OrdinalIgnoreCase))
            {
                value = parameter.Value;
                return true;
            }
        }

        value = null;
        return false;
    }
}
