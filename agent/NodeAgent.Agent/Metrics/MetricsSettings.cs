using System.Net;
using NodeAgent.Hosting.Configuration;

namespace NodeAgent.Agent.Metrics;

/// <summary>What Prometheus may scrape on this host.</summary>
internal sealed class MetricsSettings
{
    internal IPEndPoint? Listen { get; set; }

    internal static SettingCatalog<MetricsSettings> Settings { get; } = SettingCatalog.Define<MetricsSettings>(s => s
        .OptionalListen("listen", o => o.Listen, (o, v) => o.Listen = v,
            "A loopback address that answers /metrics with the newest readings, under node_exporter's names, in plain HTTP. Null: the agent listens nowhere.",
            example: "127.0.0.1:9101")
        .Rule(["listen"], o => o.Listen is { } address && !IPAddress.IsLoopback(address.Address)
            ? $"{address} is not on this machine's loopback; other machines ask the aggregator (metrics.listen there)" : null));
}
