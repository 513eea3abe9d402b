using NodeAgent.Placement.Fleet;
using NodeAgent.Placement.Requests;

namespace NodeAgent.Placement.Values;

/// <summary>One kind of replica and its share of the arrivals.</summary>
public readonly record struct MixEntry(Demand Demand, double Share);

/// <summary>
/// What is expected to arrive: shares of request shapes, adding up to one. Memory and bandwidth are not part of a shape: they are
/// enforced, not valued. Immutable.
/// </summary>
public sealed class WorkloadMix
{
    /// <exception cref="ArgumentException">No entry with a positive count.</exception>
    public WorkloadMix(IEnumerable<(Demand Demand, double Count)> counts)
    {
        var entries = new Dictionary<Demand, double>();
        foreach ((Demand demand, double count) in counts)
        {
            Demand shape = ShapeOf(demand);
            entries[shape] = entries.GetValueOrDefault(shape) + count;
        }

        double total = entries.Values.Sum();
        if (!(total > 0))
        {
            throw new ArgumentException("a workload mix needs at least one arrival", nameof(counts));
        }

        Entries = [.. entries.Select(entry => new MixEntry(entry.Key, entry.Value / total))
            .OrderByDescending(entry => entry.Share).ThenBy(entry => entry.Demand.CpuMilli).ThenBy(entry => entry.Demand.GpuCount)
            .ThenBy(entry => entry.Demand.GpuMilli).ThenBy(entry => entry.Demand.Models)];
        MeanGpuMilli = Entries.Sum(entry => entry.Share * entry.Demand.TotalGpuMilli);
    }

    /// <summary>Most frequent first.</summary>
    public MixEntry[] Entries { get; }

    /// <summary>GPU thousandths of an average arrival.</summary>
    public double MeanGpuMilli { get; }

    /// <summary>The demand without what is not valued.</summary>
    public static Demand ShapeOf(Demand demand) => demand with { MemoryMiB = 0, NicMbps = 0, GpuMilli = demand.GpuCount == 0 ? 0 : demand.GpuMilli };
}
