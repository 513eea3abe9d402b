using NodeAgent.Ctl.Text;
using NodeAgent.V1;

namespace NodeAgent.Ctl.Views;

/// <summary>One row of <c>nodectl usage</c>.</summary>
internal sealed record UsageItem
{
    /// <summary>The label's value; empty: GPUs without the label.</summary>
    public required string Key { get; init; }

    public required uint Gpus { get; init; }

    public required double GpuHours { get; init; }

    /// <summary>0 to 1. Null: never seen.</summary>
    public required double? MeanUtilizationRatio { get; init; }

    public required double IdleHours { get; init; }

    public required double IdleCost { get; init; }

    public required double EnergyKilowattHours { get; init; }

    /// <summary>counter, power, mixed or none.</summary>
    public required string EnergySource { get; init; }

    /// <summary>The sum that people read below the others.</summary>
    internal bool IsTotal { get; init; }

    public static UsageItem From(UsageEntry entry, UsageResponse answer, bool isTotal) => new()
    {
        Key = entry.Key,
        Gpus = entry.Gpus,
        GpuHours = entry.GpuHours,
        MeanUtilizationRatio = Raw.Finite(entry.MeanUtilizationRatio),
        IdleHours = entry.IdleHours,
        IdleCost = entry.IdleCost,
        EnergyKilowattHours = entry.EnergyKilowattHours,
        EnergySource = entry.EnergySource switch
        {
            V1.EnergySource.Counter => "counter",
            V1.EnergySource.Power => "power",
            V1.EnergySource.Mixed => "mixed",
            _ => "none",
        },
        IsTotal = isTotal,
    };
}
