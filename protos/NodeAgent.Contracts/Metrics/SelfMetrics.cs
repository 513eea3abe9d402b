using static NodeAgent.Contracts.Metrics.MetricDefinition;

namespace NodeAgent.Contracts.Metrics;

/// <summary>The agent about itself: its samplers, its tick, its cost.</summary>
public static class SelfMetrics
{
    private const uint Microsecond = 1_000_000;

    public static readonly MetricDefinition CollectorDurationSeconds = Gauge(
        "node_scrape_collector_duration_seconds", Unit.Seconds, Microsecond, "Time the sampler's last call took.", "collector");

    public static readonly MetricDefinition CollectorSuccess = Gauge(
        "node_scrape_collector_success", Unit.None, 1,
        "1: the sampler's last call succeeded; 0: it failed; absent: its source is not on this host.", "collector");

    public static readonly MetricDefinition SamplerStatus = Gauge(
        "nodeagent_sampler_status", Unit.None, 1,
        "What became of the sampler's last call: 0 Ok, 1 NoData, 2 Truncated, 3 Malformed, 4 Failed, 5 Stalled.", "collector");

    public static readonly MetricDefinition SamplerFailuresTotal = Counter(
        "nodeagent_sampler_failures_total", Unit.None, 1, "Calls of all samplers that did not succeed.");

    public static readonly MetricDefinition TicksTotal = Counter("nodeagent_ticks_total", Unit.None, 1, "Ticks that ran.");

    public static readonly MetricDefinition SkippedBeatsTotal = Counter(
        "nodeagent_skipped_beats_total", Unit.None, 1,
        "Calls of samplers that never ran, because the tick before took too long or the agent stood still.");

    public static readonly MetricDefinition TickLatenessSeconds = Gauge(
        "nodeagent_tick_lateness_seconds", Unit.Seconds, Microsecond, "How much later than its beat this tick began.");

    public static readonly MetricDefinition TickDurationSeconds = Gauge(
        "nodeagent_tick_duration_seconds", Unit.Seconds, Microsecond, "Time the tick before this one took, its encoding included.");

    public static readonly MetricDefinition TickAllocatedBytesTotal = Counter(
        "nodeagent_tick_allocated_bytes_total", Unit.Bytes, 1, "Memory that ticks allocated: sampling, encoding and spooling. Rests once warm.");

    public static readonly MetricDefinition SinkFailuresTotal = Counter(
        "nodeagent_tick_sink_failures_total", Unit.None, 1, "Ticks that were lost because their receiver threw.");

    public static readonly MetricDefinition ProcessCpuSecondsTotal = Counter(
        "nodeagent_process_cpu_seconds_total", Unit.Seconds, Microsecond, "Processor time of the agent, user and system.");

    public static readonly MetricDefinition ProcessResidentBytes = Gauge(
        "nodeagent_process_resident_memory_bytes", Unit.Bytes, 1, "Memory the agent has in RAM (/proc/self/statm).");

    public static readonly MetricDefinition ProcessThreads = Gauge(
        "nodeagent_process_threads", Unit.None, 1, "Threads of the agent (/proc/self/stat).");

    public static readonly MetricDefinition ProcessOpenFds = Gauge(
        "nodeagent_process_open_fds", Unit.None, 1, "Files and sockets the agent has open (/proc/self/fd).");

    public static readonly MetricDefinition GcAllocatedBytesTotal = Counter(
        "nodeagent_gc_allocated_bytes_total", Unit.Bytes, 1, "Memory the agent allocated since its start.");

    public static readonly MetricDefinition GcCollectionsTotal = Counter(
        "nodeagent_gc_collections_total", Unit.None, 1, "Garbage collections since the agent's start.");

    public static readonly MetricFamily Family = new(
        "self",
        "The agent about itself: its samplers, its tick, its cost.",
        [
            CollectorDurationSeconds, CollectorSuccess, SamplerStatus, SamplerFailuresTotal, TicksTotal, SkippedBeatsTotal,
            TickLatenessSeconds, TickDurationSeconds, SinkFailuresTotal, TickAllocatedBytesTotal, ProcessCpuSecondsTotal, ProcessResidentBytes, ProcessThreads,
            ProcessOpenFds, GcAllocatedBytesTotal, GcCollectionsTotal,
        ]);
}
