namespace NodeAgent.Detection.Peers;

/// <summary>What a member's distance from its peers says.</summary>
/// <param name="Member">Its index.</param>
/// <param name="Off">Its distance now, relative to its peers and less its own usual distance, as a share of the peers' level.</param>
/// <param name="Score">That distance in the group's own noise.</param>
/// <param name="SinceSamples">For how many samples it has held.</param>
public readonly record struct PeerVerdict(int Member, double Off, double Score, int SinceSamples);

/// <summary>
/// The straggler among those that do the same work: same job, same pipeline stage, one metric. A double difference: a member against the
/// median of its peers now, less what that difference usually is (silicon differs), in units of how much such differences move. Phases and
/// pauses of the whole job cancel; a member's own history alone is never asked, because it would alarm on every phase.
/// Work per sample is O(n log n) for the median of n members; state is 40 bytes a member.
/// </summary>
public sealed class PeerGroup
{
    private readonly PeerOptions _options;
    private readonly Member[] _members;
    private readonly double[] _sorted;
    private double _noise;
    private double _level;
    private int _seen;

    /// <param name="members">How many do the same work; below 3 nobody can be told apart and nothing is ever said.</param>
    /// <param name="options">Null: the defaults.</param>
    public PeerGroup(int members, PeerOptions? options = null)
    {
        _options = options ?? new PeerOptions();
        _members = new Member[members];
        _sorted = new double[members];
    }

    /// <summary>Takes one value of each member, of the same instant; NaN for one that is not there now.</summary>
    /// <param name="values">One a member.</param>
    /// <param name="worst">Receives the member farthest off; meaningful where the result is true.</param>
    /// <returns>True: somebody is off, and has been for as long as the options ask.</returns>
    public bool Update(ReadOnlySpan<double> values, out PeerVerdict worst)
    {
        worst = new PeerVerdict(-1, 0, 0, 0);
        double middle = Middle(values);
        if (double.IsNaN(middle))
        {
            return false;
        }

        // In a pause of the whole group there is no work to be slow at, and dividing by next to nothing makes anybody look it.
        _level += (Math.Abs(middle) - _level) * (_seen == 0 ? 1 : Math.Abs(middle) > _level ? 0.1 : 0.002);
        if (Math.Abs(middle) < _options.PauseBelow * _level)
        {
            return false;
        }

        _seen++;
        double scale = Math.Max(Math.Abs(middle), 1e-9);
        bool learning = _seen <= _options.WarmUp;
        double off = 0;
        int count = 0;
        for (int at = 0; at < values.Length; at++)
        {
            if (double.IsNaN(values[at]))
            {
                continue;
            }

            ref Member member = ref _members[at];
            double relative = (values[at] - middle) / scale;
            member.Smooth += (relative - member.Smooth) * Math.Max(_options.SmoothRate, 1.0 / _seen);
            double beyond = member.Smooth - member.Usual;
            double score = Score(ref member, beyond, learning);
            if (learning)
            {
                member.Usual += (relative - member.Usual) / _seen;
            }
            else if (score < _options.Threshold / 2)
            {
                // A slow drift of the whole fleet's silicon is followed; a straggler is not taught to be usual.
                member.Usual += (relative - member.Usual) * Math.Max(_options.UsualRate, 1.0 / _seen);
            }

            _sorted[count++] = Math.Abs(beyond);
            if (member.Held >= _options.Persistence && score > worst.Score)
            {
                worst = new PeerVerdict(at, beyond, score, member.Held);
            }

            off = Math.Max(off, score);
        }

        Array.Sort(_sorted, 0, count);
        double typical = 1.4826 * _sorted[count / 2];
        _noise += (typical - _noise) * Math.Max(_options.NoiseRate, 1.0 / _seen);
        return worst.Member >= 0;
    }

    // Both the distance now and its cumulative excess (CUSUM): a small slowdown is only visible in sum.
    private double Score(ref Member member, double beyond, bool learning)
    {
        double noise = Math.Max(_noise, _options.LeastNoise);
        double z = beyond * _options.Direction / noise;
        member.Excess = learning ? 0 : Math.Clamp(member.Excess + ((z - _options.Drift) * _options.SmoothRate), 0, 4 * _options.Threshold);
        double score = Math.Max(z, member.Excess);
        bool held = !learning && score >= _options.Threshold && beyond * _options.Direction >= _options.LeastShare;
        member.Held = held ? member.Held + 1 : 0;
        return score;
    }

    private double Middle(ReadOnlySpan<double> values)
    {
        int count = 0;
        foreach (double value in values)
        {
            if (!double.IsNaN(value))
            {
                _sorted[count++] = value;
            }
        }

        if (count < 3)
        {
            return double.NaN;
        }

        Array.Sort(_sorted, 0, count);
        return count % 2 == 1 ? _sorted[count / 2] : (_sorted[count / 2] + _sorted[(count / 2) - 1]) / 2;
    }

    private struct Member
    {
        public double Smooth;
        public double Usual;
        public double Excess;
        public int Held;
    }
}
