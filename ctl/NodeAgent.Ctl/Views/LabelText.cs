using System.Text;
using NodeAgent.V1;

namespace NodeAgent.Ctl.Views;

/// <summary>Labels as JSON object and as selector text.</summary>
internal static class LabelText
{
    /// <summary>In the server's order, which is by name. A name twice (a broken server) keeps the last value.</summary>
    public static IReadOnlyDictionary<string, string> Map(IEnumerable<Label> labels)
    {
        Dictionary<string, string> map = new(StringComparer.Ordinal);
        foreach (Label label in labels) map[label.Name] = label.Value;
        return map;
    }

    /// <summary><c>{device="eth0",node="a"}</c>, escaped so that it can be pasted into a query; empty without labels.</summary>
    public static string Braces(IReadOnlyDictionary<string, string> labels)
    {
        if (labels.Count == 0) return "";
        StringBuilder text = new("{");
        foreach ((string name, string value) in labels)
        {
            if (text.Length > 1) text.Append(',');
            text.Append(name).Append("=\"").Append(Escape(value)).Append('"');
        }

        return text.Append('}').ToString();
    }

    /// <summary>The series as a selector: <c>node_load1{node="a"}</c>.</summary>
    public static string Series(string? metric, IReadOnlyDictionary<string, string> labels) =>
        string.IsNullOrEmpty(metric) && labels.Count == 0 ? "{}" : metric + Braces(labels);

    private static string Escape(string value) => value
        .Replace("\\", "\\\\", StringComparison.Ordinal)
        .Replace("\"", "\\\"", StringComparison.Ordinal)
        .Replace("\n", "\\n", StringComparison.Ordinal);
}
