using NodeAgent.Contracts.Metrics;
using NodeAgent.Contracts.Series;
using NodeAgent.Sampling.Linux;

namespace NodeAgent.Sampling.Sensors;

/// <summary>Memory errors counted by the memory controllers, down to the module to replace.</summary>
internal sealed class EdacSampler(HostRoots roots) : SysfsSampler(Path.Combine(roots.Sys, "devices/system/edac/mc"))
{
    public override string Name => "edac";

    protected override void Build(AttributeColumns columns)
    {
        foreach (string name in Sysfs.Names(ClassDirectory, "mc"))
        {
            if (Sysfs.NumberAfter(name, "mc") is not int number)
            {
                continue;
            }

            string directory = Path.Combine(ClassDirectory, name);
            Label controller = new("controller", number.ToString());
            columns.Add(Path.Combine(directory, "ce_count"), AttributeReading.Plain, EdacMetrics.CorrectableErrorsTotal, controller);
            columns.Add(Path.Combine(directory, "ue_count"), AttributeReading.Plain, EdacMetrics.UncorrectableErrorsTotal, controller);
            AddRow(columns, directory, "ce_noinfo_count", "ue_noinfo_count", controller, "unknown");
            foreach (string row in Sysfs.Names(directory, "csrow"))
            {
                AddRow(columns, Path.Combine(directory, row), "ce_count", "ue_count", controller, row["csrow".Length..]);
            }

            foreach (string module in Sysfs.Names(directory, "dimm").Concat(Sysfs.Names(directory, "rank")))
            {
                AddModule(columns, Path.Combine(directory, module), controller, module);
            }
        }
    }

    private static void AddRow(AttributeColumns columns, string directory, string corrected, string uncorrected, Label controller, string row)
    {
        Label label = new("csrow", row);
        columns.Add(Path.Combine(directory, corrected), AttributeReading.Plain, EdacMetrics.RowCorrectableErrorsTotal, controller, label);
        columns.Add(Path.Combine(directory, uncorrected), AttributeReading.Plain, EdacMetrics.RowUncorrectableErrorsTotal, controller, label);
    }

    private static void AddModule(AttributeColumns columns, string directory, Label controller, string module)
    {
        Label dimm = new("dimm", module);
        Label name = new("label", Sysfs.ReadText(Path.Combine(directory, "dimm_label")));
        columns.Add(Path.Combine(directory, "dimm_ce_count"), AttributeReading.Plain, EdacMetrics.DimmCorrectableErrorsTotal, controller, dimm, name);
        columns.Add(Path.Combine(directory, "dimm_ue_count"), AttributeReading.Plain, EdacMetrics.DimmUncorrectableErrorsTotal, controller, dimm, name);
    }
}
