using System.Buffers;
using System.Text;
using NodeAgent.Contracts.Series;
using NodeAgent.Tsdb;

namespace NodeAgent.Aggregator.Sinks;

/// <summary>
/// How a schema's rows become line protocol: columns with the same labels and the same first word of their metric share a line, everything but
/// numbers and time written once and kept. The measurement is the metric's first word and the field the rest, so that VictoriaMetrics,
/// which joins the two with an underscore, has the very metric: <c>node_load1</c> is measurement <c>node</c>, field <c>load1</c>. A metric of one word has
/// the field <c>value</c>. All values are floats: a field's type is fixed by its first value in InfluxDB.
/// </summary>
internal sealed class LineLayout
{
    /// <summary>The field of a metric of one word.</summary>
    internal const string OnlyField = "value";

    private readonly Line[] _lines;

    /// <param name="node">Becomes a tag.</param>
    /// <param name="definitions">The schema's columns.</param>
    internal LineLayout(string node, IReadOnlyList<SeriesDefinition> definitions)
    {
        Dictionary<string, List<(int, byte[])>> lines = new(StringComparer.Ordinal);
        for (int i = 0; i < definitions.Count; i++)
        {
            (string measurement, string field) = Split(definitions[i].Metric);
            string head = Head(measurement, node, definitions[i]);
            if (!lines.TryGetValue(head, out List<(int, byte[])>? fields))
            {
                lines.Add(head, fields = []);
            }

            fields.Add((i, Encoding.UTF8.GetBytes(Escape(field, isMeasurement: false) + "=")));
        }

        _lines = [.. lines.Select(line => new Line(Encoding.UTF8.GetBytes(line.Key + " "), [.. line.Value]))];
    }

    /// <summary>Measurement and field of a metric.</summary>
    internal static (string Measurement, string Field) Split(string metric)
    {
        int at = metric.IndexOf('_', StringComparison.Ordinal);
        return at > 0 && at < metric.Length - 1 ? (metric[..at], metric[(at + 1)..]) : (metric, OnlyField);
    }

    /// <summary>The metric that a measurement and a field come from.</summary>
    internal static string Join(string measurement, string field) => field == OnlyField && !measurement.Contains('_', StringComparison.Ordinal) ? measurement : $"{measurement}_{field}";

    /// <summary>Writes a row's lines; returns its samples.</summary>
    internal int Write(long unixMs, ReadOnlySpan<double> values, ReadOnlySpan<ulong> present, IBufferWriter<byte> output)
    {
        int samples = 0;
        foreach (Line line in _lines)
        {
            int fields = 0;
            foreach ((int column, byte[] name) in line.Fields)
            {
                if ((present[column >> 6] & (1UL << (column & 63))) != 0)
                {
                    output.Write(fields++ == 0 ? line.Head : ","u8);
                    output.Write(name);
                    WriteNumber(values[column], output);
                }
            }

            if (fields > 0)
            {
                WriteEnd(unixMs, output);
                samples += fields;
            }
        }

        return samples;
    }

    /// <summary>Samples in whole lines: fields, which stand between the two spaces that nothing escapes.</summary>
    internal static int CountSamples(ReadOnlySpan<byte> lines)
    {
        int samples = 0;
        int spaces = 0;
        for (int i = 0; i < lines.Length; i++)
        {
            switch (lines[i])
            {
                case (byte)'\\':
                    i++;
                    break;
                case (byte)' ':
                    samples += ++spaces == 1 ? 1 : 0;
                    break;
                case (byte)',' when spaces == 1:
                    samples++;
                    break;
                case (byte)'\n':
                    spaces = 0;
                    break;
            }
        }

        return samples;
    }

    private static void WriteNumber(double value, IBufferWriter<byte> output)
    {
        // The shortest text that reads back to the same bits; a whole number needs a point nowhere, as "1" is a float in line protocol.
        value.TryFormat(output.GetSpan(32), out int written, provider: System.Globalization.CultureInfo.InvariantCulture);
        output.Advance(written);
    }

    private static void WriteEnd(long unixMs, IBufferWriter<byte> output)
    {
        Span<byte> span = output.GetSpan(32);
        span[0] = (byte)' ';
        unixMs.TryFormat(span[1..], out int written, provider: System.Globalization.CultureInfo.InvariantCulture);
        span[written + 1] = (byte)'\n';
        output.Advance(written + 2);
    }

    private static string Head(string measurement, string node, SeriesDefinition definition)
    {
        StringBuilder head = new(Escape(measurement, isMeasurement: true));
        foreach (Label label in definition.Labels.Where(label => label.Name != SeriesInfo.NodeLabel).Append(new Label(SeriesInfo.NodeLabel, node))
            .OrderBy(label => label.Name, StringComparer.Ordinal))
        {
            // An empty value is no value in line protocol, and in the store an absent label.
            if (label.Value.Length > 0)
            {
                head.Append(',').Append(Escape(label.Name, isMeasurement: false)).Append('=').Append(Escape(label.Value, isMeasurement: false));
            }
        }

        return head.ToString();
    }

    // Line protocol cannot carry a line break. A backslash in front of what is escaped, of another one or of the end is read differently by
    // InfluxDB and VictoriaMetrics, so there it becomes a slash; anywhere else it stays.
    private static string Escape(string text, bool isMeasurement)
    {
        StringBuilder escaped = new(text.Length);
        for (int i = 0; i < text.Length; i++)
        {
            char c = text[i];
            switch (c)
            {
                case '\n' or '\r':
                    escaped.Append("\\ ");
                    break;
                case '\\' when i + 1 == text.Length || text[i + 1] is '\\' or ',' or ' ' or '=' or '\n' or '\r':
                    escaped.Append('/');
                    break;
                case ',' or ' ':
                    escaped.Append('\\').Append(c);
                    break;
                case '=' when !isMeasurement:
                    escaped.Append("\\=");
                    break;
                default:
                    escaped.Append(c);
                    break;
            }
        }

        return escaped.ToString();
    }

    private sealed record Line(byte[] Head, (int Column, byte[] Name)[] Fields);
}
