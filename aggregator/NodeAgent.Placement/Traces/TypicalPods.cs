using NodeAgent.Placement.Fleet;
using NodeAgent.Placement.Values;

namespace NodeAgent.Placement.Traces;

/// <summary>The typical pods of the FGD authors' simulator: the most frequent shapes that together are 95 % of all pods.</summary>
public static class TypicalPods
{
    private const double Popularity = 95;

    /// <summary>Most frequent first, in the reference's order, with the reference's rounding.</summary>
    public static MixEntry[] Of(IEnumerable<TracePod> pods, FleetCatalog catalog)
    {
        var counts = new Dictionary<(int Cpu, int Milli, int Count, string Models), double>();
        double total = 0;
        foreach (TracePod pod in pods)
        {
            (int, int, int, string) key = (pod.CpuMilli, pod.GpuMilli, pod.GpuCount, pod.Models);
            counts[key] = counts.GetValueOrDefault(key) + 1;
            total++;
        }

        var sorted = counts.OrderByDescending(entry => entry.Value).ThenByDescending(entry => entry.Key.Cpu).ThenByDescending(entry => entry.Key.Milli)
            .ThenByDescending(entry => entry.Key.Count).ThenByDescending(entry => entry.Key.Models, StringComparer.Ordinal).ToList();
        double covered = 0;
        int taken = 0;
        while (covered < Popularity * total / 100 && taken < sorted.Count)
        {
            covered += sorted[taken++].Value;
        }

        return [.. sorted.Take(taken).Select(entry => new MixEntry(
            OpenbTrace.DemandOf(new TracePod(entry.Key.Cpu, 0, entry.Key.Count, entry.Key.Milli, entry.Key.Models), catalog),
            taken == sorted.Count ? entry.Value / total : entry.Value / total / (covered / total)))];
    }
}
