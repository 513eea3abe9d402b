namespace NodeAgent.Placement.Mig;

/// <summary>
/// The future waste of a partitioned device, exactly: with 256 masks and 8 compute counts the whole value table is computed once per mix.
/// W(s) is the expected number of memory slices that stay unused when profiles keep arriving and each takes the start that wastes least:
/// W(s) = slices left if nothing fits, otherwise the mean over arriving profiles that fit of the least W after.
/// </summary>
public sealed class MigValue
{
    private readonly double[] _waste = new double[MigProfile.States];
    private readonly double[] _fragments = new double[MigProfile.States];
    private readonly double[] _shares;

    /// <param name="shares">Share of each of <see cref="MigProfile.All"/> among the arrivals.</param>
    public MigValue(IReadOnlyList<double> shares)
    {
        _shares = [.. shares];

        // Every placement sets bits, so a larger state number never precedes a smaller one.
        for (int state = MigProfile.States - 1; state >= 0; state--)
        {
            _waste[state] = Waste(state);
            _fragments[state] = Fragments(state);
        }
    }

    /// <summary>Expected memory slices wasted from a state.</summary>
    public double WasteOf(int state) => _waste[state];

    /// <summary>
    /// The best start for a profile on a device. False: none fits.
    /// </summary>
    /// <param name="state">Device state.</param>
    /// <param name="profile">What to place.</param>
    /// <param name="fragmentWeight">0 while filling, 1 in steady state.</param>
    /// <param name="start">First memory slice.</param>
    /// <param name="score">Larger is better; comparable between devices.</param>
    public bool TryBest(int state, MigProfile profile, double fragmentWeight, out int start, out double score)
    {
        (start, score) = (-1, double.NegativeInfinity);
        foreach (int candidate in profile.Starts)
        {
            if (!profile.Fits(state, candidate))
            {
                continue;
            }

            int after = state + profile.Bits(candidate);
            double gain = _waste[state] - _waste[after] + (fragmentWeight * (_fragments[state] - _fragments[after]));
            if (gain > score)
            {
                (start, score) = (candidate, gain);
            }
        }

        return start >= 0;
    }

    private double Waste(int state)
    {
        double sum = 0, share = 0;
        for (int index = 0; index < MigProfile.All.Count; index++)
        {
            MigProfile profile = MigProfile.All[index];
            double least = double.PositiveInfinity;
            foreach (int start in profile.Starts)
            {
                if (profile.Fits(state, start))
                {
                    least = Math.Min(least, _waste[state + profile.Bits(start)]);
                }
            }

            if (!double.IsPositiveInfinity(least) && _shares[index] > 0)
            {
                sum += _shares[index] * least;
                share += _shares[index];
            }
        }

        return share > 0 ? sum / share : 8 - MigProfile.Used(state);
    }

    // Free slices that the mean arrival could not use.
    private double Fragments(int state)
    {
        int free = 8 - MigProfile.Used(state);
        double lost = 0;
        for (int index = 0; index < MigProfile.All.Count; index++)
        {
            lost += MigProfile.All[index].Starts.Any(start => MigProfile.All[index].Fits(state, start)) ? 0 : _shares[index] * free;
        }

        return lost;
    }
}

/// <summary>Which start a simple scheduler takes: the first that fits, on the first device (FirstFit) or the fullest (BestFit).</summary>
public static class MigBaseline
{
    /// <summary>The lowest start. −1: none.</summary>
    public static int FirstStart(int state, MigProfile profile)
    {
        foreach (int start in profile.Starts)
        {
            if (profile.Fits(state, start))
            {
                return start;
            }
        }

        return -1;
    }
}
