using NodeAgent.Contracts.Metrics;
using NodeAgent.Contracts.Series;
using NodeAgent.Sampling.Scheduling;

namespace NodeAgent.Benchmarks;

/// <summary>
/// A table of 400 columns that moves like a quiet host's: half rest, a fifth are steady counters, the others noisy counters and
/// levels. Simulated, because the bytes must be the same in every run; the shares are those of this project's own hosts.
/// </summary>
internal sealed class HostLikeFrames
{
    internal const int Columns = 400;

    private readonly Random _random;
    private readonly double[] _values = new double[Columns];

    internal HostLikeFrames(int seed)
    {
        _random = new Random(seed);
        for (int i = 0; i < Columns; i++)
        {
            MetricDefinition metric = (i % 10) < 8
                ? MetricDefinition.Counter($"bench_{i % 20}_total", Unit.None, i % 3 == 0 ? 100u : 1u, "A counter.", "device")
                : MetricDefinition.Gauge($"bench_{i % 20}", Unit.None, i % 20 == 9 ? 0u : 1u, "A level.", "device");
            Table.Add(metric, new Label("device", $"d{i / 20}"));
            _values[i] = i * 1000.0;
        }
    }

    internal SeriesTable Table { get; } = new();

    internal void Tick()
    {
        for (int i = 0; i < Columns; i++)
        {
            _values[i] += (i % 10) switch
            {
                < 5 => 0,
                < 7 => 0.98 + (_random.Next(5) / 100.0),
                7 => _random.Next(2000),
                8 => _random.Next(-50, 50),
                _ => _random.Next(3) - 1,
            };
            Table.Set(i, _values[i]);
        }
    }
}
