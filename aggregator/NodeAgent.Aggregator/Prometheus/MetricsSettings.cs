using System.Net;
using NodeAgent.Hosting.Configuration;

namespace NodeAgent.Aggregator.Prometheus;

/// <summary>What Prometheus scrapes.</summary>
internal sealed class MetricsSettings
{
    internal IPEndPoint? Listen { get; set; }

    internal int MaxSeries { get; set; } = 200_000;

    internal static SettingCatalog<MetricsSettings> Settings { get; } = SettingCatalog.Define<MetricsSettings>(s => s
        .OptionalListen("listen", o => o.Listen, (o, v) => o.Listen = v,
            "A third address, for Prometheus: /metrics (the aggregator's own health), /federate?match[]=SELECTOR (newest values of the fleet), /healthz and /readyz. "
            + "On this machine's loopback it is plain HTTP and asks nobody who he is; elsewhere it is mutual TLS, and any certificate that may read will do. Null: none.",
            example: "127.0.0.1:7444")
        .Integer("max_series", o => o.MaxSeries, (o, v) => o.MaxSeries = v, 100, 10_000_000,
            "Series that one /federate answers with at most; a selector that matches more is refused, not cut."));
}
