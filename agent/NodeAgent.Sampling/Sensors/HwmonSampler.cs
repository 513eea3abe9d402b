using NodeAgent.Contracts.Metrics;
using NodeAgent.Contracts.Series;
using NodeAgent.Sampling.Linux;

namespace NodeAgent.Sampling.Sensors;

/// <summary>
/// Temperatures, fans, voltages, currents and power of chips that the kernel knows. Some are behind a slow bus (SMBus, NVMe admin
/// queue) and take milliseconds to answer: this sampler belongs on a beat of its own.
/// </summary>
internal sealed class HwmonSampler(HostRoots roots) : SysfsSampler(Path.Combine(roots.Sys, "class/hwmon"))
{
    private const int MaxSensors = 4096; // a 2-socket server with 128 cores and 8 accelerators has about 250

    public override string Name => "hwmon";

    protected override void Build(AttributeColumns columns)
    {
        HashSet<string> chips = [];
        foreach (string name in Sysfs.Names(ClassDirectory))
        {
            string directory = Path.Combine(ClassDirectory, name);
            string chip = HwmonNames.Chip(directory);
            if (!chips.Add(chip))
            {
                chip = $"{chip}_{HwmonNames.Clean(name)}"; // two hwmon folders of one device: keep their series apart
            }

            string driver = Sysfs.ReadText(Path.Combine(directory, "name"));
            if (AddSensors(columns, directory, chip) + AddSensors(columns, Path.Combine(directory, "device"), chip) > 0 && driver.Length > 0)
            {
                columns.AddConstant(1, HwmonMetrics.ChipNames, new Label("chip", chip), new Label("chip_name", HwmonNames.Clean(driver)));
            }
        }
    }

    // Drivers older than the hwmon class keep their files in the device's folder.
    private static int AddSensors(AttributeColumns columns, string directory, string chip)
    {
        int added = 0;
        foreach (string file in Sysfs.Names(directory))
        {
            if (!HwmonNames.TrySplit(file, out string kind, out string sensor, out string element))
            {
                continue;
            }

            if (columns.Count >= MaxSensors)
            {
                columns.IsTruncated = true;
                break;
            }

            Label chipLabel = new("chip", chip);
            Label sensorLabel = new("sensor", sensor);
            if (element == "label")
            {
                string text = Sysfs.ReadText(Path.Combine(directory, file));
                columns.AddConstant(1, HwmonMetrics.SensorLabel, chipLabel, sensorLabel, new Label("label", text));
                continue;
            }

            foreach ((string wantedKind, string wantedElement, MetricDefinition metric, double divisor, bool isLimit) in HwmonMetrics.Elements)
            {
                if (wantedKind != kind || wantedElement != element)
                {
                    continue;
                }

                string path = Path.Combine(directory, file);
                AttributeReading reading = new(Divisor: divisor);
                bool wasAdded = isLimit
                    ? columns.AddConstant(path, reading, metric, chipLabel, sensorLabel)
                    : columns.Add(path, reading, metric, chipLabel, sensorLabel);
                added += wasAdded ? 1 : 0;
            }
        }

        return added;
    }
}
