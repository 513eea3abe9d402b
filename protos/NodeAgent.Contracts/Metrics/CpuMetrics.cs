using static NodeAgent.Contracts.Metrics.MetricDefinition;

namespace NodeAgent.Contracts.Metrics;

/// <summary>Processor time, frequency, load and scheduling.</summary>
public static class CpuMetrics
{
    // The kernel counts in USER_HZ ticks of 10 ms (proc(5)), so hundredths of a second lose nothing.
    public static readonly MetricDefinition SecondsTotal = Counter(
        "node_cpu_seconds_total", Unit.Seconds, 100, "Time each processor spent in each mode (/proc/stat).", "cpu", "mode");

    public static readonly MetricFamily Family = new("cpu", "Processor time, frequency, load and scheduling.", [SecondsTotal]);
}
