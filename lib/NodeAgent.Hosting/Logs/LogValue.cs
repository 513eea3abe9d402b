namespace NodeAgent.Hosting.Logs;

/// <summary>The spelling of a parameter's value, the same in its own pair and inside the message.</summary>
internal static class LogValue
{
    /// <summary>Numbers and truth values, which need neither quotes nor escapes in any format; false for everything else.</summary>
    public static bool TryAppendBare(LineBuffer line, object value)
    {
        switch (value)
        {
            case bool flag: line.Append(flag ? "true"u8 : "false"u8); return true;
            case int number: line.AppendFormatted(number); return true;
            case long number: line.AppendFormatted(number); return true;
            case double number when double.IsFinite(number): line.AppendFormatted(number); return true;
            case float number when float.IsFinite(number): line.AppendFormatted(number); return true;
            case uint or ulong or byte or sbyte or short or ushort or decimal:
                line.AppendFormatted((IUtf8SpanFormattable)value);
                return true;
            default: return false;
        }
    }

    /// <summary>Everything else as text: times in UTC, durations as people write them, lists with commas.</summary>
    public static string TextOf(object value) => value switch
    {
        string text => text,
        TimeSpan duration => DurationText.FormatRounded(duration),
        DateTimeOffset time => time.UtcDateTime.ToString("O"),
        DateTime time => time.ToUniversalTime().ToString("O"),
        IEnumerable<string> list => string.Join(',', list),
        _ => value.ToString() ?? "",
    };
}
