using System.Text.Json;

namespace NodeAgent.Detection.Rules;

/// <summary>The rules: versioned data, embedded. A site's own file has the same form.</summary>
public sealed class RuleCatalogue
{
    private RuleCatalogue(int version, IReadOnlyList<Rule> rules) => (Version, Rules) = (version, rules);

    /// <summary>The one that is embedded.</summary>
    public static RuleCatalogue Embedded { get; } = Load();

    /// <summary>Grows with every change of the data.</summary>
    public int Version { get; }

    /// <summary>In the order of the file.</summary>
    public IReadOnlyList<Rule> Rules { get; }

    /// <summary>The rule of this id, or null.</summary>
    public Rule? Find(string id) => Rules.FirstOrDefault(rule => rule.Id == id);

    /// <summary>Reads a catalogue. Null: it is none, and <paramref name="problem"/> says where.</summary>
    public static RuleCatalogue? TryParse(string json, out string problem)
    {
        problem = "";
        try
        {
            using JsonDocument document = JsonDocument.Parse(json);
            Rule[] rules = [.. document.RootElement.GetProperty("rules").EnumerateArray().Select(Read)];
            string? twice = rules.GroupBy(rule => rule.Id).FirstOrDefault(group => group.Count() > 1)?.Key;
            if (twice is not null)
            {
                problem = $"rule {twice} stands there twice";
                return null;
            }

            return new RuleCatalogue(document.RootElement.GetProperty("version").GetInt32(), rules);
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            problem = e.Message;
            return null;
        }
    }

    private static RuleCatalogue Load()
    {
        using Stream stream = typeof(RuleCatalogue).Assembly.GetManifestResourceStream("NodeAgent.Detection.Rules.rule-catalogue.json")!;
        using var reader = new StreamReader(stream);
        return TryParse(reader.ReadToEnd(), out string problem) ?? throw new InvalidOperationException("BUG: the embedded rule catalogue: " + problem);
    }

    private static Rule Read(JsonElement rule)
    {
        string test = rule.GetProperty("test").GetString()!;
        return new Rule(
            Text(rule, "id"), Text(rule, "metric"),
            Enum.TryParse(test.Replace("_", "", StringComparison.Ordinal), ignoreCase: true, out RuleTest parsed) ? parsed : throw new FormatException($"rule {Text(rule, "id")}: no test is called {test}"),
            rule.GetProperty("limit").GetDouble(), TimeSpan.FromSeconds(rule.GetProperty("hold_seconds").GetDouble()), TimeSpan.FromSeconds(rule.GetProperty("clear_seconds").GetDouble()),
            Text(rule, "severity"), Text(rule, "action"), Text(rule, "text"), Text(rule, "why"), Text(rule, "runbook"), Optional(rule, "other"), Optional(rule, "reference"), Optional(rule, "busy"));
    }

    private static string Text(JsonElement rule, string name) => rule.GetProperty(name).GetString() ?? throw new FormatException($"{name} is null");

    private static string Optional(JsonElement rule, string name) => rule.TryGetProperty(name, out JsonElement value) ? value.GetString() ?? "" : "";
}
