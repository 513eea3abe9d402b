using static NodeAgent.Contracts.Metrics.MetricDefinition;

namespace NodeAgent.Contracts.Metrics;

/// <summary>Energy of processors, from RAPL through /sys/class/powercap (Documentation/power/powercap/powercap.rst).</summary>
public static class PowerMetrics
{
    public static readonly MetricDefinition PackageJoulesTotal = Of("node_rapl_package_joules_total", "Energy used by a processor package.");
    public static readonly MetricDefinition CoreJoulesTotal = Of("node_rapl_core_joules_total", "Energy used by the cores of a package.");
    public static readonly MetricDefinition UncoreJoulesTotal = Of("node_rapl_uncore_joules_total", "Energy used by the package outside its cores, such as an integrated GPU.");
    public static readonly MetricDefinition DramJoulesTotal = Of("node_rapl_dram_joules_total", "Energy used by the memory of a package.");
    public static readonly MetricDefinition PlatformJoulesTotal = Of("node_rapl_psys_joules_total", "Energy used by the whole platform, where the board measures it.");

    public static readonly MetricDefinition ZoneJoulesTotal = Counter(
        "node_rapl_zone_joules_total", Unit.Joules, 1_000_000, "Energy used by a zone with another name.", "index", "path", "zone");

    public static readonly MetricFamily Family = new(
        "power",
        "Energy of processors and memory. The counters go on where the hardware's start again at zero.",
        [PackageJoulesTotal, CoreJoulesTotal, UncoreJoulesTotal, DramJoulesTotal, PlatformJoulesTotal, ZoneJoulesTotal]);

    private static MetricDefinition Of(string name, string help) => Counter(name, Unit.Joules, 1_000_000, help, "index", "path");
}
