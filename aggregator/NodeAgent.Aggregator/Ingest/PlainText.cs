using System.Globalization;
using System.Text;

namespace NodeAgent.Aggregator.Ingest;

/// <summary>
/// Text of an agent as it may be kept and shown: control characters (C0, DEL, C1) become <c>\xNN</c>. They could move a cursor or make two
/// lines of one in whatever shows them. To refuse them would let any user of a host silence a sampler with the name of a process.
/// </summary>
internal static class PlainText
{
    internal static string Of(string text)
    {
        if (!text.Any(char.IsControl))
        {
            return text;
        }

        StringBuilder plain = new(text.Length + 8);
        foreach (char c in text)
        {
            _ = char.IsControl(c) ? plain.Append("\\x").Append(((int)c).ToString("x2", CultureInfo.InvariantCulture)) : plain.Append(c);
        }

        return plain.ToString();
    }
}
