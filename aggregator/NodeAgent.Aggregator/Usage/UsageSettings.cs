using NodeAgent.Hosting.Configuration;

namespace NodeAgent.Aggregator.Usage;

/// <summary>What usage reports need to know that no sample tells.</summary>
internal sealed class UsageSettings
{
    internal double GpuHourPrice { get; set; }

    internal string Currency { get; set; } = "";

    internal double IdleBelowRatio { get; set; } = 0.05;

    internal static SettingCatalog<UsageSettings> Settings { get; } = SettingCatalog.Define<UsageSettings>(s => s
        .Number("gpu_hour_price", o => o.GpuHourPrice, (o, v) => o.GpuHourPrice = v, 0, 1_000_000,
            "What an hour of a GPU costs: usage reports multiply idle hours by it. 0: costs are 0.")
        .Text("currency", o => o.Currency, (o, v) => o.Currency = v, "What the price is in, like EUR; printed beside costs.", allowEmpty: true, maxLength: 16)
        .Number("idle_below_ratio", o => o.IdleBelowRatio, (o, v) => o.IdleBelowRatio = v, 0, 1,
            "A GPU is idle in a minute (or the report's step) in which its mean utilisation is below this. Default 0.05: drivers and monitoring "
            + "alone make a few percent."));
}
