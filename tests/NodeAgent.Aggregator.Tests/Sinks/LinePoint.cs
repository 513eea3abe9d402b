using System.Globalization;
using System.Text;

namespace NodeAgent.Aggregator.Tests.Sinks;

/// <summary>One field of one line, read back by the rules of the line protocol's reference (InfluxDB documentation), not by the writer's code.</summary>
internal sealed record LinePoint(string Measurement, string Tags, string Field, double Value, long UnixMs)
{
    internal static List<LinePoint> Parse(ReadOnlySpan<byte> lines)
    {
        List<LinePoint> points = [];
        foreach (string line in Encoding.UTF8.GetString(lines).Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            string[] parts = Split(line, ' ');
            Assert.Equal(3, parts.Length);
            string[] head = Split(parts[0], ',');
            string tags = string.Join(',', head[1..].Select(tag => string.Join('=', Split(tag, '=').Select(Unescape))));
            foreach (string field in Split(parts[1], ','))
            {
                string[] pair = Split(field, '=');
                points.Add(new LinePoint(
                    Unescape(head[0]), tags, Unescape(pair[0]), double.Parse(pair[1], CultureInfo.InvariantCulture), long.Parse(parts[2], CultureInfo.InvariantCulture)));
            }
        }

        return points;
    }

    private static string[] Split(string text, char at)
    {
        List<string> parts = [];
        StringBuilder part = new();
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] == '\\' && i + 1 < text.Length)
            {
                part.Append(text[i]).Append(text[++i]);
            }
            else if (text[i] == at)
            {
                parts.Add(part.ToString());
                part.Clear();
            }
            else
            {
                part.Append(text[i]);
            }
        }

        parts.Add(part.ToString());
        return [.. parts];
    }

    // A backslash escapes a comma, a space or an equals sign, and is itself otherwise.
    private static string Unescape(string text)
    {
        StringBuilder plain = new();
        for (int i = 0; i < text.Length; i++)
        {
            plain.Append(text[i] == '\\' && i + 1 < text.Length && text[i + 1] is ',' or ' ' or '=' ? text[++i] : text[i]);
        }

        return plain.ToString();
    }
}
