using NodeAgent.Hosting.Configuration;

namespace NodeAgent.Aggregator.Sinks;

/// <summary>Engines that samples can be sent to.</summary>
internal enum SinkKind
{
    /// <summary>Nowhere.</summary>
    None,

    /// <summary>VictoriaMetrics, single node: <c>/write</c>.</summary>
    VictoriaMetrics,

    /// <summary>VictoriaMetrics cluster: vminsert's <c>/insert/TENANT/influx/write</c>.</summary>
    VictoriaMetricsCluster,

    /// <summary>InfluxDB 1.x: <c>/write?db=</c>.</summary>
    Influxdb1,

    /// <summary>InfluxDB 2.x and 3.x: <c>/api/v2/write?org=&amp;bucket=</c>.</summary>
    Influxdb2,
}

/// <summary>Where the same samples go that the store takes.</summary>
internal sealed class SinkSettings
{
    internal SinkKind Kind { get; set; }

    internal Uri? Url { get; set; }

    internal string Tenant { get; set; } = "0";

    internal string Database { get; set; } = "nodeagent";

    internal string? Organisation { get; set; }

    internal string? Bucket { get; set; }

    internal string? TokenFile { get; set; }

    internal string? User { get; set; }

    internal string? PasswordFile { get; set; }

    internal int BatchSamples { get; set; } = 10_000;

    internal TimeSpan BatchInterval { get; set; } = TimeSpan.FromSeconds(1);

    internal TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(10);

    internal long MaxLagBytes { get; set; } = 2L << 30;

    internal long DeadLettersMaxBytes { get; set; } = 64L << 20;

    internal static SettingCatalog<SinkSettings> Settings { get; } = SettingCatalog.Define<SinkSettings>(s => s
        .Choice("kind", o => o.Kind, (o, v) => o.Kind = v,
            "The engine: none, victoria_metrics, victoria_metrics_cluster (vminsert), influxdb1 (1.x), influxdb2 (2.x and 3.x).")
        .Endpoint("url", o => o.Url, (o, v) => o.Url = v, ["http", "https"], "Its address, like http://victoria:8428, http://vminsert:8480 or https://influx:8086.")
        .Text("tenant", o => o.Tenant, (o, v) => o.Tenant = v, "Tenant of a VictoriaMetrics cluster: a number, or two with a colon.")
        .Text("database", o => o.Database, (o, v) => o.Database = v, "Database of InfluxDB 1.x; it must exist.")
        .OptionalText("organisation", o => o.Organisation, (o, v) => o.Organisation = v, "Organisation of InfluxDB 2.x.")
        .OptionalText("bucket", o => o.Bucket, (o, v) => o.Bucket = v, "Bucket of InfluxDB 2.x, database of 3.x.")
        .OptionalFilePath("token_file", o => o.TokenFile, (o, v) => o.TokenFile = v, "File with the API token of InfluxDB 2.x and 3.x.")
        .OptionalText("user", o => o.User, (o, v) => o.User = v, "User for HTTP basic authentication, with password_file.")
        .OptionalFilePath("password_file", o => o.PasswordFile, (o, v) => o.PasswordFile = v, "File with the user's password.")
        .Integer("batch_samples", o => o.BatchSamples, (o, v) => o.BatchSamples = v, 100, 1_000_000, "A request is sent when it has so many samples.")
        .Duration("batch_interval", o => o.BatchInterval, (o, v) => o.BatchInterval = v, TimeSpan.FromMilliseconds(10), TimeSpan.FromMinutes(5),
            "A request is sent when its first sample is this old.")
        .Duration("timeout", o => o.Timeout, (o, v) => o.Timeout = v, TimeSpan.FromMilliseconds(100), TimeSpan.FromMinutes(5),
            "An answer that takes longer counts as none; the request is sent again.")
        .Bytes("max_lag_bytes", o => o.MaxLagBytes, (o, v) => o.MaxLagBytes = v, 16L << 20, 1L << 44,
            "While the engine does not answer, the write-ahead log keeps what it has missed, up to this size. Beyond it the oldest records go and "
            + "are counted as skipped. An outage costs no memory.")
        .Bytes("dead_letters_max_bytes", o => o.DeadLettersMaxBytes, (o, v) => o.DeadLettersMaxBytes = v, 1L << 20, 1L << 40,
            "Disk for lines that the engine refused as bad, with its reason; the oldest go first.")
        .Rule(["url"], o => o.Kind != SinkKind.None && o.Url is null ? "a sink needs the engine's address" : null)
        .Rule(["url"], o => o.Url is { Query.Length: > 0 } url ? $"{url} has a query; the path and what belongs to it are added here" : null)
        .Rule(["bucket"], o => o.Kind == SinkKind.Influxdb2 && o.Bucket is null ? "influxdb2 needs a bucket" : null)
        .Rule(["token_file"], o => o.Kind == SinkKind.Influxdb2 && o.TokenFile is null && o.User is null ? "influxdb2 needs token_file" : null)
        .Rule(["token_file", "user"], o => o.TokenFile is not null && o.User is not null ? "one of token_file and user says who we are" : null)
        .Rule(["password_file"], o => (o.PasswordFile is null) != (o.User is null) ? "user and password_file belong together" : null)
        .Rule(["tenant"], o => o.Tenant.All(c => char.IsAsciiDigit(c) || c == ':') ? null : $"'{o.Tenant}' is no tenant: a number, or two with a colon"));
}
