using NodeAgent.Contracts.Metrics;
using NodeAgent.Contracts.Series;
using NodeAgent.Sampling.Linux;

namespace NodeAgent.Sampling.Sensors;

/// <summary>Temperatures of thermal zones and what cools them.</summary>
internal sealed class ThermalSampler(HostRoots roots) : SysfsSampler(Path.Combine(roots.Sys, "class/thermal"))
{
    private const string ZonePrefix = "thermal_zone";
    private const string CoolingPrefix = "cooling_device";

    public override string Name => "thermal";

    protected override void Build(AttributeColumns columns)
    {
        foreach (string name in Sysfs.Names(ClassDirectory))
        {
            string directory = Path.Combine(ClassDirectory, name);
            Label type = new("type", Sysfs.ReadText(Path.Combine(directory, "type")));
            if (Sysfs.NumberAfter(name, ZonePrefix) is int zone)
            {
                columns.Add(Path.Combine(directory, "temp"), new(Divisor: 1000), ThermalMetrics.ZoneTemperature, new Label("zone", zone.ToString()), type);
            }
            else if (Sysfs.NumberAfter(name, CoolingPrefix) is int number && type.Value != "Processor")
            {
                Label device = new("name", number.ToString());
                columns.Add(Path.Combine(directory, "cur_state"), AttributeReading.Plain, ThermalMetrics.CoolingState, device, type);
                columns.AddConstant(Path.Combine(directory, "max_state"), AttributeReading.Plain, ThermalMetrics.CoolingMaxState, device, type);
            }
        }
    }
}
