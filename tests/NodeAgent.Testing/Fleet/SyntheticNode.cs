using NodeAgent.Contracts.Metrics;
using NodeAgent.Contracts.Series;

namespace NodeAgent.Testing.Fleet;

/// <summary>One synthetic node: two schemas (host and gpu), and their values second by second.</summary>
public sealed class SyntheticNode
{
    public const int Gpus = 8;
    public const int HostSeries = 66;
    public const int SeriesPerGpu = 42;

    private static readonly (SyntheticKind Kind, int Count)[] HostMix =
    [
        (SyntheticKind.Constant, 21), (SyntheticKind.IntegerGauge, 15), (SyntheticKind.NoisyCounter, 16), (SyntheticKind.RareCounter, 4),
        (SyntheticKind.DecimalGauge, 4), (SyntheticKind.DecimalCounter, 6),
    ];

    private static readonly (SyntheticKind Kind, int Count)[] GpuMix =
    [
        (SyntheticKind.Constant, 15), (SyntheticKind.IntegerGauge, 10), (SyntheticKind.NoisyCounter, 6), (SyntheticKind.RareCounter, 4),
        (SyntheticKind.SixDecimals, 4), (SyntheticKind.FullDouble, 2), (SyntheticKind.DecimalGauge, 1),
    ];

    private readonly Workload _workload;
    private readonly Column[] _host;
    private readonly Column[] _gpu;
    private readonly double[] _hostValues;
    private readonly double[] _gpuValues;
    private readonly double[] _loads = new double[Gpus];
    private readonly int _phaseMs;
    private readonly bool _jitters;
    private SyntheticRandom _random;
    private long _second = -1;
    private int _jitterMs;

    internal SyntheticNode(int index, int seed)
    {
        _random = new SyntheticRandom(((ulong)(uint)seed << 32) | (uint)index);
        Name = $"node-{index:D5}";
        _phaseMs = _random.Below(1_000);
        _jitters = _random.Below(5) == 0;
        _workload = (Workload)(_random.Below(10) switch { < 7 => 0, < 9 => 1, _ => 2 });
        _host = MakeColumns(HostMix, "host", null);
        _gpu = [.. Enumerable.Range(0, Gpus).SelectMany(gpu => MakeColumns(GpuMix, "gpu", gpu))];
        _hostValues = new double[_host.Length];
        _gpuValues = new double[_gpu.Length];
        Host = [.. _host.Select(column => column.Definition)];
        Gpu = [.. _gpu.Select(column => column.Definition)];
    }

    private enum Workload
    {
        Training = 0,
        Serving = 1,
        Idle = 2,
    }

    public string Name { get; }

    /// <summary>Columns of the schema "host".</summary>
    public IReadOnlyList<SeriesDefinition> Host { get; }

    /// <summary>Columns of the schema "gpu", GPU by GPU.</summary>
    public IReadOnlyList<SeriesDefinition> Gpu { get; }

    /// <summary>Milliseconds from the start of the current second to the node's tick.</summary>
    public int OffsetMs => _phaseMs + _jitterMs;

    /// <summary>Seconds since the node began; -1: before the first <see cref="Next"/>.</summary>
    public long Second => _second;

    /// <summary>Values of the current second, by column; overwritten by the next.</summary>
    public ReadOnlySpan<double> HostValues => _hostValues;

    /// <summary>As <see cref="HostValues"/>.</summary>
    public ReadOnlySpan<double> GpuValues => _gpuValues;

    /// <summary>Goes on by a second.</summary>
    public void Next()
    {
        _second++;
        _jitterMs = _jitters ? _random.Below(3) - 1 : 0;
        double sum = 0;
        for (int gpu = 0; gpu < Gpus; gpu++)
        {
            _loads[gpu] = NextLoad(_loads[gpu]);
            sum += _loads[gpu];
        }

        for (int i = 0; i < _host.Length; i++)
        {
            _hostValues[i] = NextValue(ref _host[i], sum / Gpus);
        }

        for (int i = 0; i < _gpu.Length; i++)
        {
            _gpuValues[i] = NextValue(ref _gpu[i], _loads[i / SeriesPerGpu]);
        }
    }

    private double NextLoad(double load) => _workload switch
    {
        // Steps of a few seconds, and a checkpoint of 20 s about every 10 min.
        Workload.Training => _second % 613 < 20 ? 0.05 : _second % 7 == 0 ? 0.82 : Math.Clamp(0.97 + (0.01 * _random.Noise()), 0, 1),
        Workload.Serving => Math.Clamp((0.95 * load) + (0.05 * 0.5) + (0.04 * _random.Noise()), 0, 1),
        _ => _random.Below(60) == 0 ? 0.02 : 0,
    };

    private double NextValue(ref Column column, double load)
    {
        switch (column.Kind)
        {
            case SyntheticKind.IntegerGauge:
                column.State += column.Pace * ((column.Base + (column.Span * load)) - column.State);
                return Math.Round(column.State + (column.Jitter * _random.Noise()));
            case SyntheticKind.NoisyCounter:
                column.State += Math.Max(0, Math.Round(column.Span * (load + 0.01) * (1 + (0.1 * _random.Noise()))));
                return column.State;
            case SyntheticKind.RareCounter:
                column.State += _random.Below(40_000) == 0 ? 1 : 0;
                return column.State;
            case SyntheticKind.SixDecimals:
                return Math.Round(Math.Clamp(load + (0.02 * _random.Noise()), 0, 1) * 1e6) / 1e6;
            case SyntheticKind.FullDouble:
                return Math.Clamp(load * (0.5 + (0.1 * _random.Unit())), 0, 1);
            case SyntheticKind.DecimalGauge:
                return Math.Round((column.Base + (column.Span * load) + (column.Jitter * _random.Noise())) * 1e3) / 1e3;
            case SyntheticKind.DecimalCounter:
                column.State += Math.Max(0, Math.Round(column.Span * (load + 0.02) * (1 + (0.05 * _random.Noise()))));
                return column.State / 100;
            default:
                return column.Base;
        }
    }

    private Column[] MakeColumns((SyntheticKind Kind, int Count)[] mix, string source, int? gpu)
    {
        List<Column> columns = [];
        foreach ((SyntheticKind kind, int count) in mix)
        {
            for (int i = 0; i < count; i++)
            {
                columns.Add(MakeColumn(kind, i, source, gpu));
            }
        }

        return [.. columns];
    }

    private Column MakeColumn(SyntheticKind kind, int number, string source, int? gpu)
    {
        bool isCounter = kind is SyntheticKind.NoisyCounter or SyntheticKind.RareCounter or SyntheticKind.DecimalCounter;
        string name = $"synthetic_{source}_{Word(kind)}_{number:D2}{(isCounter ? "_total" : "")}";
        Label[] labels = gpu is null ? [] : [new Label("gpu", gpu.Value.ToString(System.Globalization.CultureInfo.InvariantCulture))];
        SeriesDefinition definition = new(name, isCounter ? MetricKind.Counter : MetricKind.Gauge, Unit.None, 0, labels);
        Column column = new(kind, definition);
        switch (kind)
        {
            case SyntheticKind.IntegerGauge:
                // From 20 units (a temperature) over 100 (a utilisation) and 1,500 (a clock) to 60,000 (memory in MiB).
                column.Span = new[] { 40, 20, 100, 100, 1_500, 600, 60_000, 60, 30, 100 }[number % 10];
                column.Base = new[] { 35, 40, 0, 0, 345, 1_200, 4_000, 30, 25, 0 }[number % 10];
                column.Pace = new[] { 0.05, 0.02, 0.6, 0.5, 0.5, 0.05, 0.01, 0.03, 0.02, 0.4 }[number % 10];
                column.Jitter = new[] { 0.2, 0.1, 1.0, 1.5, 3.0, 0.2, 0.5, 0.3, 0.1, 0.8 }[number % 10];
                column.State = column.Base;
                break;
            case SyntheticKind.NoisyCounter:
                column.Span = Math.Pow(10, 3 + (number % 7));
                column.State = _random.Below(1_000_000);
                break;
            case SyntheticKind.DecimalGauge:
                (column.Base, column.Span, column.Jitter) = gpu is null ? (0.5, 64, 0.05) : (70, 600, 4);
                break;
            case SyntheticKind.DecimalCounter:
                (column.Span, column.State) = (100 * (number + 1), _random.Below(10_000_000));
                break;
            default:
                column.Base = _random.Below(1_000);
                break;
        }

        return column;
    }

    private static string Word(SyntheticKind kind) => kind switch
    {
        SyntheticKind.Constant => "constant",
        SyntheticKind.IntegerGauge => "level",
        SyntheticKind.NoisyCounter => "bytes",
        SyntheticKind.RareCounter => "errors",
        SyntheticKind.SixDecimals => "ratio",
        SyntheticKind.FullDouble => "fraction",
        SyntheticKind.DecimalGauge => "watts",
        _ => "seconds",
    };

    /// <summary>A series' behaviour and where it is.</summary>
    private struct Column(SyntheticKind kind, SeriesDefinition definition)
    {
        public SyntheticKind Kind { get; } = kind;

        public SeriesDefinition Definition { get; } = definition;

        public double Base { get; set; }

        public double Span { get; set; }

        public double Pace { get; set; }

        public double Jitter { get; set; }

        public double State { get; set; }
    }
}
