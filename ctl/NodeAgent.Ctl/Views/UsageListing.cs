using System.Globalization;
using System.Text.Json;
using NodeAgent.Ctl.Output;
using NodeAgent.Ctl.Text;
using NodeAgent.V1;

namespace NodeAgent.Ctl.Views;

/// <summary>Columns of <c>nodectl usage</c>.</summary>
internal static class UsageListing
{
    public static Listing<UsageItem> For(UsageResponse answer) => new(
        "UsageList",
        [
            new(answer.By.ToUpperInvariant(), "key", Key, item => item.Key) { ShrinkTo = 12 },
            new("GPUS", "gpus", item => Human.Grouped(item.Gpus), item => Raw.Whole(item.Gpus)) { RightAligned = true, DropOrder = 2 },
            new("GPU HOURS", "gpuHours", item => Fixed(item.GpuHours), item => Raw.Number(item.GpuHours)) { RightAligned = true },
            new("UTIL", "meanUtilizationRatio", item => Human.Percent(item.MeanUtilizationRatio ?? double.NaN), item => Raw.Number(item.MeanUtilizationRatio)) { RightAligned = true },
            new("IDLE HOURS", "idleHours", item => Fixed(item.IdleHours), item => Raw.Number(item.IdleHours)) { RightAligned = true, DropOrder = 1 },
            new(answer.Currency.Length > 0 ? $"IDLE {answer.Currency}" : "IDLE COST", "idleCost", item => answer.GpuHourPrice > 0 ? Fixed(item.IdleCost) : Cell.None, item => Raw.Number(item.IdleCost)) { RightAligned = true },
            new("KWH", "energyKilowattHours", item => item.EnergySource == "none" ? Cell.None : Fixed(item.EnergyKilowattHours), item => Raw.Number(item.EnergyKilowattHours)) { RightAligned = true },
            new("ENERGY BY", "energySource", item => item.EnergySource, item => item.EnergySource) { DropOrder = 3 },
        ],
        CtlJson.Default.UsageItem,
        "no GPU was seen in this time");

    /// <summary>What the rows are about, for the JSON document.</summary>
    public static void About(Utf8JsonWriter json, UsageResponse answer)
    {
        json.WriteString("by", answer.By);
        json.WriteString("from", MomentText.Rfc3339(answer.FromUnixMs));
        json.WriteString("to", MomentText.Rfc3339(answer.ToUnixMs));
        json.WriteNumber("fromUnixMs", answer.FromUnixMs);
        json.WriteNumber("toUnixMs", answer.ToUnixMs);
        json.WriteNumber("stepMs", answer.StepMs);
        json.WriteNumber("gpuHourPrice", answer.GpuHourPrice);
        json.WriteString("currency", answer.Currency);
        json.WriteNumber("idleBelowRatio", answer.IdleBelowRatio);
    }

    private static Cell Key(UsageItem item) => item.IsTotal ? new Cell("total", Tone.Strong) : item.Key.Length > 0 ? new Cell(item.Key) : Cell.None;

    // Money and hours are compared down a column, so they keep their decimals.
    private static Cell Fixed(double value) => value.ToString("#,0.00", CultureInfo.InvariantCulture);
}
