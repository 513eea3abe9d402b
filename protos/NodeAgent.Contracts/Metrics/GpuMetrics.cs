using static NodeAgent.Contracts.Metrics.MetricDefinition;

namespace NodeAgent.Contracts.Metrics;

/// <summary>NVIDIA GPUs through NVML (nvml.h 13.3). A value that a GPU does not have is absent, never zero.</summary>
public static class GpuMetrics
{
    private const uint Milli = 1000;
    private const uint Micro = 1_000_000;
    private const uint Percent = 100;

    // What is on a GPU's every series. The UUID is its identity; the number is what people and nvidia-smi call it today.
    private static readonly string[] Own = ["gpu", "uuid"];

    public static readonly MetricDefinition Information = Gauge("gpu_info", Unit.None, 1, "1; what the GPU is.", With("name", "pci", "driver", "vbios", "serial"));
    public static readonly MetricDefinition State = One("gpu_state", Unit.None, 1, "0 answers, 1 lost (fell off or needs a reset), 2 excluded after a hang or crash, 3 released on order, 4 gone from NVML.");

    public static readonly MetricDefinition UtilizationRatio = One("gpu_utilization_ratio", Unit.Ratio, Percent, "Share of the driver's last window in which any kernel ran; says nothing about how much of the GPU it used.");
    public static readonly MetricDefinition MemoryUtilizationRatio = One("gpu_memory_utilization_ratio", Unit.Ratio, Percent, "Share of the driver's last window in which device memory was read or written.");
    public static readonly MetricDefinition MemoryTotalBytes = One("gpu_memory_total_bytes", Unit.Bytes, 1, "Device memory.");
    public static readonly MetricDefinition MemoryUsedBytes = One("gpu_memory_used_bytes", Unit.Bytes, 1, "Device memory that processes hold; with drivers before 510 also what the driver reserves.");
    public static readonly MetricDefinition MemoryFreeBytes = One("gpu_memory_free_bytes", Unit.Bytes, 1, "Device memory that nobody holds.");
    public static readonly MetricDefinition MemoryReservedBytes = One("gpu_memory_reserved_bytes", Unit.Bytes, 1, "Device memory that the driver keeps for itself.");
    public static readonly MetricDefinition ClockHertz = Gauge("gpu_clock_hertz", Unit.Hertz, 1, "Clock now: graphics, sm, memory, video.", With("clock"));
    public static readonly MetricDefinition ClockMaxHertz = Gauge("gpu_clock_max_hertz", Unit.Hertz, 1, "Highest clock: graphics, sm, memory, video.", With("clock"));
    public static readonly MetricDefinition ThrottleActive = Gauge("gpu_throttle_active", Unit.None, 1, "1: at this moment this holds the clocks down; short moments are only in gpu_throttle_seconds_total.", With("reason"));
    public static readonly MetricDefinition ThrottleSecondsTotal = Counter("gpu_throttle_seconds_total", Unit.Seconds, Micro, "Time for which this held the clocks down, counted by the driver.", With("reason"));
    public static readonly MetricDefinition TemperatureCelsius = One("gpu_temperature_celsius", Unit.Celsius, 1, "Temperature of the GPU.");
    public static readonly MetricDefinition MemoryTemperatureCelsius = One("gpu_memory_temperature_celsius", Unit.Celsius, 1, "Temperature of HBM.");
    public static readonly MetricDefinition TemperatureMarginCelsius = One("gpu_temperature_margin_celsius", Unit.Celsius, 1, "Degrees left until the GPU slows down; on Hopper and newer look at this, not at the temperature.");
    public static readonly MetricDefinition TemperatureLimitCelsius = Gauge("gpu_temperature_limit_margin_celsius", Unit.Celsius, 1, "Margin at which: shutdown, slowdown, memory_max, gpu_max.", With("limit"));
    public static readonly MetricDefinition PowerWatts = One("gpu_power_watts", Unit.Watts, Milli, "Power at this moment; the hardware looks for about a quarter of the time, so for energy take the counter.");
    public static readonly MetricDefinition PowerAverageWatts = One("gpu_power_average_watts", Unit.Watts, Milli, "Power over the last second, by the driver.");
    public static readonly MetricDefinition EnergyJoulesTotal = Counter("gpu_energy_joules_total", Unit.Joules, Milli, "Energy used since the driver was loaded.", Own);
    public static readonly MetricDefinition PowerLimitWatts = Gauge("gpu_power_limit_watts", Unit.Watts, Milli, "Limits: current (enforced), requested, default, min, max.", With("limit"));
    public static readonly MetricDefinition PerformanceState = One("gpu_performance_state", Unit.None, 1, "P-state, 0 fastest to 15 slowest.");
    public static readonly MetricDefinition FanSpeedRatio = One("gpu_fan_speed_ratio", Unit.Ratio, Percent, "Speed the fan is told to have.");

    public static readonly MetricDefinition EngineUtilizationRatio = Gauge("gpu_engine_utilization_ratio", Unit.Ratio, Percent, "Use of a fixed-function engine: encoder, decoder, jpeg, optical_flow.", With("engine"));
    public static readonly MetricDefinition ActivityRatio = Gauge(
        "gpu_activity_ratio", Unit.Ratio, Micro,
        "Share of cycles in which a part was active, averaged over the ten seconds before, from the hardware's counters (GPM, Hopper and newer): graphics, sm, sm_occupancy, integer, tensor, tensor_fp64, tensor_fp16, tensor_int8, dram, fp64, fp32, fp16.",
        With("part"));

    public static readonly MetricDefinition EccErrorsTotal = Counter("gpu_ecc_errors_total", Unit.None, 1, "Memory errors: kind corrected or uncorrected; since load (of the driver) or life (of the board); location all, dram or sram.", With("kind", "since", "location"));
    public static readonly MetricDefinition EccMode = Gauge("gpu_ecc_mode", Unit.None, 1, "1: ECC is on; state current, or pending (from the next reset on).", With("state"));
    public static readonly MetricDefinition SramThresholdExceeded = One("gpu_sram_ecc_threshold_exceeded", Unit.None, 1, "1: so many SRAM errors that the board should be replaced; needs root.");
    public static readonly MetricDefinition RemappedRows = Gauge("gpu_remapped_rows", Unit.None, 1, "Rows of device memory replaced by spare ones, by cause: correctable, uncorrectable.", With("cause"));
    public static readonly MetricDefinition RowRemapPending = One("gpu_row_remap_pending", Unit.None, 1, "1: a row is replaced at the next reset.");
    public static readonly MetricDefinition RowRemapFailed = One("gpu_row_remap_failed", Unit.None, 1, "1: a row could not be replaced; the board has to be.");
    public static readonly MetricDefinition RowRemapBanks = Gauge("gpu_row_remap_banks", Unit.None, 1, "Banks of device memory by spare rows left: max, high, partial, low, none.", With("spare"));
    public static readonly MetricDefinition RetiredPages = Gauge("gpu_retired_pages", Unit.None, 1, "Pages taken out of use before Ampere, by cause: corrected, uncorrected.", With("cause"));
    public static readonly MetricDefinition RetiredPagesPending = One("gpu_retired_pages_pending", Unit.None, 1, "1: a page is taken out of use at the next restart.");
    public static readonly MetricDefinition RepairPending = Gauge("gpu_repair_pending", Unit.None, 1, "1: a repair is made at the next reset: channel, tpc.", With("part"));
    public static readonly MetricDefinition RecoveryAction = One("gpu_recovery_action", Unit.None, 1, "What the driver asks for: 0 nothing, 1 GPU reset, 2 reboot, 3 drain peers, 4 drain and reset, 5 recover IMEX.");

    public static readonly MetricDefinition NvLinkBytesTotal = Counter("gpu_nvlink_bytes_total", Unit.Bytes, 1, "Payload over all NVLinks: direction transmit or receive.", With("direction"));
    public static readonly MetricDefinition NvLinkRawBytesTotal = Counter("gpu_nvlink_raw_bytes_total", Unit.Bytes, 1, "Payload and protocol over all NVLinks.", With("direction"));
    public static readonly MetricDefinition NvLinkUp = Gauge("gpu_nvlink_up", Unit.None, 1, "1: the NVLink is active.", With("link"));
    public static readonly MetricDefinition NvLinkErrorsTotal = Counter("gpu_nvlink_errors_total", Unit.None, 1, "Errors over all NVLinks: crc_flit, crc_data, replay, recovery.", With("kind"));
    public static readonly MetricDefinition NvLinkLinkErrorsTotal = Counter("gpu_nvlink_link_errors_total", Unit.None, 1, "Errors of one NVLink: replay, recovery, crc.", With("kind", "link"));
    public static readonly MetricDefinition FabricState = One("gpu_fabric_state", Unit.None, 1, "Registration with the NVLink fabric: 0 not supported, 1 not started, 2 in progress, 3 completed; jobs need 3.");
    public static readonly MetricDefinition FabricHealthMask = One("gpu_fabric_health_mask", Unit.None, 1, "Bits of nvmlGpuFabricInfo healthMask.");

    public static readonly MetricDefinition PcieBytesTotal = Counter("gpu_pcie_bytes_total", Unit.Bytes, 1, "Bytes over PCIe: direction transmit or receive.", With("direction"));
    public static readonly MetricDefinition PcieReplaysTotal = Counter("gpu_pcie_replays_total", Unit.None, 1, "PCIe packets sent again.", Own);
    public static readonly MetricDefinition PcieErrorsTotal = Counter("gpu_pcie_errors_total", Unit.None, 1, "PCIe errors: correctable, non_fatal, fatal, link_recovery.", With("kind"));
    public static readonly MetricDefinition PcieLinkGeneration = One("gpu_pcie_link_generation", Unit.None, 1, "PCIe generation now; an idle GPU lowers it by itself.");
    public static readonly MetricDefinition PcieLinkGenerationMax = One("gpu_pcie_link_generation_max", Unit.None, 1, "Highest PCIe generation of GPU and slot.");
    public static readonly MetricDefinition PcieLinkWidth = One("gpu_pcie_link_width", Unit.None, 1, "PCIe lanes now.");
    public static readonly MetricDefinition PcieLinkWidthMax = One("gpu_pcie_link_width_max", Unit.None, 1, "Most PCIe lanes of GPU and slot.");
    public static readonly MetricDefinition Bar1UsedBytes = One("gpu_bar1_used_bytes", Unit.Bytes, 1, "Device memory mapped for the processor and for other devices.");
    public static readonly MetricDefinition Bar1TotalBytes = One("gpu_bar1_total_bytes", Unit.Bytes, 1, "Device memory that can be mapped.");

    public static readonly MetricDefinition PersistenceMode = One("gpu_persistence_mode", Unit.None, 1, "1: the driver stays attached; without it every look at an idle GPU takes seconds.");
    public static readonly MetricDefinition ComputeMode = One("gpu_compute_mode", Unit.None, 1, "0 default, 2 prohibited, 3 exclusive process.");
    public static readonly MetricDefinition MigMode = Gauge("gpu_mig_mode", Unit.None, 1, "1: multi-instance mode is on; state current or pending.", With("state"));
    public static readonly MetricDefinition MigInstances = One("gpu_mig_instances", Unit.None, 1, "MIG devices on the GPU.");
    public static readonly MetricDefinition MigMemoryUsedBytes = Gauge("gpu_mig_memory_used_bytes", Unit.Bytes, 1, "Memory that processes hold in a MIG device.", With("instance", "mig_uuid"));
    public static readonly MetricDefinition MigMemoryTotalBytes = Gauge("gpu_mig_memory_total_bytes", Unit.Bytes, 1, "Memory of a MIG device.", With("instance", "mig_uuid"));
    public static readonly MetricDefinition MigActivityRatio = Gauge("gpu_mig_activity_ratio", Unit.Ratio, Micro, "As gpu_activity_ratio, of a MIG device: graphics, sm, tensor, dram.", With("instance", "mig_uuid", "part"));

    public static readonly MetricDefinition Processes = One("gpu_processes", Unit.None, 1, "Processes that compute on the GPU.");
    public static readonly MetricDefinition ProcessMemoryBytes = Gauge(
        "gpu_process_memory_bytes", Unit.Bytes, 1, "Device memory of a process; job, pod and container come from its control group.", With("pid", "process", "job", "pod", "container", "unit"));
    public static readonly MetricDefinition ProcessUtilizationRatio = Gauge(
        "gpu_process_utilization_ratio", Unit.Ratio, Percent, "Share of the SMs' time that a process used, over the driver's last window.", With("pid", "process", "job", "pod", "container", "unit"));

    public static readonly MetricDefinition FieldLatencySeconds = Gauge("gpu_nvml_field_latency_seconds", Unit.Seconds, Micro, "Longest the driver took for a field within the last minute, as the driver says.", With("field"));
    public static readonly MetricDefinition RejectedValuesTotal = Counter("gpu_rejected_values_total", Unit.None, 1, "Values that no GPU can have and that were not passed on.", Own);

    public static readonly MetricDefinition ReadingAgeSeconds = Gauge("nodeagent_gpu_reading_age_seconds", Unit.Seconds, Milli, "How old the newest values of this tier are: fast, detail, slow. A tick carries values that were read so long before it.", With("tier"));
    public static readonly MetricDefinition CallLatencySeconds = Gauge("nodeagent_nvml_call_latency_seconds", Unit.Seconds, Micro, "Longest a call took within the last minute, over all GPUs.", "call");
    public static readonly MetricDefinition CallsTotal = Counter("nodeagent_nvml_calls_total", Unit.None, 1, "Calls into NVML by tier: fast, detail, slow, other.", "tier");
    public static readonly MetricDefinition ReaderUp = Gauge("nodeagent_gpu_reader_up", Unit.None, 1, "1: the GPU reader answers in time; 0: it hangs, is being restarted, or has no driver.");
    public static readonly MetricDefinition ReaderGeneration = Gauge("nodeagent_gpu_reader_generation", Unit.None, 1, "How often this reader process took hold of the GPUs: grows with a reset, a driver reload, another MIG layout.");
    public static readonly MetricDefinition ReaderStartsTotal = Counter("nodeagent_gpu_reader_starts_total", Unit.None, 1, "Reader processes started.");
    public static readonly MetricDefinition ReaderStallsTotal = Counter("nodeagent_gpu_reader_stalls_total", Unit.None, 1, "Calls that did not return within their deadline.");
    public static readonly MetricDefinition ReaderAbandoned = Gauge("nodeagent_gpu_reader_abandoned", Unit.None, 1, "Readers left behind in a call that never returned; at most one.");
    public static readonly MetricDefinition ReaderCpuSecondsTotal = Counter("nodeagent_gpu_reader_cpu_seconds_total", Unit.Seconds, Micro, "Processor time of the reader.");
    public static readonly MetricDefinition ReaderAllocatedBytesTotal = Counter("nodeagent_gpu_reader_allocated_bytes_total", Unit.Bytes, 1, "Memory that the reader's thread allocated. Rests once warm.");
    public static readonly MetricDefinition LostEventsTotal = Counter("nodeagent_gpu_lost_events_total", Unit.None, 1, "Driver events that came faster than they were taken.");
    public static readonly MetricDefinition GpusOnBus = Gauge("nodeagent_gpus_on_bus", Unit.None, 1, "NVIDIA GPUs on PCI.");
    public static readonly MetricDefinition GpusAnswering = Gauge("nodeagent_gpus_answering", Unit.None, 1, "GPUs that NVML answers for.");

    public static readonly MetricFamily Family = new(
        "gpu",
        "NVIDIA GPUs through NVML, read by a process of its own. What a GPU, driver or mode does not have is absent.",
        [
            Information, State, UtilizationRatio, MemoryUtilizationRatio, MemoryTotalBytes, MemoryUsedBytes, MemoryFreeBytes, MemoryReservedBytes, ClockHertz,
            ClockMaxHertz, ThrottleActive, ThrottleSecondsTotal, TemperatureCelsius, MemoryTemperatureCelsius, TemperatureMarginCelsius,
            TemperatureLimitCelsius, PowerWatts, PowerAverageWatts, EnergyJoulesTotal, PowerLimitWatts, PerformanceState, FanSpeedRatio,
            EngineUtilizationRatio, ActivityRatio, EccErrorsTotal, EccMode, SramThresholdExceeded, RemappedRows, RowRemapPending, RowRemapFailed,
            RowRemapBanks, RetiredPages, RetiredPagesPending, RepairPending, RecoveryAction, NvLinkBytesTotal, NvLinkRawBytesTotal, NvLinkUp,
            NvLinkErrorsTotal, NvLinkLinkErrorsTotal, FabricState, FabricHealthMask, PcieBytesTotal, PcieReplaysTotal, PcieErrorsTotal,
            PcieLinkGeneration, PcieLinkGenerationMax, PcieLinkWidth, PcieLinkWidthMax, Bar1UsedBytes, Bar1TotalBytes, PersistenceMode, ComputeMode,
            MigMode, MigInstances, MigMemoryUsedBytes, MigMemoryTotalBytes, MigActivityRatio, Processes, ProcessMemoryBytes, ProcessUtilizationRatio,
            FieldLatencySeconds, RejectedValuesTotal,
        ]);

    public static readonly MetricFamily ReaderFamily = new(
        "gpu_reader",
        "The process that reads the GPUs, about itself.",
        [
            ReadingAgeSeconds, CallLatencySeconds, CallsTotal, ReaderUp, ReaderGeneration, ReaderStartsTotal, ReaderStallsTotal, ReaderAbandoned,
            ReaderCpuSecondsTotal, ReaderAllocatedBytesTotal, LostEventsTotal, GpusOnBus, GpusAnswering,
        ]);

    private static MetricDefinition One(string name, string unit, uint scale, string help) => Gauge(name, unit, scale, help, Own);

    private static string[] With(params string[] more) => [.. Own, .. more];
}
