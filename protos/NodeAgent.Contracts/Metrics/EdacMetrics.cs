using static NodeAgent.Contracts.Metrics.MetricDefinition;

namespace NodeAgent.Contracts.Metrics;

/// <summary>Memory errors that the controllers counted, from /sys/devices/system/edac/mc (Documentation/ABI/testing/sysfs-devices-edac).</summary>
public static class EdacMetrics
{
    public static readonly MetricDefinition CorrectableErrorsTotal = Counter(
        "node_edac_correctable_errors_total", Unit.None, 1, "Memory errors corrected.", "controller");

    public static readonly MetricDefinition UncorrectableErrorsTotal = Counter(
        "node_edac_uncorrectable_errors_total", Unit.None, 1, "Memory errors that could not be corrected.", "controller");

    public static readonly MetricDefinition RowCorrectableErrorsTotal = Counter(
        "node_edac_csrow_correctable_errors_total", Unit.None, 1, "Memory errors corrected in a chip-select row; csrow \"unknown\" holds those without one.", "controller", "csrow");

    public static readonly MetricDefinition RowUncorrectableErrorsTotal = Counter(
        "node_edac_csrow_uncorrectable_errors_total", Unit.None, 1, "Memory errors not corrected in a chip-select row; csrow \"unknown\" holds those without one.", "controller", "csrow");

    public static readonly MetricDefinition DimmCorrectableErrorsTotal = Counter(
        "node_edac_dimm_correctable_errors_total", Unit.None, 1, "Memory errors corrected in a module.", "controller", "dimm", "label");

    public static readonly MetricDefinition DimmUncorrectableErrorsTotal = Counter(
        "node_edac_dimm_uncorrectable_errors_total", Unit.None, 1, "Memory errors not corrected in a module.", "controller", "dimm", "label");

    public static readonly MetricFamily Family = new(
        "edac",
        "Memory errors counted by the memory controllers.",
        [
            CorrectableErrorsTotal, UncorrectableErrorsTotal, RowCorrectableErrorsTotal, RowUncorrectableErrorsTotal,
            DimmCorrectableErrorsTotal, DimmUncorrectableErrorsTotal,
        ]);
}
