using static NodeAgent.Contracts.Metrics.MetricDefinition;

namespace NodeAgent.Contracts.Metrics;

/// <summary>Processes, threads and file handles of the host.</summary>
public static class ProcessMetrics
{
    public static readonly MetricDefinition Pids = Gauge("node_processes_pids", Unit.None, 1, "Processes (directories of /proc).");

    public static readonly MetricDefinition Threads = Gauge(
        "node_processes_threads", Unit.None, 1, "Threads of all processes (/proc/PID/stat).");

    public static readonly MetricDefinition State = Gauge(
        "node_processes_state", Unit.None, 1,
        "Processes by state: R running, S sleeping, D waiting for a device, T stopped, t traced, Z zombie, I idle, P parked, X dead.",
        "state");

    public static readonly MetricDefinition MaxProcesses = Gauge(
        "node_processes_max_processes", Unit.None, 1, "Largest process id (/proc/sys/kernel/pid_max).");

    public static readonly MetricDefinition MaxThreads = Gauge(
        "node_processes_max_threads", Unit.None, 1, "Most threads the kernel allows (/proc/sys/kernel/threads-max).");

    public static readonly MetricDefinition FileHandlesAllocated = Gauge(
        "node_filefd_allocated", Unit.None, 1, "Open file handles (/proc/sys/fs/file-nr).");

    public static readonly MetricDefinition FileHandlesMaximum = Gauge(
        "node_filefd_maximum", Unit.None, 1, "Most file handles the kernel allows (/proc/sys/fs/file-nr).");

    public static readonly MetricDefinition Handles = Gauge(
        "node_processes_handles", Unit.None, 1, "Open handles of all kinds on Windows (GetPerformanceInfo).");

    public static readonly MetricFamily Family = new(
        "processes",
        "Processes, threads and file handles of the host.",
        [Pids, Threads, State, MaxProcesses, MaxThreads, FileHandlesAllocated, FileHandlesMaximum, Handles]);
}
