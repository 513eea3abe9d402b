namespace NodeAgent.Detection.Lanes;

/// <summary>
/// Turns any score into "expected once per N samples", from the score's own past: the 98th percentile is followed, and what lies beyond it is
/// taken as exponential with a followed mean (peaks over threshold with shape 0: Siffer et al., KDD 2017, without the shape, which 8 bytes
/// cannot learn). This is what makes scores of different series comparable, and the false-alarm rate the only knob.
/// </summary>
public sealed class TailColumns
{
    private const float Quantile = 0.98f;
    private const float Rate = 0.01f;
    private const float Beyond = 100; // how many times longer than it has looked a tail may claim to see; an exponential fit would claim any number

    private readonly float[] _thresholds;
    private readonly float[] _excesses;

    /// <param name="capacity">How many series.</param>
    public TailColumns(int capacity) => (_thresholds, _excesses) = (new float[capacity], new float[capacity]);

    /// <summary>Bytes a series takes.</summary>
    public const int BytesPerSeries = 2 * sizeof(float);

    /// <summary>One such score, or a higher one, in how many samples; 1 for an everyday one. Then learns from it.</summary>
    /// <param name="series">Its row.</param>
    /// <param name="score">Not negative.</param>
    /// <param name="seen">Samples so far: who has looked for an hour cannot say "once a year".</param>
    public float OnceIn(int series, float score, int seen)
    {
        ref float threshold = ref _thresholds[series];
        ref float excess = ref _excesses[series];
        if (threshold == 0 && excess == 0)
        {
            (threshold, excess) = (score, (0.25f * score) + 1e-6f);
            return 1;
        }

        float over = score - threshold;
        float rarity = over <= 0 ? 1 : MathF.Min(MathF.Exp(MathF.Min(over / excess, 30)) / (1 - Quantile), Beyond * seen);

        // The step is in units of the tail, so that it neither stalls on large scores nor jumps on small ones; a single outlier moves both a little only.
        float stepSize = Rate * excess;
        threshold = MathF.Max(threshold + (over > 0 ? stepSize * Quantile * 5 : -stepSize * (1 - Quantile) * 5), 0);
        if (over > 0)
        {
            excess += (MathF.Min(over, 10 * excess) - excess) * (5 * Rate);
            excess = MathF.Max(excess, 1e-6f);
        }

        return rarity;
    }

    internal void Expect(int series)
    {
        CacheHint.Fetch(_thresholds, series, 1);
        CacheHint.Fetch(_excesses, series, 1);
    }

    /// <summary>Forgets a series.</summary>
    public void Clear(int series) => (_thresholds[series], _excesses[series]) = (0, 0);
}
