using NodeAgent.Placement.Requests;

namespace NodeAgent.Placement.Values;

/// <summary>
/// The workload mix learned from arrivals, with a prior on large shapes: an online model that has not yet seen an eight-GPU job would
/// give its hosts away (measured: first refusals at 45 to 80 % load without the prior). The declared catalogue, where there is one,
/// is the better prior; otherwise <see cref="LargePrior"/>. Old arrivals fade with a half-life in arrivals, so that the mix follows.
/// </summary>
public sealed class OnlineMix
{
    private readonly Dictionary<Demand, double> _counts = [];
    private readonly double _halfLife;
    private double _weight = 1;
    private double _sinceBuilt;
    private double _total;

    /// <param name="prior">Counts believed before the first arrival.</param>
    /// <param name="halfLife">After so many arrivals one counts half.</param>
    public OnlineMix(IEnumerable<(Demand Demand, double Count)> prior, double halfLife = 50_000)
    {
        _halfLife = halfLife;
        foreach ((Demand demand, double count) in prior)
        {
            Add(WorkloadMix.ShapeOf(demand), count);
        }
    }

    /// <summary>The large shapes that every fleet of these hosts should expect a little of: whole hosts, halves, pairs.</summary>
    /// <param name="catalog">The fleet.</param>
    /// <param name="weight">Pseudo-arrivals in all.</param>
    public static IEnumerable<(Demand Demand, double Count)> LargePrior(Fleet.FleetCatalog catalog, double weight)
    {
        Fleet.NodeSpec[] hosts = [.. catalog.Nodes.Where(node => node.GpuCount > 0 && !node.Mig)];
        if (hosts.Length == 0)
        {
            yield break;
        }

        // The usual large host: what large jobs are cut for. The rarest or the weakest would price the wrong CPU.
        int gpus = hosts.Max(host => host.GpuCount);
        int cpu = hosts.Where(host => host.GpuCount == gpus).GroupBy(host => host.CpuMilli).OrderByDescending(group => group.Count()).ThenByDescending(group => group.Key).First().Key;
        yield return (new Demand(cpu / gpus * 2 / 3, 0, 1, 1000), weight);
        for (int count = 2; count <= gpus; count *= 2)
        {
            // As on openb: eight-GPU jobs are 0.5 % of arrivals, and want two thirds or nine tenths of the CPU of their host.
            yield return (new Demand((int)(cpu * (long)count / gpus * 2 / 3), 0, count, 1000), weight * 0.005);
            yield return (new Demand((int)(cpu * (long)count / gpus * 9 / 10), 0, count, 1000), weight * 0.005);
        }
    }

    /// <summary>Something arrived.</summary>
    public void Observe(in Demand demand)
    {
        // Growing the weight of the new is the same as shrinking all the old, without touching them.
        _weight *= Math.Pow(2, 1 / _halfLife);
        Add(WorkloadMix.ShapeOf(demand), _weight);
        _sinceBuilt++;
        if (_weight > 1e12)
        {
            foreach (Demand known in _counts.Keys.ToArray())
            {
                _counts[known] /= _weight;
            }

            (_total, _weight) = (_total / _weight, 1);
        }
    }

    /// <summary>True once enough arrived since <see cref="Build"/> that the mix may differ: a quarter of all, at least 250.</summary>
    public bool Stale => _sinceBuilt >= Math.Clamp(_total / _weight / 4, 250, _halfLife / 4);

    /// <summary>The mix now.</summary>
    public WorkloadMix Build()
    {
        _sinceBuilt = 0;
        return new WorkloadMix(_counts.Select(entry => (entry.Key, entry.Value)));
    }

    private void Add(Demand shape, double count)
    {
        _counts[shape] = _counts.GetValueOrDefault(shape) + count;
        _total += count;
    }
}
