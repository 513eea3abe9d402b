using System.Text.Json;

namespace NodeAgent.Hosting.Tests.Logs;

/// <summary>Reads a text line back the way a shipper would, so that the tests do not trust the writer's own idea of its format.</summary>
internal static class KeyValueLine
{
    public static Dictionary<string, string> Parse(string line)
    {
        Dictionary<string, string> pairs = [];
        int at = line.IndexOf(' ', StringComparison.Ordinal);
        while (at < line.Length)
        {
            Assert.Equal(' ', line[at]);
            int equals = line.IndexOf('=', at);
            string key = line[(at + 1)..equals];
            Assert.Matches("^[a-z_0-9]+$", key);
            int end = EndOfValue(line, equals + 1);
            string raw = line[(equals + 1)..end];
            pairs.Add(key, raw.StartsWith('"') ? JsonSerializer.Deserialize<string>(raw)! : raw);
            at = end;
        }

        return pairs;
    }

    private static int EndOfValue(string line, int at)
    {
        if (at >= line.Length || line[at] != '"')
        {
            int space = line.IndexOf(' ', at);
            return space < 0 ? line.Length : space;
        }

        for (at++; line[at] != '"'; at++)
        {
            at += line[at] == '\\' ? 1 : 0;
        }

        return at + 1;
    }
}
