using static NodeAgent.Contracts.Metrics.MetricDefinition;

namespace NodeAgent.Contracts.Metrics;

/// <summary>Sensors of the kernel's hardware monitoring (Documentation/hwmon/sysfs-interface.rst), with node_exporter's names.</summary>
public static class HwmonMetrics
{
    private const string Prefix = "node_hwmon_";

    public static readonly MetricDefinition ChipNames = Gauge(
        Prefix + "chip_names", Unit.None, 1, "Always 1; the driver's name of the chip.", "chip", "chip_name");

    public static readonly MetricDefinition SensorLabel = Gauge(
        Prefix + "sensor_label", Unit.None, 1, "Always 1; the board's name of the sensor.", "chip", "sensor", "label");

    /// <summary>
    /// Kind and element of a sensor's file (temp1_max: temp, max), the metric, and by how much the kernel's number is divided.
    /// Readings are polled; limits are read when the sensor is found, because a query of some chips (NVMe) costs milliseconds.
    /// </summary>
    public static readonly (string Kind, string Element, MetricDefinition Metric, double Divisor, bool IsLimit)[] Elements =
    [
        Reading("temp", "input", "temp_celsius", Unit.Celsius, 1000, "Temperature."),
        Limit("temp", "max", "temp_max_celsius", Unit.Celsius, 1000, "Temperature above which the sensor warns."),
        Limit("temp", "crit", "temp_crit_celsius", Unit.Celsius, 1000, "Temperature above which the part is in danger."),
        Limit("temp", "emergency", "temp_emergency_celsius", Unit.Celsius, 1000, "Temperature above which the part is shut down."),
        Limit("temp", "min", "temp_min_celsius", Unit.Celsius, 1000, "Temperature below which the sensor warns."),
        Reading("temp", "alarm", "temp_alarm", Unit.None, 1, "1 while the temperature is out of its limits."),
        Reading("temp", "fault", "temp_fault", Unit.None, 1, "1 while the sensor is broken or absent."),
        Reading("fan", "input", "fan_rpm", Unit.RevolutionsPerMinute, 1, "Speed of the fan."),
        Limit("fan", "min", "fan_min_rpm", Unit.RevolutionsPerMinute, 1, "Fan speed below which the sensor warns."),
        Limit("fan", "max", "fan_max_rpm", Unit.RevolutionsPerMinute, 1, "Highest fan speed."),
        Reading("fan", "target", "fan_target_rpm", Unit.RevolutionsPerMinute, 1, "Fan speed that is asked for."),
        Reading("fan", "alarm", "fan_alarm", Unit.None, 1, "1 while the fan is out of its limits."),
        Reading("fan", "fault", "fan_fault", Unit.None, 1, "1 while the fan is broken or absent."),
        Reading("in", "input", "in_volts", Unit.Volts, 1000, "Voltage of the line."),
        Limit("in", "min", "in_min_volts", Unit.Volts, 1000, "Voltage below which the sensor warns."),
        Limit("in", "max", "in_max_volts", Unit.Volts, 1000, "Voltage above which the sensor warns."),
        Reading("in", "alarm", "in_alarm", Unit.None, 1, "1 while the voltage is out of its limits."),
        Reading("curr", "input", "curr_amps", Unit.Amperes, 1000, "Current of the line."),
        Limit("curr", "max", "curr_max_amps", Unit.Amperes, 1000, "Current above which the sensor warns."),
        Limit("curr", "crit", "curr_crit_amps", Unit.Amperes, 1000, "Current above which the part is in danger."),
        Reading("power", "input", "power_watt", Unit.Watts, 1_000_000, "Power drawn now."),
        Reading("power", "average", "power_average_watt", Unit.Watts, 1_000_000, "Power, averaged by the chip."),
        Reading("power", "cap", "power_cap_watt", Unit.Watts, 1_000_000, "Power limit in force."),
        Limit("power", "max", "power_max_watt", Unit.Watts, 1_000_000, "Power above which the sensor warns."),
        Limit("power", "crit", "power_crit_watt", Unit.Watts, 1_000_000, "Power above which the part is in danger."),
        ("energy", "input", Counter(Prefix + "energy_joule_total", Unit.Joules, 1_000_000, "Energy used since the chip started.", "chip", "sensor"), 1_000_000, false),
    ];

    public static readonly MetricFamily Family = new(
        "hwmon", "Sensors of boards, processors, drives and adapters.", [ChipNames, SensorLabel, .. Elements.Select(element => element.Metric)]);

    private static (string, string, MetricDefinition, double, bool) Reading(
        string kind, string element, string name, string unit, uint scale, string help) =>
        (kind, element, Gauge(Prefix + name, unit, scale, help, "chip", "sensor"), scale, false);

    private static (string, string, MetricDefinition, double, bool) Limit(
        string kind, string element, string name, string unit, uint scale, string help) =>
        (kind, element, Gauge(Prefix + name, unit, scale, help, "chip", "sensor"), scale, true);
}
