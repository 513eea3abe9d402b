using NodeAgent.Contracts.Metrics;
using NodeAgent.Contracts.Series;
using NodeAgent.Sampling.Linux;
using NodeAgent.Sampling.Scheduling;

namespace NodeAgent.Sampling.Power;

/// <summary>
/// Energy of processor packages and their parts. energy_uj starts again at zero after max_energy_range_uj, which a busy package
/// reaches within an hour, so a wrap has to be seen: at 400 W and 262 kJ it takes 11 minutes, far more than a tick.
/// </summary>
internal sealed class PowerSampler(HostRoots roots) : SysfsSampler(Path.Combine(roots.Sys, "class/powercap"))
{
    private const double MicrojoulesPerJoule = 1_000_000;
    private bool _hasZones;

    public override string Name => "power";

    /// <summary>Since kernel 5.10 only root may read energy_uj (CVE-2020-8694): then there is a source, and it could not be read.</summary>
    protected override SampleStatus EmptyStatus => _hasZones ? SampleStatus.Failed : SampleStatus.NoData;

    protected override void Build(AttributeColumns columns)
    {
        _hasZones = false;
        Dictionary<string, int> used = [];
        foreach (string folder in Sysfs.Names(ClassDirectory))
        {
            string directory = Path.Combine(ClassDirectory, folder);
            string name = Sysfs.ReadText(Path.Combine(directory, "name"));
            if (name.Length == 0)
            {
                continue; // a control type, not a zone
            }

            _hasZones = true;
            (string zone, int index) = RaplNames.Split(name, used);
            Add(columns, directory, zone, new Label("index", index.ToString()), new Label("path", $"/sys/class/powercap/{folder}"));
        }
    }

    private static void Add(AttributeColumns columns, string directory, string zone, Label index, Label path)
    {
        AttributeReading reading = new(Divisor: MicrojoulesPerJoule);
        string energy = Path.Combine(directory, "energy_uj");
        ulong range = (ulong)Math.Max(0, Sysfs.ReadInteger(Path.Combine(directory, "max_energy_range_uj")) ?? 0);
        if (RaplNames.Metric(zone) is MetricDefinition metric)
        {
            columns.AddWrapping(energy, range, reading, metric, index, path);
        }
        else
        {
            columns.AddWrapping(energy, range, reading, PowerMetrics.ZoneJoulesTotal, index, path, new Label("zone", zone));
        }
    }
}
