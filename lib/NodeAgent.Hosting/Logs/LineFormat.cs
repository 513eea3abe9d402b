using Microsoft.Extensions.Logging;

namespace NodeAgent.Hosting.Logs;

/// <summary>
/// The order of a line's parts, the same in every format: time, level, event, id, source, the event's parameters, error, message.
/// The formats only differ in how a key and a value are spelled.
/// </summary>
internal abstract class LineFormat
{
    // journald splits a line over 48 KiB (LineMax= in journald.conf(5)). Parameters stop well below, so that message and error still fit.
    private const int MaxParameterBytes = 24 * 1024;
    private const int MaxValueChars = 1024;
    private const int MaxMessageChars = 2048;
    private const int MaxStackChars = 8192;

    private static readonly byte[] TruncatedKey = "truncated"u8.ToArray();

    public static LineFormat For(LogFormat format) => format == LogFormat.Json ? new JsonLineFormat() : new TextLineFormat();

    public void Write(LineBuffer line, in EventEntry entry)
    {
        Begin(line, entry.Time);
        Key(line, "level"u8);
        String(line, LogLevelNames.Of(entry.Level), MaxValueChars);
        if (entry.Event.Name is { Length: > 0 } name)
        {
            Key(line, "event"u8);
            String(line, name, MaxValueChars);
        }

        Key(line, "id"u8);
        line.AppendFormatted(entry.Event.Id);
        if (entry.Source is not null)
        {
            Key(line, "source"u8);
            String(line, entry.Source, MaxValueChars);
        }

        Parameters(line, entry.Parameters);
        if (entry.Exception is not null)
        {
            Error(line, entry.Exception, entry.WithStack);
        }

        Key(line, "msg"u8);
        line.Append((byte)'"');
        if (entry.Message is not null)
        {
            line.AppendEscaped(entry.Message, MaxMessageChars);
        }
        else
        {
            MessageTemplate.Append(line, entry.Parameters!, MaxValueChars);
        }

        line.Append((byte)'"');
        End(line);
        line.Append((byte)'\n');
    }

    protected abstract void Begin(LineBuffer line, DateTimeOffset time);

    protected abstract void Key(LineBuffer line, ReadOnlySpan<byte> key);

    protected abstract void String(LineBuffer line, ReadOnlySpan<char> value, int maxChars, bool alwaysQuoted = false);

    protected abstract void Null(LineBuffer line);

    protected abstract void End(LineBuffer line);

    private void Parameters(LineBuffer line, IReadOnlyList<KeyValuePair<string, object?>>? parameters)
    {
        int count = parameters?.Count ?? 0;
        int start = line.Length;
        for (int i = 0; i < count; i++)
        {
            (string name, object? value) = parameters![i];
            if (name == "{OriginalFormat}")
            {
                continue;
            }

            int before = line.Length;
            Key(line, KeyNames.Utf8(name));
            Value(line, value);
            if (line.Length - start > MaxParameterBytes)
            {
                line.RollBackTo(before);
                Key(line, TruncatedKey);
                line.Append("true"u8);
                return;
            }
        }
    }

    private void Value(LineBuffer line, object? value)
    {
        if (value is null)
        {
            Null(line);
        }
        else if (!LogValue.TryAppendBare(line, value))
        {
            String(line, LogValue.TextOf(value), MaxValueChars);
        }
    }

    private void Error(LineBuffer line, Exception exception, bool withStack)
    {
        Key(line, "error"u8);
        String(line, exception.Message, MaxMessageChars, alwaysQuoted: true);
        Key(line, "error_type"u8);
        String(line, exception.GetType().Name, MaxValueChars);
        if (withStack)
        {
            Key(line, "stack"u8);
            String(line, exception.ToString(), MaxStackChars, alwaysQuoted: true);
        }
    }
}
