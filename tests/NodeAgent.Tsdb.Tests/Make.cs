using NodeAgent.Contracts.Metrics;
using NodeAgent.Contracts.Series;

namespace NodeAgent.Tsdb.Tests;

/// <summary>Short ways to write series, rows and plans.</summary>
internal static class Make
{
    /// <summary>2026-01-01, far from zero so that windows reach no negative times.</summary>
    public const long Start = 1_767_225_600_000;

    public static SeriesDefinition Gauge(string metric, params (string Name, string Value)[] labels) =>
        new(metric, MetricKind.Gauge, Unit.None, 0, labels.Select(label => new Label(label.Name, label.Value)));

    public static SeriesDefinition Counter(string metric, params (string Name, string Value)[] labels) =>
        new(metric, MetricKind.Counter, Unit.Bytes, 1, labels.Select(label => new Label(label.Name, label.Value)));

    public static MemoryStore Store(int headRows = 16, long retentionMs = 6 * 3_600_000L, long maxBytes = 1L << 30, int quota = 1_000_000) =>
        new(new MemoryStoreOptions
        {
            HeadRows = headRows, RetentionMs = retentionMs, MaxBytes = maxBytes, Quota = new FixedSeriesQuota(quota),
        });

    public static SchemaHandle Schema(this ITimeSeriesStore store, string node, string sampler, params SeriesDefinition[] series)
    {
        RegisterResult result = store.Register(node, sampler, 1_000, series);
        Assert.Equal("", result.Detail);
        return result.Handle!;
    }

    /// <summary>Appends a row; null leaves the column without a value.</summary>
    public static AppendResult Row(this ITimeSeriesStore store, SchemaHandle schema, long unixMs, params double?[] values)
    {
        ulong[] present = new ulong[(values.Length + 63) / 64];
        double[] row = new double[values.Length];
        for (int i = 0; i < values.Length; i++)
        {
            if (values[i] is { } value)
            {
                row[i] = value;
                present[i >> 6] |= 1UL << (i & 63);
            }
        }

        return store.Append(schema, unixMs, row, present);
    }

    public static ulong[] AllPresent(int columns)
    {
        ulong[] present = new ulong[(columns + 63) / 64];
        Array.Fill(present, ulong.MaxValue);
        return present;
    }

    /// <summary>All samples of a series as text: "offset=value ...", offsets in milliseconds from <see cref="Start"/>.</summary>
    public static string Samples(this ITimeSeriesStore store, SeriesInfo series, long from = long.MinValue, long to = long.MaxValue)
    {
        using ISampleReader reader = store.OpenReader();
        using SampleBuffer buffer = new();
        reader.Read(series, from, to, buffer);
        List<string> samples = [];
        for (int i = 0; i < buffer.Count; i++)
        {
            samples.Add($"{buffer.Times[i] - Start}={buffer.Values[i]}");
        }

        return string.Join(' ', samples);
    }
}
