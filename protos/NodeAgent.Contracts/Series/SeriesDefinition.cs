using System.Text;
using NodeAgent.Contracts.Metrics;

namespace NodeAgent.Contracts.Series;

/// <summary>A metric with its labels, as a schema describes one column. Labels are sorted by name and have non-empty values.</summary>
public sealed class SeriesDefinition
{
    /// <param name="metric">Metric name.</param>
    /// <param name="kind">Gauge or counter.</param>
    /// <param name="unit">One of <see cref="Unit"/>.</param>
    /// <param name="scale">See <see cref="MetricDefinition.Scale"/>.</param>
    /// <param name="labels">In any order; those with an empty value are left out, as if absent.</param>
    public SeriesDefinition(string metric, MetricKind kind, string unit, uint scale, IEnumerable<Label> labels)
    {
        Metric = metric;
        Kind = kind;
        Unit = unit;
        Scale = scale;
        Label[] kept = [.. labels.Where(label => label.Value.Length > 0)];
        Array.Sort(kept);
        Labels = kept;
    }

    public SeriesDefinition(MetricDefinition definition, IEnumerable<Label> labels)
        : this(definition.Name, definition.Kind, definition.Unit, definition.Scale, labels)
    {
    }

    public string Metric { get; }

    public MetricKind Kind { get; }

    public string Unit { get; }

    public uint Scale { get; }

    public IReadOnlyList<Label> Labels { get; }

    /// <summary>The value of a label, or "" where the series does not carry it.</summary>
    public string LabelValue(string name)
    {
        foreach (Label label in Labels)
        {
            if (label.Name == name)
            {
                return label.Value;
            }
        }

        return "";
    }

    /// <summary>Canonical text: <c>name{a="x",b="y"}</c> with backslash, quote and newline escaped as Prometheus does.</summary>
    public override string ToString() => Format(Metric, Labels);

    /// <summary>As <see cref="ToString"/>, for parts that are not held in a definition.</summary>
    public static string Format(string metric, IReadOnlyList<Label> labels)
    {
        if (labels.Count == 0)
        {
            return metric;
        }

        StringBuilder text = new(metric);
        text.Append('{');
        for (int i = 0; i < labels.Count; i++)
        {
            if (i > 0)
            {
                text.Append(',');
            }

            string value = labels[i].Value.Replace("\\", "\\\\", StringComparison.Ordinal)
                .Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);
            text.Append(labels[i].Name).Append("=\"").Append(value).Append('"');
        }

        return text.Append('}').ToString();
    }
}
