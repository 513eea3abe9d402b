using System.Buffers;
using System.Globalization;
using System.Text;

namespace NodeAgent.Ctl.Text;

/// <summary>
/// Text that came from elsewhere (labels, kernel messages, node names) made safe for a terminal: a control character could
/// move the cursor, change the title or fake a line. JSON and CSV carry the text as it is.
/// </summary>
internal static class Printable
{
    // C0, DEL and C1; the bidirectional overrides that make text read differently from what it is.
    private static readonly SearchValues<char> Unsafe = SearchValues.Create(
        string.Concat(Enumerable.Range(0, 0x20).Concat(Enumerable.Range(0x7f, 0x21)).Select(code => (char)code))
        + "\u2028\u2029\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069");

    public static string Of(string text)
    {
        if (!text.AsSpan().ContainsAny(Unsafe)) return text;
        StringBuilder safe = new(text.Length + 8);
        foreach (char c in text)
        {
            if (!Unsafe.Contains(c)) safe.Append(c);
            else safe.Append(c switch { '\n' => "\\n", '\t' => "\\t", '\r' => "\\r", _ => Escape(c) });
        }

        return safe.ToString();
    }

    private static string Escape(char c) => c < 0x100
        ? "\\x" + ((int)c).ToString("x2", CultureInfo.InvariantCulture)
        : "\\u" + ((int)c).ToString("x4", CultureInfo.InvariantCulture);
}
