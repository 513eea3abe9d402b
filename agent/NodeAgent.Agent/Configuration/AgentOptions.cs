using NodeAgent.Agent.Gpu;
using NodeAgent.Agent.Identity;
using NodeAgent.Agent.Metrics;
using NodeAgent.Hosting.Configuration;
using NodeAgent.Hosting.Logs;

namespace NodeAgent.Agent.Configuration;

/// <summary>The agent's settings as written; docs/configuration.md and the example file are generated from <see cref="Settings"/>.</summary>
internal sealed class AgentOptions
{
    internal LogSettings Log { get; } = new();

    internal UplinkSettings Uplink { get; } = new();

    internal IdentitySettings Identity { get; } = new();

    internal SamplingSettings Sampling { get; } = new();

    internal GpuSettings Gpu { get; } = new();

    internal SpoolSettings Spool { get; } = new();

    internal ActuatorSettings Actuator { get; } = new();

    internal MetricsSettings Metrics { get; } = new();

    /// <summary>The pace of a backlog: a multiple of the rate at which frames are made.</summary>
    internal double BacklogRecordsPerSecond => Uplink.BacklogSpeed / Sampling.ShortestInterval.TotalSeconds;

    internal static SettingCatalog<AgentOptions> Settings { get; } = SettingCatalog.Define<AgentOptions>(s => s
        .Section("log", o => o.Log, LogSettings.Settings, "What the agent writes to standard error.")
        .Section("uplink", o => o.Uplink, UplinkSettings.Settings, "The aggregator and how to prove who we are. The agent only dials out; it never listens.")
        .Section("identity", o => o.Identity, IdentitySettings.Settings, "This host's certificate, where it was enrolled: how it gets it, and where it is. Not used where uplink names files made by hand.")
        .Section("sampling", o => o.Sampling, SamplingSettings.Settings, "What is read, and how often.")
        .Section("gpu", o => o.Gpu, GpuSettings.Settings, "How NVIDIA GPUs are read.")
        .Section("spool", o => o.Spool, SpoolSettings.Settings, "What is kept while the aggregator is away.")
        .Section("actuator", o => o.Actuator, ActuatorSettings.Settings,
            "How commands reach the one process that may act on this host, `nodeagent actuator`; what it may do stands in its policy file.")
        .Section("metrics", o => o.Metrics, MetricsSettings.Settings, "What Prometheus may scrape on this host; off unless an address is given."));
}

/// <summary>Where the agent connects.</summary>
internal sealed class UplinkSettings
{
    internal Uri? Aggregator { get; set; } = new("https://127.0.0.1:7443");

    internal string? CaFile { get; set; }

    internal string? CertificateFile { get; set; }

    internal string? KeyFile { get; set; }

    internal string? ServerName { get; set; }

    internal string? PlaintextNode { get; set; }

    internal int BacklogSpeed { get; set; } = 4;

    internal static SettingCatalog<UplinkSettings> Settings { get; } = SettingCatalog.Define<UplinkSettings>(s => s
        .Endpoint("aggregator", o => o.Aggregator, (o, v) => o.Aggregator = v, ["https", "http"],
            "The aggregator's address. http is without TLS, for measurements on one machine, and needs plaintext_node.",
            required: false, example: "https://aggregator.example:7443")
        .OptionalFilePath("ca_file", o => o.CaFile, (o, v) => o.CaFile = v,
            "PEM file with the fleet's roots, for a certificate made by hand; only an aggregator that one of them stands behind is talked to.", example: "/etc/nodeagent/fleet/ca.crt")
        .OptionalFilePath("certificate_file", o => o.CertificateFile, (o, v) => o.CertificateFile = v,
            "PEM file with this host's certificate, made by hand with `nodectl fleet issue`; it says what the node is called, and is never renewed. Null: this host is enrolled (identity).", example: "/etc/nodeagent/agent.crt")
        .OptionalFilePath("key_file", o => o.KeyFile, (o, v) => o.KeyFile = v,
            "PEM file with the certificate's private key.", example: "/etc/nodeagent/agent.key")
        .OptionalText("server_name", o => o.ServerName, (o, v) => o.ServerName = v,
            "Name that the aggregator's certificate must carry. Null: the host in the address.")
        .OptionalText("plaintext_node", o => o.PlaintextNode, (o, v) => o.PlaintextNode = v,
            "The node's name towards an http aggregator, which has no certificate to take it from. Not allowed with https.")
        .Integer("backlog_speed", o => o.BacklogSpeed, (o, v) => o.BacklogSpeed = v, 1, 1000,
            "How much faster than it was made a backlog is handed over after an absence, beside fresh data. "
            + "Bounds what a fleet asks of its aggregator after an outage.")
        .Rule(["aggregator", "plaintext_node"], o => o.Aggregator?.Scheme == "http" != (o.PlaintextNode is not null)
            ? "plaintext_node goes with an http address and only with it" : null)
        .Rule(["aggregator"], o => o.Aggregator is { Scheme: "http", IsLoopback: false }
            ? $"{o.Aggregator} is not on this machine; telemetry leaves a machine only through https" : null)
        .Rule(["ca_file", "certificate_file", "key_file"], o =>
            new[] { o.CaFile, o.CertificateFile, o.KeyFile }.Count(file => file is null) is 1 or 2
                ? "ca_file, certificate_file and key_file go together; without any of them this host is enrolled: `nodeagent enrol`" : null));
}
