using NodeAgent.Contracts.Metrics;

namespace NodeAgent.Sampling.Power;

/// <summary>Names of RAPL zones, told apart as node_exporter does.</summary>
internal static class RaplNames
{
    /// <summary>"package-1" is zone package, index 1; of several called "dram" the first has index 0, the second 1.</summary>
    public static (string Zone, int Index) Split(string name, Dictionary<string, int> used)
    {
        string[] parts = name.Split('-');
        string zone = name;
        int index;
        if (parts.Length == 2 && int.TryParse(parts[1], out int number))
        {
            zone = parts[0];
            index = number;
        }
        else
        {
            index = used.GetValueOrDefault(name);
        }

        used[zone] = index + 1;
        return (zone, index);
    }

    /// <summary>The zone's own metric, or null.</summary>
    public static MetricDefinition? Metric(string zone) => zone switch
    {
        "package" => PowerMetrics.PackageJoulesTotal,
        "core" => PowerMetrics.CoreJoulesTotal,
        "uncore" => PowerMetrics.UncoreJoulesTotal,
        "dram" => PowerMetrics.DramJoulesTotal,
        "psys" => PowerMetrics.PlatformJoulesTotal,
        _ => null,
    };
}
