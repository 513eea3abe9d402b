using System.Buffers;
using System.Globalization;
using System.Text;
using NodeAgent.Contracts.Metrics;

namespace NodeAgent.Aggregator.Prometheus;

/// <summary>
/// Prometheus' text format 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats): one family after another, each with its help and
/// type once. Not thread-safe.
/// </summary>
internal sealed class ExpositionText
{
    internal const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    private static readonly SearchValues<char> Escaped = SearchValues.Create("\\\"\n");

    private readonly StringBuilder _text = new(16 * 1024);

    /// <summary>Begins a family; its samples follow before the next one begins.</summary>
    internal ExpositionText Family(string name, MetricKind kind, string help)
    {
        _text.Append("# HELP ").Append(name).Append(' ').Append(help.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal)).Append('\n');
        _text.Append("# TYPE ").Append(name).Append(kind == MetricKind.Counter ? " counter\n" : " gauge\n");
        return this;
    }

    /// <summary>A family of one sample without labels.</summary>
    internal ExpositionText Single(string name, MetricKind kind, double value, string help) => Family(name, kind, help).Sample(name, [], value);

    /// <param name="name">The family's name.</param>
    /// <param name="labels">Names and values.</param>
    /// <param name="value">May be anything that a double is.</param>
    /// <param name="unixMs">When it was measured; null: now, which is the scraper's to say.</param>
    internal ExpositionText Sample(string name, ReadOnlySpan<Contracts.Series.Label> labels, double value, long? unixMs = null)
    {
        _text.Append(name);
        for (int i = 0; i < labels.Length; i++)
        {
            _text.Append(i == 0 ? '{' : ',').Append(labels[i].Name).Append("=\"");
            AppendEscaped(labels[i].Value);
            _text.Append('"');
        }

        _text.Append(labels.Length > 0 ? "} " : " ").Append(Number(value));
        if (unixMs is { } time)
        {
            _text.Append(' ').Append(time);
        }

        _text.Append('\n');
        return this;
    }

    /// <summary>What was written so far, and forgets it.</summary>
    internal byte[] Take()
    {
        byte[] bytes = Encoding.UTF8.GetBytes(_text.ToString());
        _text.Clear();
        return bytes;
    }

    internal int Length => _text.Length;

    private static string Number(double value) => value switch
    {
        double.PositiveInfinity => "+Inf",
        double.NegativeInfinity => "-Inf",
        _ => value.ToString("R", CultureInfo.InvariantCulture), // NaN is NaN in both worlds
    };

    private void AppendEscaped(string value)
    {
        if (value.AsSpan().IndexOfAny(Escaped) < 0)
        {
            _text.Append(value);
            return;
        }

        foreach (char c in value)
        {
            _ = c switch { '\\' => _text.Append("\\\\"), '"' => _text.Append("\\\""), '\n' => _text.Append("\\n"), _ => _text.Append(c) };
        }
    }
}
