namespace NodeAgent.Hosting.Logs;

/// <summary>Time, then key=value pairs; a value is quoted when it would not read back as one word.</summary>
internal sealed class TextLineFormat : LineFormat
{
    protected override void Begin(LineBuffer line, DateTimeOffset time) =>
        line.AppendFormatted(time.UtcDateTime, "yyyy-MM-ddTHH:mm:ss.fffZ");

    protected override void Key(LineBuffer line, ReadOnlySpan<byte> key)
    {
        line.Append((byte)' ');
        line.Append(key);
        line.Append((byte)'=');
    }

    protected override void String(LineBuffer line, ReadOnlySpan<char> value, int maxChars, bool alwaysQuoted = false)
    {
        if (!alwaysQuoted && IsOneWord(value, maxChars))
        {
            line.AppendEscaped(value, maxChars);
        }
        else
        {
            line.AppendQuoted(value, maxChars);
        }
    }

    protected override void Null(LineBuffer line) => line.Append("null"u8);

    protected override void End(LineBuffer line)
    {
    }

    private static bool IsOneWord(ReadOnlySpan<char> value, int maxChars)
    {
        // The last bytes of an overlong value are a note with spaces in it.
        if (value.IsEmpty || value.Length > maxChars || value is "null")
        {
            return false;
        }

        foreach (char c in value)
        {
            if (c is <= ' ' or >= (char)0x7f or '"' or '=' or '\\')
            {
                return false;
            }
        }

        return true;
    }
}
