namespace NodeAgent.Detection.Peers;

/// <summary>Something that happened to a node and speaks against it.</summary>
public enum LemonSign
{
    /// <summary>An XID that is the hardware's.</summary>
    Xid = 0,

    /// <summary>A row remapped.</summary>
    RowRemap = 1,

    /// <summary>It was reset, rebooted or drained as a repair.</summary>
    Repair = 2,

    /// <summary>A job failed on it.</summary>
    JobFailure = 3,

    /// <summary>A job asked not to run on it.</summary>
    Exclusion = 4,

    /// <summary>It was the straggler of its group.</summary>
    Straggler = 5,
}

/// <summary>A node that keeps failing.</summary>
/// <param name="Node">Which.</param>
/// <param name="Score">Weighted signs, fading over weeks.</param>
/// <param name="TimesTypical">How many times the fleet's typical score.</param>
/// <param name="Signs">The signs by kind, faded, for the explanation.</param>
public readonly record struct Lemon(string Node, double Score, double TimesTypical, IReadOnlyDictionary<LemonSign, double> Signs);

/// <summary>
/// Lemon nodes over weeks: nodes that always work again after the repair and always fail again. Signals as in Meta's study (Kokolis et al.,
/// HPCA 2025: exclusions by users, XIDs, repairs, single- and multi-node job failures); the weights are ours and are data. Precision first:
/// a node needs several kinds of signs and a multiple of what is typical.
/// </summary>
public sealed class LemonBook
{
    private const double HalfLifeMs = 14 * 86_400_000.0;
    private const int LeastKinds = 2;
    private static readonly double[] Weights = [1, 1, 2, 0.5, 1.5, 0.7];

    private readonly Dictionary<string, Entry> _nodes = new(StringComparer.Ordinal);

    /// <summary>Notes a sign.</summary>
    public void Note(string node, LemonSign sign, long unixMs)
    {
        if (!_nodes.TryGetValue(node, out Entry? entry))
        {
            _nodes.Add(node, entry = new Entry(unixMs));
        }

        entry.Fade(unixMs);
        entry.Signs[(int)sign]++;
    }

    /// <summary>The lemons, worst first.</summary>
    /// <param name="unixMs">Now.</param>
    /// <param name="fleet">Nodes in the fleet, also those nothing was ever noted of.</param>
    /// <param name="times">How many times the typical score makes a lemon.</param>
    public IReadOnlyList<Lemon> Lemons(long unixMs, int fleet, double times = 8)
    {
        var scored = new List<(string Node, double Score, double[] Signs)>();
        foreach ((string node, Entry entry) in _nodes)
        {
            entry.Fade(unixMs);
            scored.Add((node, entry.Signs.Select((count, sign) => Weights[sign] * Math.Min(count, 10)).Sum(), entry.Signs));
        }

        // The mean of the better nine tenths: the lemons themselves must not set what is typical.
        double typical = Math.Max(scored.Select(one => one.Score).Concat(Enumerable.Repeat(0.0, Math.Max(fleet - scored.Count, 0))).Order().Take(Math.Max(fleet * 9 / 10, 1)).DefaultIfEmpty(0).Average(), 0.25);
        return
        [
            .. scored.Where(one => one.Score >= times * typical && one.Signs.Count(count => count > 0.2) >= LeastKinds).OrderByDescending(one => one.Score).ThenBy(one => one.Node, StringComparer.Ordinal)
                .Select(one => new Lemon(one.Node, one.Score, one.Score / typical, one.Signs.Select((count, sign) => (count, sign)).Where(pair => pair.count > 0.2).ToDictionary(pair => (LemonSign)pair.sign, pair => pair.count))),
        ];
    }

    private sealed class Entry(long unixMs)
    {
        private long _at = unixMs;

        internal double[] Signs { get; } = new double[Weights.Length];

        internal void Fade(long unixMs)
        {
            double share = Math.Pow(0.5, Math.Max(unixMs - _at, 0) / HalfLifeMs);
            for (int sign = 0; sign < Signs.Length; sign++)
            {
                Signs[sign] *= share;
            }

            _at = Math.Max(_at, unixMs);
        }
    }
}
