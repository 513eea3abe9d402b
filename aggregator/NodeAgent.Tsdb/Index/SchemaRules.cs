using System.Text;
using NodeAgent.Contracts.Metrics;
using NodeAgent.Contracts.Series;
using NodeAgent.Tsdb.Query;

namespace NodeAgent.Tsdb.Index;

/// <summary>What a schema must be (protos/nodeagent/v1/telemetry.proto), checked before anything of it is stored.</summary>
internal static class SchemaRules
{
    private const int MaxLabelValueBytes = 1_024;
    private const int MaxLabels = 64;

    /// <summary>The identities of a schema's columns with the node's label added, or the first rule that it breaks.</summary>
    public static bool TryResolve(string node, IReadOnlyList<SeriesDefinition> series, out SeriesKey[] keys, out string problem)
    {
        keys = new SeriesKey[series.Count];
        problem = node.Length == 0 ? "The node has no name." : series.Count == 0 ? "The schema has no columns." : "";
        HashSet<SeriesKey> seen = [];
        for (int i = 0; i < series.Count && problem.Length == 0; i++)
        {
            problem = Problem(series[i]);
            if (problem.Length == 0)
            {
                keys[i] = new SeriesKey(series[i].Metric, WithNode(series[i].Labels, node));
                problem = seen.Add(keys[i]) ? "" : "an earlier column is the same series";
            }

            if (problem.Length > 0)
            {
                problem = $"Column {i} ({series[i]}): {problem}.";
            }
        }

        return problem.Length == 0;
    }

    private static string Problem(SeriesDefinition series)
    {
        if (!QueryText.IsMetricName(series.Metric))
        {
            return "the metric name is not [a-zA-Z_:][a-zA-Z0-9_:]*";
        }

        if (series.Kind is not (MetricKind.Gauge or MetricKind.Counter))
        {
            return "its kind is neither gauge nor counter";
        }

        if (series.Labels.Count > MaxLabels)
        {
            return $"it has {series.Labels.Count} labels, more than {MaxLabels}";
        }

        string previous = "";
        foreach (Label label in series.Labels)
        {
            string problem = Problem(label, previous);
            if (problem.Length > 0)
            {
                return problem;
            }

            previous = label.Name;
        }

        return "";
    }

    private static string Problem(Label label, string previousName)
    {
        if (label.Name is SeriesInfo.NodeLabel or SeriesInfo.NameLabel)
        {
            return $"the label {label.Name} is the aggregator's";
        }

        if (!QueryText.IsLabelName(label.Name))
        {
            return $"the label name {QueryText.Quote(label.Name)} is not [a-zA-Z_][a-zA-Z0-9_]*";
        }

        if (label.Name == previousName)
        {
            return $"it carries the label {label.Name} twice";
        }

        return label.Value.Length * 3 > MaxLabelValueBytes && Encoding.UTF8.GetByteCount(label.Value) > MaxLabelValueBytes
            ? $"the value of the label {label.Name} is longer than {MaxLabelValueBytes} bytes"
            : "";
    }

    private static Label[] WithNode(IReadOnlyList<Label> labels, string node)
    {
        Label[] all = new Label[labels.Count + 1];
        Label own = new(SeriesInfo.NodeLabel, node);
        int at = 0;
        while (at < labels.Count && string.CompareOrdinal(labels[at].Name, own.Name) < 0)
        {
            all[at] = labels[at++];
        }

        all[at] = own;
        for (; at < labels.Count; at++)
        {
            all[at + 1] = labels[at];
        }

        return all;
    }
}
