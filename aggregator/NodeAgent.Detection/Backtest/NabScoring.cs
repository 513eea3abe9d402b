namespace NodeAgent.Detection.Backtest;

/// <summary>What a false alarm and a missed window cost, against 1 for a window found at its left edge.</summary>
/// <param name="Name">standard, low_fp or low_fn.</param>
/// <param name="FalseAlarm">For one well away from any window.</param>
/// <param name="Miss">For one window.</param>
public sealed record NabProfile(string Name, double FalseAlarm, double Miss)
{
    /// <summary>The three of the benchmark (numenta/NAB, config/profiles.json).</summary>
    public static IReadOnlyList<NabProfile> All { get; } = [new("standard", 0.11, 1), new("low_fp", 0.22, 1), new("low_fn", 0.11, 2)];
}

/// <summary>A series with the scores a detector gave its rows.</summary>
public readonly record struct NabRun(NabFile File, float[] Scores);

/// <summary>A threshold and what it scores: 100 finds every window at once without a false alarm, 0 does nothing.</summary>
public readonly record struct NabOutcome(double Threshold, double Score, int WindowsFound, int FalseAlarms);

/// <summary>
/// The scoring of the Numenta Anomaly Benchmark, written from its description (Lavin and Ahmad, ICMLA 2015) and checked against its
/// published behaviour: per window the earliest alarm counts, by a sigmoid of its place in the window; alarms outside cost by a sigmoid of
/// their distance behind the window before them. One threshold for the whole set.
/// </summary>
public static class NabScoring
{
    /// <summary>The best threshold for a set of series, and its score. It saw the labels: say "in sample" beside it.</summary>
    public static NabOutcome Optimum(IReadOnlyCollection<NabRun> runs, NabProfile profile)
    {
        NabOutcome best = new(double.PositiveInfinity, double.NegativeInfinity, 0, 0);
        foreach (NabOutcome outcome in Sweep(runs, profile))
        {
            best = outcome.Score > best.Score ? outcome : best;
        }

        return best;
    }

    /// <summary>
    /// A threshold to carry to series not seen: the optimum of the curve after smoothing over <paramref name="spread"/> of a decade.
    /// The raw curve's maximum sits on whichever lucky alarm the set happens to have.
    /// </summary>
    public static double CarriedThreshold(IReadOnlyCollection<NabRun> runs, NabProfile profile, double spread = 0.075)
    {
        const int StepsPerDecade = 40;
        const int Decades = 4;
        NabOutcome[] curve = [.. Enumerable.Range(0, (StepsPerDecade * Decades) + 1).Select(step => At(runs, profile, Math.Pow(10, -3 + ((double)step / StepsPerDecade))))];
        int best = 0;
        double bestScore = double.NegativeInfinity;
        for (int at = 0; at < curve.Length; at++)
        {
            double sum = 0, weights = 0;
            for (int other = 0; other < curve.Length; other++)
            {
                double apart = (other - at) / (spread * StepsPerDecade);
                double weight = Math.Exp(-0.5 * apart * apart);
                sum += weight * curve[other].Score;
                weights += weight;
            }

            if (sum / weights > bestScore)
            {
                (best, bestScore) = (at, sum / weights);
            }
        }

        return curve[best].Threshold;
    }

    /// <summary>The score at one threshold.</summary>
    public static NabOutcome At(IReadOnlyCollection<NabRun> runs, NabProfile profile, double threshold)
    {
        double raw = 0;
        int windows = 0, found = 0, falseAlarms = 0;
        foreach (NabRun run in runs)
        {
            double[] weights = Weights(run.File);
            windows += run.File.Windows.Length;
            for (int row = run.File.ProbationEnd; row < run.Scores.Length; row++)
            {
                if (run.Scores[row] >= threshold && WindowOf(run.File, row) < 0)
                {
                    raw += profile.FalseAlarm * weights[row];
                    falseAlarms++;
                }
            }

            foreach ((int first, int last) in run.File.Windows)
            {
                double best = -profile.Miss;
                for (int row = Math.Max(first, run.File.ProbationEnd); row <= last && row < run.Scores.Length; row++)
                {
                    best = run.Scores[row] >= threshold ? Math.Max(best, weights[row]) : best;
                }

                raw += best;
                found += best > -profile.Miss ? 1 : 0;
            }
        }

        return new NabOutcome(threshold, Normalised(raw, windows, profile), found, falseAlarms);
    }

    /// <summary>Every threshold that changes anything, from the highest down.</summary>
    public static IEnumerable<NabOutcome> Sweep(IReadOnlyCollection<NabRun> runs, NabProfile profile)
    {
        var points = new List<(float Score, double Weight, int Window)>();
        int windows = 0;
        foreach (NabRun run in runs)
        {
            double[] weights = Weights(run.File);
            for (int row = run.File.ProbationEnd; row < run.Scores.Length; row++)
            {
                if (run.Scores[row] > 0)
                {
                    int window = WindowOf(run.File, row);
                    points.Add((run.Scores[row], weights[row], window < 0 ? -1 : windows + window));
                }
            }

            windows += run.File.Windows.Length;
        }

        points.Sort((left, right) => right.Score.CompareTo(left.Score));
        double[] found = new double[windows];
        Array.Fill(found, -profile.Miss);
        double raw = -profile.Miss * windows;
        int hits = 0, falseAlarms = 0;
        for (int at = 0; at < points.Count; at++)
        {
            (float score, double weight, int window) = points[at];
            if (window < 0)
            {
                raw += profile.FalseAlarm * weight;
                falseAlarms++;
            }
            else if (weight > found[window])
            {
                hits += found[window] == -profile.Miss ? 1 : 0;
                raw += weight - found[window];
                found[window] = weight;
            }

            if (at + 1 == points.Count || points[at + 1].Score != score)
            {
                yield return new NabOutcome(score, Normalised(raw, windows, profile), hits, falseAlarms);
            }
        }
    }

    /// <summary>Per row: what an alarm there is worth (in a window) or costs before the profile's weight (outside).</summary>
    public static double[] Weights(NabFile file)
    {
        double[] weights = new double[file.Values.Length];
        (int First, int Last)? before = null;
        int next = 0;
        for (int row = 0; row < weights.Length; row++)
        {
            if (next < file.Windows.Length && row > file.Windows[next].Last)
            {
                before = file.Windows[next++];
            }

            (int first, int last) = next < file.Windows.Length ? file.Windows[next] : (int.MaxValue, int.MaxValue);
            weights[row] = row >= first ? Sigmoid(-(last - row + 1) / (last - first + 1.0)) / Sigmoid(-1)
                : before is { } past ? Sigmoid((row - past.Last) / (double)(past.Last - past.First))
                : -1;
        }

        return weights;
    }

    private static double Normalised(double raw, int windows, NabProfile profile) =>
        windows == 0 ? 0 : 100 * (raw + (profile.Miss * windows)) / (windows * (1 + profile.Miss));

    // -1: the left edge of a window, 0: its right edge, above: behind it, in widths of the window. NAB cuts at 3.
    private static double Sigmoid(double place) => place >= 3 ? -1 : (2 / (1 + Math.Exp(5 * place))) - 1;

    private static int WindowOf(NabFile file, int row)
    {
        for (int window = 0; window < file.Windows.Length; window++)
        {
            if (row >= file.Windows[window].First && row <= file.Windows[window].Last)
            {
                return window;
            }
        }

        return -1;
    }
}
