using NodeAgent.Detection.Backtest;
using NodeAgent.Detection.Lanes;
using NodeAgent.Placement.Values;

namespace NodeAgent.Benchmarks.Detection;

/// <summary>Options chosen on some series only, from a wide prior that does not know the defaults: a third at random, then changes of the best.</summary>
internal sealed class NabSearch(NabFile[] files, ulong seed)
{
    private static readonly (double Low, double High, bool Ratio)[] Ranges =
    [
        (50, 400, true), (2000, 40_000, true), (0, 1.5, false), (24, 150, true), (0, 2.5, false), (1, 4, true), (1, 12, true), (0, 1.2, false), (0, 1.2, false),
        (0, 1.2, false), (0, 1.2, false), (0.3, 4, true), (20, 200, true), (0, 0.08, false), (0.1, 1, false), (0.1, 1, false), (100, 600, true),
    ];

    private SplitMix _random = new(seed);

    /// <summary>Both halves of one split, each as the one that is searched.</summary>
    internal IEnumerable<(NabFile[] Train, NabFile[] Test)> Halves()
    {
        NabFile[] order = [.. files.Select(file => (file, key: _random.NextDouble())).OrderBy(pair => pair.key).Select(pair => pair.file)];
        NabFile[] first = order[..(order.Length / 2)];
        NabFile[] second = order[(order.Length / 2)..];
        return [(first, second), (second, first)];
    }

    /// <summary>The mean of the best few, which is more likely to lie on a plateau than the best one.</summary>
    internal NoveltyOptions Best(NabFile[] train, int tries)
    {
        const int Kept = 6;
        var best = new List<(double[] Genes, double Score)>();
        for (int attempt = 0; attempt < tries; attempt++)
        {
            double[] genes = attempt < tries / 3 ? [.. Ranges.Select(_ => _random.NextDouble())] : Changed(best[_random.Next(best.Count)].Genes);
            NabRun[] runs = [.. train.Select(file => new NabRun(file, NabBench.Scores(file, Options(genes))))];
            double threshold = NabScoring.CarriedThreshold(runs, NabProfile.All[0]);
            best.Add((genes, NabProfile.All.Average(profile => NabScoring.At(runs, profile, threshold).Score)));
            best = [.. best.OrderByDescending(one => one.Score).Take(Kept)];
        }

        return Options([.. Enumerable.Range(0, Ranges.Length).Select(gene => best.Average(one => one.Genes[gene]))]);
    }

    private double[] Changed(double[] genes)
    {
        double[] changed = [.. genes];
        for (int change = 0; change < 3; change++)
        {
            int gene = _random.Next(changed.Length);
            changed[gene] = Math.Clamp(changed[gene] + (0.4 * (_random.NextDouble() - 0.5)), 0, 1);
        }

        return changed;
    }

    private static NoveltyOptions Options(double[] genes)
    {
        float[] values = [.. genes.Select((gene, at) => (float)(Ranges[at].Ratio ? Ranges[at].Low * Math.Pow(Ranges[at].High / Ranges[at].Low, gene) : Ranges[at].Low + ((Ranges[at].High - Ranges[at].Low) * gene)))];
        return new NoveltyOptions
        {
            WarmUp = (int)values[0], HalfLife = values[1], HalfLifeShare = values[2], LongestSpan = values[3], SpanTilt = values[4],
            ShortestResidualSpan = values[5], ShortestSurpriseSpan = values[6], DailyWeight = values[7], WeeklyWeight = values[8], StepWeight = values[9],
            HourWeight = values[10], Smoothing = values[11], Rest = values[12], RestShare = values[13], DailyRate = values[14], WeeklyRate = values[15], ResidualWarmUp = (int)values[16],
        };
    }
}
