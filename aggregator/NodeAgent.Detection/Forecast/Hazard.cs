namespace NodeAgent.Detection.Forecast;

/// <summary>What may announce a failure.</summary>
public enum Precursor
{
    /// <summary>An XID of the hardware.</summary>
    HardwareXid = 0,

    /// <summary>A burst of corrected errors.</summary>
    CorrectedErrors = 1,

    /// <summary>A row remapped.</summary>
    RowRemap = 2,

    /// <summary>Thermal slowdown.</summary>
    Thermal = 3,

    /// <summary>Link errors or a narrower link.</summary>
    Link = 4,

    /// <summary>It failed before.</summary>
    Failure = 5,
}

/// <summary>
/// How likely a GPU fails within a day, from what happened to it: a base rate times a factor for each kind of precursor, each learned
/// from counts (how often failures followed it within a day, against how often not) with a prior, so that a fleet without history answers
/// with the prior and a fleet with history answers with its own. Meant as a cost for placement and a reason to drain early, not as a verdict.
/// </summary>
public sealed class Hazard
{
    private const long HorizonMs = 86_400_000;
    private const double PriorWeight = 50; // device-days: what a prior is worth against counts
    private static readonly double[] PriorFactors = [60, 8, 20, 3, 10, 30];

    // Llama 3's 54 days: 148 faulty GPUs, 72 HBM and 19 SRAM cases in 16,384 GPUs (the share of GPU-days with a failure).
    private const double PriorBase = (148 + 72 + 19) / (54.0 * 16_384);

    private readonly Dictionary<string, long[]> _lastSigns = new(StringComparer.Ordinal);
    private readonly double[] _exposed = new double[PriorFactors.Length];
    private readonly double[] _failed = new double[PriorFactors.Length];
    private double _days;
    private double _failures;

    /// <summary>Something happened to a GPU.</summary>
    public void Note(string gpu, Precursor sign, long unixMs)
    {
        long[] signs = Signs(gpu);
        if (sign == Precursor.Failure)
        {
            _failures++;
            for (int at = 0; at < signs.Length; at++)
            {
                _failed[at] += Recent(signs[at], unixMs) ? 1 : 0;
            }
        }

        if (!Recent(signs[(int)sign], unixMs))
        {
            _exposed[(int)sign]++;
        }

        signs[(int)sign] = unixMs;
    }

    /// <summary>A day went by with so many GPUs in service; what the counts are held against.</summary>
    public void DayPassed(int gpus) => _days += gpus;

    /// <summary>The chance of a failure within a day, 0 to 1.</summary>
    public double Of(string gpu, long unixMs)
    {
        double prior = PriorBase * PriorWeight * 20;
        double rate = (_failures + prior) / (_days + (PriorWeight * 20));
        double odds = rate / (1 - rate);
        if (_lastSigns.TryGetValue(gpu, out long[]? signs))
        {
            double strongest = 1;
            for (int at = 0; at < signs.Length; at++)
            {
                if (signs[at] > 0)
                {
                    // Signs of one fault come together, so factors are not multiplied: the strongest speaks, fading by the day.
                    double age = Math.Max(unixMs - signs[at], 0) / (double)HorizonMs;
                    strongest = Math.Max(strongest, 1 + ((Factor(at, rate) - 1) * Math.Pow(0.5, age)));
                }
            }

            odds *= strongest;
        }

        return odds / (1 + odds);
    }

    private double Factor(int sign, double rate)
    {
        double expected = PriorFactors[sign] * PriorBase;
        double share = (_failed[sign] + (PriorWeight * expected)) / (_exposed[sign] + PriorWeight);
        return Math.Max(share / rate, 1);
    }

    private long[] Signs(string gpu)
    {
        if (!_lastSigns.TryGetValue(gpu, out long[]? signs))
        {
            _lastSigns.Add(gpu, signs = new long[PriorFactors.Length]);
        }

        return signs;
    }

    private static bool Recent(long then, long unixMs) => then > 0 && unixMs - then <= HorizonMs;
}
