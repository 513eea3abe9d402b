using static NodeAgent.Contracts.Metrics.MetricDefinition;

namespace NodeAgent.Contracts.Metrics;

/// <summary>The host's clock and how well it is kept, from adjtimex(2).</summary>
public static class ClockMetrics
{
    public static readonly MetricDefinition TimeSeconds = Gauge(
        "node_time_seconds", Unit.Seconds, 1000, "The host's wall clock when the tick began, seconds since 1970 UTC.");

    public static readonly MetricDefinition UptimeSeconds = Gauge(
        "node_uptime_seconds", Unit.Seconds, 100, "Time since boot (CLOCK_BOOTTIME, as in /proc/uptime).");

    public static readonly MetricDefinition OffsetSeconds = Gauge(
        "node_timex_offset_seconds", Unit.Seconds, 0, "Time offset between the clock and its reference.");

    public static readonly MetricDefinition FrequencyAdjustmentRatio = Gauge(
        "node_timex_frequency_adjustment_ratio", Unit.Ratio, 0, "Local clock frequency adjustment; 1 is none.");

    public static readonly MetricDefinition MaxErrorSeconds = Gauge(
        "node_timex_maxerror_seconds", Unit.Seconds, 1_000_000, "Largest error of the clock.");

    public static readonly MetricDefinition EstimatedErrorSeconds = Gauge(
        "node_timex_estimated_error_seconds", Unit.Seconds, 1_000_000, "Estimated error of the clock.");

    public static readonly MetricDefinition Status = Gauge("node_timex_status", Unit.None, 1, "Status bits STA_* of adjtimex(2).");

    public static readonly MetricDefinition SyncStatus = Gauge(
        "node_timex_sync_status", Unit.None, 1, "1: the clock is synchronised to a reliable server; 0: it is not.");

    public static readonly MetricDefinition LoopTimeConstant = Gauge(
        "node_timex_loop_time_constant", Unit.None, 1, "Time constant of the phase-locked loop.");

    public static readonly MetricDefinition TickSeconds = Gauge(
        "node_timex_tick_seconds", Unit.Seconds, 1_000_000, "Time between clock ticks.");

    public static readonly MetricDefinition TaiOffsetSeconds = Gauge(
        "node_timex_tai_offset_seconds", Unit.Seconds, 1, "International Atomic Time minus UTC.");

    public static readonly MetricDefinition PpsFrequencyHertz = Gauge(
        "node_timex_pps_frequency_hertz", Unit.Hertz, 0, "Frequency of the pulse per second.");

    public static readonly MetricDefinition PpsJitterSeconds = Gauge(
        "node_timex_pps_jitter_seconds", Unit.Seconds, 0, "Jitter of the pulse per second.");

    public static readonly MetricDefinition PpsShiftSeconds = Gauge(
        "node_timex_pps_shift_seconds", Unit.Seconds, 1, "Interval duration of the pulse per second, as a power of two.");

    public static readonly MetricDefinition PpsStabilityHertz = Gauge(
        "node_timex_pps_stability_hertz", Unit.Hertz, 0, "Stability of the pulse per second.");

    public static readonly MetricDefinition PpsJitterTotal = Counter(
        "node_timex_pps_jitter_total", Unit.None, 1, "Pulses per second beyond the jitter limit.");

    public static readonly MetricDefinition PpsCalibrationTotal = Counter(
        "node_timex_pps_calibration_total", Unit.None, 1, "Calibration intervals of the pulse per second.");

    public static readonly MetricDefinition PpsErrorTotal = Counter(
        "node_timex_pps_error_total", Unit.None, 1, "Calibration errors of the pulse per second.");

    public static readonly MetricDefinition PpsStabilityExceededTotal = Counter(
        "node_timex_pps_stability_exceeded_total", Unit.None, 1, "Calibrations of the pulse per second beyond the stability limit.");

    public static readonly MetricFamily Family = new(
        "clock",
        "The host's clock and how well it is kept.",
        [
            TimeSeconds, UptimeSeconds, OffsetSeconds, FrequencyAdjustmentRatio, MaxErrorSeconds, EstimatedErrorSeconds, Status, SyncStatus,
            LoopTimeConstant, TickSeconds, TaiOffsetSeconds, PpsFrequencyHertz, PpsJitterSeconds, PpsShiftSeconds, PpsStabilityHertz,
            PpsJitterTotal, PpsCalibrationTotal, PpsErrorTotal, PpsStabilityExceededTotal,
        ]);
}
