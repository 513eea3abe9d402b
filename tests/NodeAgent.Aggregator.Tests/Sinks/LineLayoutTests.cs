using System.Buffers;
using System.Text;
using NodeAgent.Aggregator.Sinks;
using NodeAgent.Contracts.Metrics;
using NodeAgent.Contracts.Series;

namespace NodeAgent.Aggregator.Tests.Sinks;

/// <summary>Rows as line protocol, compared as text and read back by another reader.</summary>
public sealed class LineLayoutTests
{
    [Fact]
    public void Row_OfSeveralMetrics_SharesLinesByLabelsAndFirstWord()
    {
        LineLayout layout = new("n 1", [Gauge("gpu_power_watts", ("gpu", "0")), Gauge("gpu_temperature_celsius", ("gpu", "0")), Gauge("gpu_power_watts", ("gpu", "1")), Gauge("up")]);
        Assert.Equal(
            "gpu,gpu=0,node=n\\ 1 power_watts=301.5,temperature_celsius=64 1700000000123\n"
            + "gpu,gpu=1,node=n\\ 1 power_watts=0.1 1700000000123\n"
            + "up,node=n\\ 1 value=1 1700000000123\n",
            Text(layout, [301.5, 64, 0.1, 1], 0b1111, out int samples));
        Assert.Equal(4, samples);
    }

    [Fact]
    public void Row_WithoutSomeValues_LeavesThemOut()
    {
        LineLayout layout = new("n1", [Gauge("a_b"), Gauge("a_c"), Gauge("d_e")]);
        Assert.Equal("a,node=n1 c=2 1700000000123\n", Text(layout, [1, 2, 3], 0b010, out int samples));
        Assert.Equal(1, samples);
        Assert.Equal("", Text(layout, [1, 2, 3], 0, out samples));
        Assert.Equal(0, samples);
    }

    [Theory]
    [InlineData("node_load1", "node", "load1")]
    [InlineData("up", "up", "value")]
    [InlineData("_x", "_x", "value")]
    [InlineData("x_", "x_", "value")]
    [InlineData("a__b", "a", "_b")]
    public void Metric_SplitAndJoined_IsItself(string metric, string measurement, string field)
    {
        Assert.Equal((measurement, field), LineLayout.Split(metric));
        if (field != "value")
        {
            Assert.Equal(metric, LineLayout.Join(measurement, field));
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Rows_OfAnyLabelsAndValues_ReadBackTheSame(int seed)
    {
        Random random = new(seed);
        for (int round = 0; round < 300; round++)
        {
            SeriesDefinition[] definitions = [.. Enumerable.Range(0, random.Next(1, 8)).Select(i => Gauge($"m{random.Next(3)}_f{i}", [.. Labels(random)]))];
            double[] values = [.. definitions.Select(_ => Value(random))];
            List<LinePoint> points = LinePoint.Parse(Bytes(new LineLayout("n=1,a b", definitions), values, ulong.MaxValue, out int samples));
            Assert.Equal(definitions.Length, samples);
            Assert.Equal(samples, points.Count);
            Assert.Equal(samples, LineLayout.CountSamples(Bytes(new LineLayout("n=1,a b", definitions), values, ulong.MaxValue, out _)));
            for (int i = 0; i < definitions.Length; i++)
            {
                (string measurement, string field) = LineLayout.Split(definitions[i].Metric);
                string tags = string.Join(',', definitions[i].Labels.Append(new Label("node", "n=1,a b")).Where(label => label.Value.Length > 0)
                    .OrderBy(label => label.Name, StringComparer.Ordinal).Select(label => $"{label.Name}={Carried(label.Value)}"));
                LinePoint point = Assert.Single(points, point => point.Measurement == measurement && point.Field == field && point.Tags == tags);
                Assert.Equal(BitConverter.DoubleToInt64Bits(values[i]), BitConverter.DoubleToInt64Bits(point.Value));
            }
        }
    }

    // What line protocol cannot carry: line breaks, and backslashes that may be taken for escapes.
    private static string Carried(string value) => string.Concat(value.Select((c, i) =>
        c is '\n' or '\r' ? ' '
        : c == '\\' && (i == value.Length - 1 || "\\,= \n\r".Contains(value[i + 1], StringComparison.Ordinal)) ? '/'
        : c));

    private static IEnumerable<(string, string)> Labels(Random random)
    {
        const string Alphabet = "ab=, \\\"'\néあ";
        for (int i = random.Next(4); i > 0; i--)
        {
            string text = new([.. Enumerable.Range(0, random.Next(6)).Select(_ => Alphabet[random.Next(Alphabet.Length)])]);
            yield return ($"l{i}", text);
        }
    }

    private static double Value(Random random) => random.Next(4) switch
    {
        0 => random.Next(1000),
        1 => random.Next(100_000) / 1000.0,
        2 => random.NextDouble() * Math.Pow(10, random.Next(-300, 300)),
        _ => -random.NextInt64(),
    };

    private static SeriesDefinition Gauge(string metric, params (string Name, string Value)[] labels) =>
        new(metric, MetricKind.Gauge, Unit.None, 0, labels.Select(label => new Label(label.Name, label.Value)));

    private static string Text(LineLayout layout, double[] values, ulong present, out int samples) => Encoding.UTF8.GetString(Bytes(layout, values, present, out samples));

    private static ReadOnlySpan<byte> Bytes(LineLayout layout, double[] values, ulong present, out int samples)
    {
        ArrayBufferWriter<byte> output = new();
        samples = layout.Write(1_700_000_000_123, values, [present], output);
        return output.WrittenSpan;
    }
}
