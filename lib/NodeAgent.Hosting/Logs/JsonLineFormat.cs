namespace NodeAgent.Hosting.Logs;

/// <summary>One JSON object a line (RFC 8259), with the keys of the text format and <c>time</c> first.</summary>
internal sealed class JsonLineFormat : LineFormat
{
    protected override void Begin(LineBuffer line, DateTimeOffset time)
    {
        line.Append("{\"time\":\""u8);
        line.AppendFormatted(time.UtcDateTime, "yyyy-MM-ddTHH:mm:ss.fffZ");
        line.Append((byte)'"');
    }

    protected override void Key(LineBuffer line, ReadOnlySpan<byte> key)
    {
        line.Append(",\""u8);
        line.Append(key);
        line.Append("\":"u8);
    }

    protected override void String(LineBuffer line, ReadOnlySpan<char> value, int maxChars, bool alwaysQuoted = false) =>
        line.AppendQuoted(value, maxChars);

    protected override void Null(LineBuffer line) => line.Append("null"u8);

    protected override void End(LineBuffer line) => line.Append((byte)'}');
}
