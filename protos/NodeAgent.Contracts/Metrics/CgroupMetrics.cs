using static NodeAgent.Contracts.Metrics.MetricDefinition;

namespace NodeAgent.Contracts.Metrics;

/// <summary>
/// Resources of control groups that mean something to people. Label <c>kind</c> is service, scope, slice, container, pod or job;
/// <c>name</c> is the unit, the short container id, the pod's uid or the job id; <c>pod</c> is the pod of a container.
/// </summary>
public static class CgroupMetrics
{
    private const uint Microsecond = 1_000_000;
    private static readonly string[] Labels = ["kind", "name", "pod"];

    public static readonly MetricDefinition CpuSecondsTotal = Total(
        "node_cgroup_cpu_usage_seconds_total", Unit.Seconds, Microsecond, "Processor time used.");

    public static readonly MetricDefinition CpuUserSecondsTotal = Total(
        "node_cgroup_cpu_user_seconds_total", Unit.Seconds, Microsecond, "Processor time used in user mode.");

    public static readonly MetricDefinition CpuSystemSecondsTotal = Total(
        "node_cgroup_cpu_system_seconds_total", Unit.Seconds, Microsecond, "Processor time used in the kernel.");

    public static readonly MetricDefinition CpuPeriodsTotal = Total(
        "node_cgroup_cpu_periods_total", Unit.None, 1, "Enforcement periods of the processor limit.");

    public static readonly MetricDefinition CpuThrottledPeriodsTotal = Total(
        "node_cgroup_cpu_throttled_periods_total", Unit.None, 1, "Periods in which the processor limit stopped the group.");

    public static readonly MetricDefinition CpuThrottledSecondsTotal = Total(
        "node_cgroup_cpu_throttled_seconds_total", Unit.Seconds, Microsecond, "Time the processor limit stopped the group.");

    public static readonly MetricDefinition MemoryBytes = Level(
        "node_cgroup_memory_usage_bytes", Unit.Bytes, 1, "Memory charged, page cache included.");

    public static readonly MetricDefinition MemoryWorkingSetBytes = Level(
        "node_cgroup_memory_working_set_bytes", Unit.Bytes, 1,
        "Memory charged without inactive page cache: what cannot be reclaimed easily.");

    public static readonly MetricDefinition MemoryLimitBytes = Level(
        "node_cgroup_memory_limit_bytes", Unit.Bytes, 1, "Hard memory limit; absent where there is none.");

    public static readonly MetricDefinition OomKillsTotal = Total(
        "node_cgroup_memory_oom_kills_total", Unit.None, 1, "Processes killed because the group was out of memory.");

    public static readonly MetricDefinition ReadBytesTotal = Total(
        "node_cgroup_io_read_bytes_total", Unit.Bytes, 1, "Bytes read from block devices.");

    public static readonly MetricDefinition WrittenBytesTotal = Total(
        "node_cgroup_io_written_bytes_total", Unit.Bytes, 1, "Bytes written to block devices.");

    public static readonly MetricDefinition ReadsTotal = Total("node_cgroup_io_reads_total", Unit.None, 1, "Reads from block devices.");

    public static readonly MetricDefinition WritesTotal = Total("node_cgroup_io_writes_total", Unit.None, 1, "Writes to block devices.");

    public static readonly MetricDefinition Pids = Level("node_cgroup_pids", Unit.None, 1, "Processes and threads.");

    public static readonly MetricDefinition Groups = Gauge(
        "node_cgroups", Unit.None, 1, "Control groups that are sampled.");

    public static readonly MetricDefinition GroupsLeftOut = Gauge(
        "node_cgroups_left_out", Unit.None, 1, "Control groups that would be sampled but for the bound on their number.");

    public static readonly MetricFamily Family = new(
        "cgroups",
        "Resources of services, containers, Kubernetes pods and Slurm jobs, from control groups of version 1 and 2.",
        [
            CpuSecondsTotal, CpuUserSecondsTotal, CpuSystemSecondsTotal, CpuPeriodsTotal, CpuThrottledPeriodsTotal,
            CpuThrottledSecondsTotal,
            MemoryBytes, MemoryWorkingSetBytes, MemoryLimitBytes, OomKillsTotal, ReadBytesTotal, WrittenBytesTotal, ReadsTotal, WritesTotal,
            Pids, Groups, GroupsLeftOut,
        ]);

    private static MetricDefinition Total(string name, string unit, uint scale, string help) => Counter(name, unit, scale, help, Labels);

    private static MetricDefinition Level(string name, string unit, uint scale, string help) => Gauge(name, unit, scale, help, Labels);
}
