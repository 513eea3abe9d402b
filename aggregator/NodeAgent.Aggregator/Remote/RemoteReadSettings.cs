using NodeAgent.Hosting.Configuration;

namespace NodeAgent.Aggregator.Remote;

/// <summary>Where queries are answered from.</summary>
internal enum RemoteKind
{
    /// <summary>The aggregator's own store.</summary>
    None,

    /// <summary>VictoriaMetrics, single node.</summary>
    VictoriaMetrics,

    /// <summary>VictoriaMetrics cluster: vmselect.</summary>
    VictoriaMetricsCluster,

    /// <summary>InfluxDB by InfluxQL: 1.x, and others that speak it.</summary>
    Influxdb1,
}

/// <summary>Another engine that answers queries in place of the store: the one that the sink sends to.</summary>
internal sealed class RemoteReadSettings
{
    internal RemoteKind Kind { get; set; }

    internal Uri? Url { get; set; }

    internal string Tenant { get; set; } = "0";

    internal string Database { get; set; } = "nodeagent";

    internal string? TokenFile { get; set; }

    internal string? User { get; set; }

    internal string? PasswordFile { get; set; }

    internal TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(30);

    internal int MaxSamplesMillions { get; set; } = 20;

    internal static SettingCatalog<RemoteReadSettings> Settings { get; } = SettingCatalog.Define<RemoteReadSettings>(s => s
        .Choice("kind", o => o.Kind, (o, v) => o.Kind = v,
            "The engine that expressions are evaluated on: none (the aggregator's own store), victoria_metrics, victoria_metrics_cluster (vmselect), "
            + "influxdb1 (InfluxQL). Lists of nodes, live streams and events stay the aggregator's own.")
        .Endpoint("url", o => o.Url, (o, v) => o.Url = v, ["http", "https"], "Its address, like http://victoria:8428, http://vmselect:8481 or http://influx:8086.")
        .Text("tenant", o => o.Tenant, (o, v) => o.Tenant = v, "Tenant of a VictoriaMetrics cluster.")
        .Text("database", o => o.Database, (o, v) => o.Database = v, "Database of InfluxDB.")
        .OptionalFilePath("token_file", o => o.TokenFile, (o, v) => o.TokenFile = v, "File with an API token, sent as `Authorization: Token`.")
        .OptionalText("user", o => o.User, (o, v) => o.User = v, "User for HTTP basic authentication, with password_file.")
        .OptionalFilePath("password_file", o => o.PasswordFile, (o, v) => o.PasswordFile = v, "File with the user's password.")
        .Duration("timeout", o => o.Timeout, (o, v) => o.Timeout = v, TimeSpan.FromMilliseconds(100), TimeSpan.FromHours(1), "Longest wait for an answer of the engine.")
        .Integer("max_samples_millions", o => o.MaxSamplesMillions, (o, v) => o.MaxSamplesMillions = v, 1, 1_000,
            "Samples that one query may fetch, in millions; they are held in memory, 16 bytes each.")
        .Rule(["url"], o => o.Kind != RemoteKind.None && o.Url is null ? "remote reads need the engine's address" : null)
        .Rule(["url"], o => o.Url is { Query.Length: > 0 } url ? $"{url} has a query; the path and what belongs to it are added here" : null)
        .Rule(["token_file", "user"], o => o.TokenFile is not null && o.User is not null ? "one of token_file and user says who we are" : null)
        .Rule(["password_file"], o => (o.PasswordFile is null) != (o.User is null) ? "user and password_file belong together" : null)
        .Rule(["tenant"], o => o.Tenant.All(c => char.IsAsciiDigit(c) || c == ':') ? null : $"'{o.Tenant}' is no tenant: a number, or two with a colon"));
}
