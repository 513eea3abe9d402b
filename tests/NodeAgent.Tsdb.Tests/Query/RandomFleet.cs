using NodeAgent.Contracts.Series;
using static NodeAgent.Tsdb.Tests.Make;

namespace NodeAgent.Tsdb.Tests.Query;

/// <summary>
/// Random telemetry in a store and in the naive reference at once: gauges and counters of several nodes, with resets, gaps, absent
/// and NaN values, jitter, late rows, duplicates, and a schema that is replaced half-way.
/// </summary>
internal sealed class RandomFleet : IDisposable
{
    public const int Seconds = 300;

    private readonly Random _random;
    private readonly Dictionary<string, double> _counters = [];

    private readonly IRandomFleetStore? _durable;

    /// <param name="seed">Of everything.</param>
    /// <param name="durable">Where the telemetry goes; null: into a memory store of the fleet's own.</param>
    public RandomFleet(int seed, IRandomFleetStore? durable = null)
    {
        _random = new Random(seed);
        _durable = durable;
        _memory = durable is null ? Store(headRows: 8 + _random.Next(40)) : null;
        for (int node = 0; node < 4; node++)
        {
            Fill("node" + node);
        }
    }

    private readonly MemoryStore? _memory;

    public ITimeSeriesStore Store => _memory ?? _durable!.Store;

    public NaiveQuery Naive { get; } = new();

    public void Dispose() => _memory?.Dispose();

    private void Fill(string node)
    {
        List<SeriesDefinition> columns = [];
        for (int gpu = 0; gpu < 3; gpu++)
        {
            columns.Add(Gauge("temperature", ("gpu", gpu.ToString()), ("site", gpu == 2 ? "" : "hall" + (gpu % 2))));
            columns.Add(Counter("bytes_total", ("gpu", gpu.ToString())));
        }

        SchemaHandle schema = Store.Schema(node, "gpu", [.. columns]);
        int replaceAt = _random.Next(50, 250);
        bool silent = false;
        for (int second = 0; second < Seconds; second++)
        {
            if (second == replaceAt)
            {
                columns.Insert(_random.Next(columns.Count), Gauge("fans"));
                if (_random.Next(2) == 0)
                {
                    // A metric whose kind changes under way: tiers made before do not have what the new kind needs.
                    int changed = _random.Next(columns.Count);
                    SeriesDefinition former = columns[changed];
                    Contracts.Metrics.MetricKind kind = former.Kind == Contracts.Metrics.MetricKind.Gauge ? Contracts.Metrics.MetricKind.Counter : Contracts.Metrics.MetricKind.Gauge;
                    columns[changed] = new SeriesDefinition(former.Metric, kind, former.Unit, former.Scale, former.Labels);
                }

                schema = Store.Schema(node, "gpu", [.. columns]);
            }

            silent = _random.Next(silent ? 8 : 60) == 0 ? !silent : silent;
            if (!silent)
            {
                Tick(schema, Start + (second * 1_000L) + _random.Next(0, 20));
            }

            schema = _durable?.AfterTick(schema, columns) ?? schema;
        }
    }

    private void Tick(SchemaHandle schema, long time)
    {
        Write(schema, time);
        switch (_random.Next(20))
        {
            case 0:
                Write(schema, time);
                break;
            case 1:
                Write(schema, time - _random.Next(1, 100_000));
                break;
        }
    }

    private void Write(SchemaHandle schema, long time)
    {
        double?[] row = [.. schema.Series.Select(Value)];
        if (_durable is null)
        {
            Store.Row(schema, time, row);
        }
        else
        {
            _durable.Row(schema, time, row);
        }

        for (int i = 0; i < row.Length; i++)
        {
            if (row[i] is { } value)
            {
                Naive.Add(schema.Series[i], time, value);
            }
        }
    }

    private double? Value(SeriesInfo series)
    {
        if (_random.Next(15) == 0)
        {
            return null;
        }

        if (series.Kind == Contracts.Metrics.MetricKind.Gauge)
        {
            return _random.Next(30) == 0 ? double.NaN : Math.Round(_random.NextDouble() * 100, 1);
        }

        string key = series.ToString();
        double total = _random.Next(50) == 0 ? _random.Next(10) : _counters.GetValueOrDefault(key) + _random.Next(1_000);
        return _counters[key] = total;
    }
}

/// <summary>A store that more happens to than rows.</summary>
internal interface IRandomFleetStore
{
    ITimeSeriesStore Store { get; }

    void Row(SchemaHandle schema, long unixMs, double?[] values);

    /// <summary>Does what it likes to the store; the handle to go on with.</summary>
    SchemaHandle AfterTick(SchemaHandle schema, IReadOnlyList<SeriesDefinition> columns);
}
