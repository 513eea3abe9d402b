using System.Globalization;

namespace NodeAgent.EndToEnd.Tests.Agreement;

/// <summary>A page in Prometheus' text format, as far as node_exporter writes it.</summary>
internal sealed class PrometheusText
{
    private PrometheusText(Dictionary<string, string> types, Dictionary<string, double> values)
    {
        Types = types;
        Values = values;
    }

    /// <summary>Metric name to "counter", "gauge", ...</summary>
    internal IReadOnlyDictionary<string, string> Types { get; }

    /// <summary>Canonical series (labels sorted) to value.</summary>
    internal IReadOnlyDictionary<string, double> Values { get; }

    internal static PrometheusText Parse(string page)
    {
        Dictionary<string, string> types = [];
        Dictionary<string, double> values = [];
        foreach (string line in page.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.StartsWith("# TYPE ", StringComparison.Ordinal))
            {
                string[] words = line.Split(' ');
                types[words[2]] = words[3];
            }
            else if (line[0] != '#')
            {
                int blank = line.LastIndexOf(' ');
                values[Canonical(line[..blank])] = double.Parse(line[(blank + 1)..], CultureInfo.InvariantCulture);
            }
        }

        return new PrometheusText(types, values);
    }

    internal static string NameOf(string series) => series.Split('{')[0];

    /// <summary>Labels by name, so that two writers of the same series give the same text.</summary>
    internal static string Canonical(string series)
    {
        int open = series.IndexOf('{', StringComparison.Ordinal);
        if (open < 0)
        {
            return series;
        }

        // node_exporter's label values hold no comma on a host without exotic mounts; one that does is simply not compared.
        string[] labels = series[(open + 1)..^1].Split(',', StringSplitOptions.RemoveEmptyEntries);
        Array.Sort(labels, StringComparer.Ordinal);
        return $"{series[..open]}{{{string.Join(',', labels)}}}";
    }
}
