using static NodeAgent.Contracts.Metrics.MetricDefinition;

namespace NodeAgent.Contracts.Metrics;

/// <summary>Processor time, frequency, load and scheduling.</summary>
public static class CpuMetrics
{
    // The kernel counts in USER_HZ ticks of 10 ms (proc(5)), so hundredths of a second lose nothing.
    private const uint UserHz = 100;
    private const uint Microsecond = 1_000_000;

    public static readonly MetricDefinition SecondsTotal = Counter(
        "node_cpu_seconds_total", Unit.Seconds, UserHz,
        "Time each processor spent in each mode (/proc/stat); cpu=\"all\" is the sum on hosts with many processors.", "cpu", "mode");

    public static readonly MetricDefinition GuestSecondsTotal = Counter(
        "node_cpu_guest_seconds_total", Unit.Seconds, UserHz,
        "Time each processor ran virtual machines, also contained in modes user and nice (/proc/stat).", "cpu", "mode");

    public static readonly MetricDefinition Processors = Gauge(
        "node_cpus_online", Unit.None, 1, "Processors that are online (/proc/stat).");

    public static readonly MetricDefinition ContextSwitchesTotal = Counter(
        "node_context_switches_total", Unit.None, 1, "Context switches of all processors (/proc/stat ctxt).");

    public static readonly MetricDefinition InterruptsTotal = Counter(
        "node_intr_total", Unit.None, 1, "Interrupts served (/proc/stat intr).");

    public static readonly MetricDefinition ForksTotal = Counter(
        "node_forks_total", Unit.None, 1, "Processes and threads created (/proc/stat processes).");

    public static readonly MetricDefinition ProcessesRunning = Gauge(
        "node_procs_running", Unit.None, 1, "Threads that run or could run (/proc/stat procs_running).");

    public static readonly MetricDefinition ProcessesBlocked = Gauge(
        "node_procs_blocked", Unit.None, 1, "Processes that wait for I/O (/proc/stat procs_blocked).");

    public static readonly MetricDefinition BootTimeSeconds = Gauge(
        "node_boot_time_seconds", Unit.Seconds, 1, "When the kernel booted, seconds since 1970 UTC (/proc/stat btime).");

    public static readonly MetricDefinition SoftirqsTotal = Counter(
        "node_softirqs_total", Unit.None, 1, "Soft interrupts served, by kind (/proc/stat softirq).", "vector");

    public static readonly MetricDefinition Load1 = Gauge(
        "node_load1", Unit.None, 100, "Mean number of running and blocked threads over 1 minute (/proc/loadavg).");

    public static readonly MetricDefinition Load5 = Gauge(
        "node_load5", Unit.None, 100, "Mean number of running and blocked threads over 5 minutes (/proc/loadavg).");

    public static readonly MetricDefinition Load15 = Gauge(
        "node_load15", Unit.None, 100, "Mean number of running and blocked threads over 15 minutes (/proc/loadavg).");

    public static readonly MetricDefinition PressureCpuWaiting = Counter(
        "node_pressure_cpu_waiting_seconds_total", Unit.Seconds, Microsecond,
        "Time in which some task waited for a processor (/proc/pressure/cpu some).");

    public static readonly MetricDefinition PressureMemoryWaiting = Counter(
        "node_pressure_memory_waiting_seconds_total", Unit.Seconds, Microsecond,
        "Time in which some task waited for memory (/proc/pressure/memory some).");

    public static readonly MetricDefinition PressureMemoryStalled = Counter(
        "node_pressure_memory_stalled_seconds_total", Unit.Seconds, Microsecond,
        "Time in which every task that could run waited for memory (/proc/pressure/memory full).");

    public static readonly MetricDefinition PressureIoWaiting = Counter(
        "node_pressure_io_waiting_seconds_total", Unit.Seconds, Microsecond,
        "Time in which some task waited for I/O (/proc/pressure/io some).");

    public static readonly MetricDefinition PressureIoStalled = Counter(
        "node_pressure_io_stalled_seconds_total", Unit.Seconds, Microsecond,
        "Time in which every task that could run waited for I/O (/proc/pressure/io full).");

    public static readonly MetricDefinition PressureIrqStalled = Counter(
        "node_pressure_irq_stalled_seconds_total", Unit.Seconds, Microsecond,
        "Time that tasks lost to interrupts (/proc/pressure/irq full; kernels since 6.1 with IRQ time accounting).");

    public static readonly MetricDefinition SchedstatRunningSecondsTotal = Counter(
        "node_schedstat_running_seconds_total", Unit.Seconds, Microsecond,
        "Time tasks ran on each processor (/proc/schedstat); cpu=\"all\" is the sum on hosts with many processors.", "cpu");

    public static readonly MetricDefinition SchedstatWaitingSecondsTotal = Counter(
        "node_schedstat_waiting_seconds_total", Unit.Seconds, Microsecond,
        "Time runnable tasks waited in the run queue of each processor (/proc/schedstat).", "cpu");

    public static readonly MetricDefinition SchedstatTimeslicesTotal = Counter(
        "node_schedstat_timeslices_total", Unit.None, 1, "Time slices run on each processor (/proc/schedstat).", "cpu");

    public static readonly MetricDefinition ScalingFrequencyHertz = Gauge(
        "node_cpu_scaling_frequency_hertz", Unit.Hertz, 1,
        "Current frequency of each processor (cpufreq scaling_cur_freq); cpu=\"all\" is the mean on hosts with many processors.", "cpu");

    public static readonly MetricDefinition FrequencyHertz = Gauge(
        "node_cpu_frequency_hertz", Unit.Hertz, 1,
        "Frequency of each processor where cpufreq is absent (/proc/cpuinfo); cpu=\"all\" is the mean on hosts with many processors.",
        "cpu");

    public static readonly MetricDefinition CoreThrottlesTotal = Counter(
        "node_cpu_core_throttles_total", Unit.None, 1,
        "Times a core was throttled for heat (thermal_throttle/core_throttle_count); core=\"all\" is the sum of a package.",
        "package", "core");

    public static readonly MetricDefinition PackageThrottlesTotal = Counter(
        "node_cpu_package_throttles_total", Unit.None, 1,
        "Times a package was throttled for heat (thermal_throttle/package_throttle_count).", "package");

    public static readonly MetricFamily Family = new(
        "cpu",
        "Processor time, frequency, load and scheduling.",
        [
            SecondsTotal, GuestSecondsTotal, Processors, ContextSwitchesTotal, InterruptsTotal, ForksTotal, ProcessesRunning,
            ProcessesBlocked, BootTimeSeconds, SoftirqsTotal, Load1, Load5, Load15, PressureCpuWaiting, PressureMemoryWaiting,
            PressureMemoryStalled, PressureIoWaiting, PressureIoStalled, PressureIrqStalled, SchedstatRunningSecondsTotal,
            SchedstatWaitingSecondsTotal, SchedstatTimeslicesTotal, ScalingFrequencyHertz, FrequencyHertz, CoreThrottlesTotal,
            PackageThrottlesTotal,
        ]);
}
