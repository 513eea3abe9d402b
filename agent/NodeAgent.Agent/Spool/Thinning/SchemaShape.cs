using NodeAgent.Contracts.Metrics;
using NodeAgent.Contracts.Series;
using Wire = NodeAgent.V1;

namespace NodeAgent.Agent.Spool;

/// <summary>
/// A schema as thinning sees it: which columns carry a series' own value, and where its minimum, maximum and average are, if it was thinned
/// before. Series that were added by thinning bear the labels <c>stat</c> and <c>window</c>.
/// </summary>
internal sealed class SchemaShape
{
    internal const string StatLabel = "stat";
    internal const string WindowLabel = "window";

    private SchemaShape(uint id, string sampler, uint intervalMs, SeriesDefinition[] series)
    {
        Id = id;
        Sampler = sampler;
        IntervalMs = intervalMs;
        Series = series;
        OwnColumns = Array.FindIndex(series, IsStat) is >= 0 and int first ? first : series.Length;
    }

    internal uint Id { get; }

    internal string Sampler { get; }

    internal uint IntervalMs { get; }

    internal SeriesDefinition[] Series { get; }

    /// <summary>Columns with values as they were sampled come first; behind them three for each gauge, in its order: min, max, avg.</summary>
    internal int OwnColumns { get; }

    internal bool HasStats => OwnColumns < Series.Length;

    /// <summary>Reads an encoded <c>AgentMessage{schema}</c>. Null: it is none.</summary>
    internal static SchemaShape? TryRead(ReadOnlySpan<byte> message)
    {
        Wire.AgentMessage parsed;
        try
        {
            parsed = Wire.AgentMessage.Parser.ParseFrom(message);
        }
        catch (Google.Protobuf.InvalidProtocolBufferException)
        {
            return null;
        }

        return parsed.Schema is not { } schema ? null : new SchemaShape(
            schema.SchemaId, schema.Sampler, schema.IntervalMs,
            [.. schema.Series.Select(s => new SeriesDefinition(
                s.Metric, (MetricKind)s.Kind, s.Unit, s.Scale, s.Labels.Select(label => new Label(label.Name, label.Value))))]);
    }

    /// <summary>The schema of this one's blocks when they are merged over a window.</summary>
    internal SchemaShape Thinned(uint id, TimeSpan window)
    {
        string name = $"{window.TotalSeconds:0}s";
        List<SeriesDefinition> series = [.. Series.AsSpan(0, OwnColumns)];
        for (int i = 0; i < OwnColumns; i++)
        {
            if (Series[i].Kind == MetricKind.Gauge)
            {
                series.Add(WithStat(Series[i], "min", name, Series[i].Scale));
                series.Add(WithStat(Series[i], "max", name, Series[i].Scale));

                // An average falls between the steps of the scale; one more digit keeps what can be seen of it.
                series.Add(WithStat(Series[i], "avg", name, Series[i].Scale <= uint.MaxValue / 10 ? Series[i].Scale * 10 : Series[i].Scale));
            }
        }

        return new SchemaShape(id, Sampler, (uint)window.TotalMilliseconds, [.. series]);
    }

    internal byte[] Encode()
    {
        Wire.Schema schema = new() { SchemaId = Id, Sampler = Sampler, IntervalMs = IntervalMs };
        foreach (SeriesDefinition definition in Series)
        {
            Wire.SeriesDescriptor descriptor = new()
            {
                Metric = definition.Metric, Kind = (Wire.MetricKind)definition.Kind, Unit = definition.Unit, Scale = definition.Scale,
            };
            descriptor.Labels.AddRange(definition.Labels.Select(label => new Wire.Label { Name = label.Name, Value = label.Value }));
            schema.Series.Add(descriptor);
        }

        return Google.Protobuf.MessageExtensions.ToByteArray(new Wire.AgentMessage { Schema = schema });
    }

    private static bool IsStat(SeriesDefinition series) => series.LabelValue(StatLabel).Length > 0 && series.LabelValue(WindowLabel).Length > 0;

    private static SeriesDefinition WithStat(SeriesDefinition of, string stat, string window, uint scale) =>
        new(of.Metric, of.Kind, of.Unit, scale, [.. of.Labels, new Label(StatLabel, stat), new Label(WindowLabel, window)]);
}
