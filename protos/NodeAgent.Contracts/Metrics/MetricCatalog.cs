namespace NodeAgent.Contracts.Metrics;

// To add a metric: a row in the family it belongs to (Metrics/<Family>Metrics.cs), the sampler that fills it, a golden
// fixture that shows it, and `./build.sh docs` to write docs/metrics.md again. A new family also gets its line in All.

/// <summary>Every metric that any agent can send, once.</summary>
public static class MetricCatalog
{
    /// <summary>The families in the order docs/metrics.md prints them.</summary>
    public static IReadOnlyList<MetricFamily> Families { get; } =
    [
        CpuMetrics.Family,
        MemoryMetrics.Family,
        ProcessMetrics.Family,
        CgroupMetrics.Family,
        ClockMetrics.Family,
        SelfMetrics.Family,
        UplinkMetrics.Family,
        DiskMetrics.Family,
        FilesystemMetrics.Family,
        NetworkMetrics.Family,
        NetworkLinkMetrics.Family,
        NetstatMetrics.Family,
        SocketMetrics.Family,
        SoftnetMetrics.Family,
        RdmaMetrics.Family,
        HwmonMetrics.Family,
        ThermalMetrics.Family,
        PowerMetrics.Family,
        EdacMetrics.Family,
        GpuMetrics.Family,
        GpuMetrics.ReaderFamily,
    ];

    /// <summary>All metrics of all families.</summary>
    public static IEnumerable<MetricDefinition> All => Families.SelectMany(family => family.Metrics);
}
