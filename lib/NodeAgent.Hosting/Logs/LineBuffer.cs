using System.Globalization;
using System.Text;

namespace NodeAgent.Hosting.Logs;

/// <summary>A growing UTF-8 buffer for one line, reused from line to line. Owned by one thread at a time.</summary>
internal sealed class LineBuffer
{
    // A usual line has 200 bytes. A buffer that an exceptional line (a stack trace) made large is not kept.
    private const int InitialBytes = 1024;
    private const int KeptBytes = 16 * 1024;

    private byte[] _bytes = new byte[InitialBytes];

    public int Length { get; private set; }

    public ReadOnlySpan<byte> Written => _bytes.AsSpan(0, Length);

    public void Clear()
    {
        Length = 0;
        if (_bytes.Length > KeptBytes)
        {
            _bytes = new byte[InitialBytes];
        }
    }

    /// <summary>Forgets everything after <paramref name="length"/>, so that half a value never reaches the output.</summary>
    public void RollBackTo(int length) => Length = length;

    public void Append(byte value)
    {
        Reserve(1);
        _bytes[Length++] = value;
    }

    public void Append(ReadOnlySpan<byte> utf8)
    {
        Reserve(utf8.Length);
        utf8.CopyTo(_bytes.AsSpan(Length));
        Length += utf8.Length;
    }

    /// <summary>Formats in place; generic so that a number or a time is not boxed.</summary>
    public void AppendFormatted<T>(T value, ReadOnlySpan<char> format = default)
        where T : IUtf8SpanFormattable
    {
        int written;
        while (!value.TryFormat(_bytes.AsSpan(Length), out written, format, CultureInfo.InvariantCulture))
        {
            Reserve(_bytes.Length - Length + 1);
        }

        Length += written;
    }

    /// <summary>Appends text inside quotes so that it stays on one line and cannot be mistaken for another key.</summary>
    public void AppendQuoted(ReadOnlySpan<char> text, int maxChars)
    {
        Append((byte)'"');
        AppendEscaped(text, maxChars);
        Append((byte)'"');
    }

    /// <summary>
    /// Appends text with JSON escapes. Besides what JSON demands, everything is escaped that a terminal or an editor would act on
    /// rather than show: C1 controls, line and paragraph separators, bidirectional overrides (CVE-2021-42574). A lone surrogate becomes U+FFFD.
    /// Text over <paramref name="maxChars"/> ends with a note of how much is missing.
    /// </summary>
    public void AppendEscaped(ReadOnlySpan<char> text, int maxChars)
    {
        int missing = 0;
        if (text.Length > maxChars)
        {
            int kept = char.IsHighSurrogate(text[maxChars - 1]) ? maxChars - 1 : maxChars;
            missing = text.Length - kept;
            text = text[..kept];
        }

        while (!text.IsEmpty)
        {
            OneCharacter(ref text);
        }

        if (missing > 0)
        {
            Append("...(+"u8);
            AppendFormatted(missing);
            Append(" characters)"u8);
        }
    }

    private void OneCharacter(ref ReadOnlySpan<char> text)
    {
        char first = text[0];
        if (first is >= ' ' and < (char)0x7f and not ('"' or '\\'))
        {
            Append((byte)first);
            text = text[1..];
            return;
        }

        if (Rune.DecodeFromUtf16(text, out Rune rune, out int consumed) != System.Buffers.OperationStatus.Done)
        {
            Append("\uFFFD"u8); // a lone surrogate has no UTF-8 form, and its escape is refused by strict JSON readers
            text = text[1..];
            return;
        }

        text = text[consumed..];
        if (IsHarmless(rune))
        {
            Reserve(4);
            Length += rune.EncodeToUtf8(_bytes.AsSpan(Length));
            return;
        }

        AppendControl(rune);
    }

    private void AppendControl(Rune rune)
    {
        switch (rune.Value)
        {
            case '"': Append("\\\""u8); break;
            case '\\': Append("\\\\"u8); break;
            case '\n': Append("\\n"u8); break;
            case '\r': Append("\\r"u8); break;
            case '\t': Append("\\t"u8); break;
            default:
                Span<char> units = stackalloc char[2];
                int count = rune.EncodeToUtf16(units);
                foreach (char unit in units[..count])
                {
                    AppendHexEscape(unit);
                }

                break;
        }
    }

    private void AppendHexEscape(char unit)
    {
        Append("\\u"u8);
        AppendFormatted((int)unit, "x4");
    }

    private static bool IsHarmless(Rune rune)
    {
        if (rune.Value is '"' or '\\')
        {
            return false;
        }

        return Rune.GetUnicodeCategory(rune) is not (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator
            or UnicodeCategory.ParagraphSeparator or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned);
    }

    private void Reserve(int count)
    {
        if (_bytes.Length - Length < count)
        {
            Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, Length + count));
        }
    }
}
