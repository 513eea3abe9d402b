namespace NodeAgent.Placement.Policies;

/// <summary>
/// Which policy a fleet should use now. The rule: while a fleet fills (almost nothing leaves), value and price; once departures
/// keep up with arrivals, the blend. Measured on openb: the winner of one regime loses the other.
/// Within the rule's doubt a bandit decides on live regret.
/// </summary>
public sealed class PolicyChooser
{
    // Departures per arrival, smoothed. Below the lower bound the fleet fills, above the upper it churns; in between the last choice stands.
    private const double Filling = 0.25;
    private const double Steady = 0.5;
    private const double Smoothing = 0.002;

    private double _departuresPerArrival;

    /// <summary>What the rule says.</summary>
    public PolicyName Current { get; private set; } = PolicyName.Value;

    /// <summary>Smoothed departures per arrival.</summary>
    public double DeparturesPerArrival => _departuresPerArrival;

    /// <summary>Goes on from where another is.</summary>
    public void StartAs(PolicyChooser other) => (_departuresPerArrival, Current) = (other._departuresPerArrival, other.Current);

    public void Arrived() => Follow(-_departuresPerArrival * Smoothing);

    public void Departed() => Follow(Smoothing);

    private void Follow(double change)
    {
        _departuresPerArrival = Math.Max(0, _departuresPerArrival + change);
        Current = _departuresPerArrival < Filling ? PolicyName.Value : _departuresPerArrival > Steady ? PolicyName.Blend : Current;
    }
}

/// <summary>
/// UCB1 (Auer, Cesa-Bianchi, Fischer 2002) over a handful of policies; the reward of a period is, say, the share of GPU demand that was
/// not refused. Deterministic: ties go to the first arm.
/// </summary>
public sealed class PolicyBandit(int arms)
{
    private readonly double[] _sum = new double[arms];
    private readonly int[] _count = new int[arms];
    private int _rounds;

    /// <summary>Rounds each arm was used.</summary>
    public IReadOnlyList<int> Uses => _count;

    /// <summary>Which policy to use in the next period.</summary>
    public int Next()
    {
        int best = 0;
        double bestBound = double.NegativeInfinity;
        for (int arm = 0; arm < arms; arm++)
        {
            double bound = _count[arm] == 0 ? double.PositiveInfinity : (_sum[arm] / _count[arm]) + Math.Sqrt(2 * Math.Log(_rounds) / _count[arm]);
            if (bound > bestBound)
            {
                (best, bestBound) = (arm, bound);
            }
        }

        return best;
    }

    /// <summary>What a period brought.</summary>
    /// <param name="arm">The policy that was used.</param>
    /// <param name="reward">0 to 1.</param>
    public void Reward(int arm, double reward)
    {
        _sum[arm] += reward;
        _count[arm]++;
        _rounds++;
    }
}
