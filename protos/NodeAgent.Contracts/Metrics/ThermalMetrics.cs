using static NodeAgent.Contracts.Metrics.MetricDefinition;

namespace NodeAgent.Contracts.Metrics;

/// <summary>Thermal zones and cooling devices, from /sys/class/thermal (Documentation/driver-api/thermal/sysfs-api.rst).</summary>
public static class ThermalMetrics
{
    public static readonly MetricDefinition ZoneTemperature = Gauge(
        "node_thermal_zone_temp", Unit.Celsius, 1000, "Temperature of the zone.", "zone", "type");

    public static readonly MetricDefinition CoolingState = Gauge(
        "node_cooling_device_cur_state", Unit.None, 1, "How hard the device cools or throttles now; 0 is not at all.", "name", "type");

    public static readonly MetricDefinition CoolingMaxState = Gauge(
        "node_cooling_device_max_state", Unit.None, 1, "The hardest the device can cool or throttle.", "name", "type");

    public static readonly MetricFamily Family = new(
        "thermal",
        "Thermal zones and cooling devices. Those of type Processor are left out: a server has one per logical processor.",
        [ZoneTemperature, CoolingState, CoolingMaxState]);
}
