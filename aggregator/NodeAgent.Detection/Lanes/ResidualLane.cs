using System.Runtime.CompilerServices;

namespace NodeAgent.Detection.Lanes;

/// <summary>What was expected, within which scale, and how far off the sample is in those scales.</summary>
/// <param name="Score">Scales off, 0 to the cap; the larger of this sample and the slow view.</param>
/// <param name="Expected">Difference from the series' first value.</param>
/// <param name="Scale">Usual size of a deviation.</param>
/// <param name="Seasonal">The daily profile forecast it, because it has been forecasting better than the level.</param>
/// <param name="Seen">Samples so far.</param>
public readonly record struct Residual(float Score, float Expected, float Scale, bool Seasonal, int Seen);

/// <summary>
/// "Off its forecast now", for many series: two experts, the level and the daily profile plus today's offset; whichever had the smaller
/// error lately speaks. That is how seasonality is found without anybody saying so. Every update is winsorised, or a long fault would become
/// normal.
/// </summary>
public sealed class ResidualLane
{
    private const float ScaleToSigma = 1.25f; // of a normal deviate: 1 / sqrt(2 / pi)

    private readonly ResidualOptions _options;
    private readonly float _slowRate;
    private readonly float _slowGain;
    private readonly Row[] _rows;

    /// <param name="capacity">How many series.</param>
    /// <param name="options">Null: the defaults.</param>
    public ResidualLane(int capacity, ResidualOptions? options = null)
    {
        _options = options ?? new ResidualOptions();
        _rows = new Row[capacity];
        _slowRate = 2 / (_options.SlowSpan + 1);
        _slowGain = 0.7f * MathF.Sqrt((_options.SlowSpan + 1) / 2); // 1 over the deviation of such an average of white noise, less a margin for what is not white
    }

    /// <summary>Bytes a series takes.</summary>
    public static int BytesPerSeries => Unsafe.SizeOf<Row>();

    /// <summary>Judges a sample, then learns from it.</summary>
    /// <param name="series">Its row.</param>
    /// <param name="value">Difference from the series' first value.</param>
    /// <param name="daily">What this time of day usually brings; NaN: not known.</param>
    public Residual Update(int series, float value, float daily)
    {
        ref Row row = ref _rows[series];
        if (row.Seen == 0)
        {
            row = new Row { Level = value, High = value, Low = value, Seen = 1 };
            return default;
        }

        row.High = MathF.Max(row.High, value);
        row.Low = MathF.Min(row.Low, value);
        row.Seen++;
        float young = 1f / row.Seen;
        float floor = (_options.Floor * (row.High - row.Low)) + float.Epsilon;
        float scaleRate = MathF.Max(_options.ScaleRate, young);
        float errorRate = MathF.Max(_options.ErrorRate, young);

        float expected = row.Level;
        float error = value - row.Level;
        float scale = (row.LevelScale * ScaleToSigma) + floor;
        row.LevelSlow += (error - row.LevelSlow) * _slowRate;
        float score = MathF.Max(MathF.Abs(error), MathF.Abs(row.LevelSlow) * _slowGain) / scale;
        float taken = Math.Clamp(error, -_options.Winsor * scale, _options.Winsor * scale);
        row.Level += taken * MathF.Max(_options.LevelRate, young);
        row.LevelScale += (MathF.Abs(taken) - row.LevelScale) * scaleRate;
        row.LevelError += (MathF.Abs(taken) - row.LevelError) * errorRate;

        bool seasonal = false;
        if (!float.IsNaN(daily))
        {
            float forecast = daily + row.Offset;
            float off = value - forecast;
            float width = (row.DailyScale * ScaleToSigma) + floor;
            seasonal = row.DailyError > 0 && row.DailyError < _options.ProfileAdvantage * row.LevelError;
            row.DailySlow += (off - row.DailySlow) * _slowRate;
            if (seasonal)
            {
                (expected, scale) = (forecast, width);
                score = MathF.Max(MathF.Abs(off), MathF.Abs(row.DailySlow) * _slowGain) / width;
            }

            float learned = row.DailyError > 0 ? Math.Clamp(off, -_options.Winsor * width, _options.Winsor * width) : off;
            row.Offset += learned * _options.OffsetRate;
            row.DailyScale += (MathF.Abs(learned) - row.DailyScale) * (row.DailyError > 0 ? scaleRate : 1);
            row.DailyError += (MathF.Abs(learned) - row.DailyError) * (row.DailyError > 0 ? errorRate : 1);
        }

        return row.Seen <= _options.WarmUp ? default : new Residual(MathF.Min(score, _options.Cap), expected, scale, seasonal, row.Seen);
    }

    internal void Expect(int series) => CacheHint.Fetch(_rows, series, 1);

    /// <summary>Forgets a series, so that its row can serve another.</summary>
    public void Clear(int series) => _rows[series] = default;

    private struct Row
    {
        public int Seen;
        public float Level;
        public float LevelScale;
        public float LevelSlow;
        public float LevelError;
        public float Offset;
        public float DailyScale;
        public float DailySlow;
        public float DailyError;
        public float High;
        public float Low;
    }
}
