using System.Net;
using NodeAgent.Aggregator.Alerts;
using NodeAgent.Aggregator.Detection;
using NodeAgent.Aggregator.Identity;
using NodeAgent.Aggregator.Operations;
using NodeAgent.Aggregator.Prometheus;
using NodeAgent.Aggregator.Remote;
using NodeAgent.Aggregator.Sinks;
using NodeAgent.Aggregator.Usage;
using NodeAgent.Hosting.Configuration;
using NodeAgent.Hosting.Logs;
using Microsoft.Extensions.Logging;

namespace NodeAgent.Aggregator.Configuration;

/// <summary>The aggregator's settings as written; docs/configuration.md and the example file are generated from <see cref="Settings"/>.</summary>
internal sealed class AggregatorOptions
{
    internal LogSettings Log { get; } = new();

    internal ListenSettings Listen { get; } = new();

    internal IdentitySettings Identity { get; } = new();

    internal StateSettings State { get; } = new();

    internal StoreSettings Store { get; } = new();

    internal WalSettings Wal { get; } = new();

    internal QuotaSettings Quota { get; } = new();

    internal QuerySettings Query { get; } = new();

    internal DetectionSettings Detection { get; } = new();

    internal BackupSettings Backup { get; } = new();

    internal UsageSettings Usage { get; } = new();

    internal SinkSettings Sink { get; } = new();

    internal RemoteReadSettings RemoteRead { get; } = new();

    internal MetricsSettings Metrics { get; } = new();

    internal AlertSettings Alerts { get; } = new();

    internal static SettingCatalog<AggregatorOptions> Settings { get; } = SettingCatalog.Define<AggregatorOptions>(s => s
        .Section("log", o => o.Log, LogSettings.Settings, "What the aggregator writes to standard error.")
        .Section("listen", o => o.Listen, ListenSettings.Settings, "Where agents and tools connect.")
        .Section("identity", o => o.Identity, IdentitySettings.Settings, "How members of the fleet get certificates and keep them fresh. docs/runbooks/identity.md")
        .Section("state", o => o.State, StateSettings.Settings, "Where the aggregator keeps what must survive a restart.")
        .Section("store", o => o.Store, StoreSettings.Settings, "The time-series store: how long and how much is kept.")
        .Section("wal", o => o.Wal, WalSettings.Settings,
            "The write-ahead log: a record is acknowledged when it is there, and after a restart it is read back from there.")
        .Section("quota", o => o.Quota, QuotaSettings.Settings,
            "What one agent may send for long. Over it, the agent is asked to wait; it keeps its records meanwhile, and the others notice nothing.")
        .Section("query", o => o.Query, QuerySettings.Settings,
            "What one query, and all of them together, may take. One that reaches a limit ends with RESOURCE_EXHAUSTED and says which.")
        .Section("detection", o => o.Detection, DetectionSettings.Settings,
            "What watches over the samples: rules, detectors, peers, incidents (`nodectl incidents`). Ingest never waits for it.")
        .Section("backup", o => o.Backup, BackupSettings.Settings,
            "Backups on demand, while the aggregator works: `nodectl backup`. Without it, `aggregator backup` does the same on a stopped one.")
        .Section("usage", o => o.Usage, UsageSettings.Settings, "Prices and limits of usage reports: `nodectl usage`.")
        .Section("sink", o => o.Sink, SinkSettings.Settings,
            "Another engine that gets the same samples by line protocol: VictoriaMetrics or InfluxDB. The write-ahead log is its spool.")
        .Section("remote_read", o => o.RemoteRead, RemoteReadSettings.Settings,
            "Another engine that expressions are evaluated on, in place of the aggregator's own store: usually the one that the sink sends to.")
        .Section("metrics", o => o.Metrics, MetricsSettings.Settings, "What Prometheus scrapes: the aggregator's own health, and the fleet's newest values.")
        .Section("alerts", o => o.Alerts, AlertSettings.Settings, "Who is told what is wrong, and when it is.")
        .Rule(["metrics.listen", "listen.ca_file"], o => o.Metrics.Listen is { } address && !IPAddress.IsLoopback(address.Address) && o.Listen.CaFile is null
            ? $"{address} is not on this machine's loopback, so it needs the certificates of listen" : null)
        .Rule(["identity.issuer_certificate_file"], o => o.Identity.IssuerCertificateFile is not null && o.Listen.CaFile is null
            ? "an issuing CA needs listen.ca_file, the roots that stand behind it" : null));
}

/// <summary>Addresses and the aggregator's own certificate.</summary>
internal sealed class ListenSettings
{
    /// <summary>The well-known port of an aggregator.</summary>
    internal const int DefaultPort = 7443;

    internal IPEndPoint Address { get; set; } = new(IPAddress.Loopback, DefaultPort);

    internal string? CaFile { get; set; }

    internal string? CertificateFile { get; set; }

    internal string? KeyFile { get; set; }

    internal IPEndPoint? Plaintext { get; set; }

    internal static SettingCatalog<ListenSettings> Settings { get; } = SettingCatalog.Define<ListenSettings>(s => s
        .Listen("address", o => o.Address, (o, v) => o.Address = v,
            "Where agents and tools connect, with mutual TLS 1.3. Default is loopback: an aggregator for other hosts names an outer address or 0.0.0.0.")
        .OptionalFilePath("ca_file", o => o.CaFile, (o, v) => o.CaFile = v,
            "PEM file with the fleet's CA; only certificates it signed are let in. `nodectl fleet init` writes it.",
            example: "/etc/nodeagent/fleet/ca.crt")
        .OptionalFilePath("certificate_file", o => o.CertificateFile, (o, v) => o.CertificateFile = v,
            "PEM file with the aggregator's certificate.", example: "/etc/nodeagent/fleet/aggregator.crt")
        .OptionalFilePath("key_file", o => o.KeyFile, (o, v) => o.KeyFile = v,
            "PEM file with the certificate's private key.", example: "/etc/nodeagent/fleet/aggregator.key")
        .OptionalListen("plaintext", o => o.Plaintext, (o, v) => o.Plaintext = v,
            "A second address without TLS and without identities, for measurements on one machine: callers say who they are and are believed. "
            + "Loopback only. Null: none.", example: "127.0.0.1:7480")
        .Rule(["plaintext"], o => o.Plaintext is { } address && !IPAddress.IsLoopback(address.Address)
            ? $"{address} is not a loopback address; without TLS anybody on the network could be anybody" : null)
        .Rule(["plaintext"], o => o.Plaintext is { Port: 0 } ? "port 0 is any free port, which nobody would know; name one" : null)
        .Rule(["ca_file", "certificate_file", "key_file"], o =>
            (o.CaFile is null || o.CertificateFile is null || o.KeyFile is null)
            && (o.Plaintext is null || (o.CaFile ?? o.CertificateFile ?? o.KeyFile) is not null)
                ? "ca_file, certificate_file and key_file are all needed; `nodectl fleet init DIR` makes them" : null));
}

/// <summary>The folder for everything that lasts.</summary>
internal sealed class StateSettings
{
    internal string Directory { get; set; } = OperatingSystem.IsWindows()
        ? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.CommonApplicationData), "NodeAgent", "aggregator")
        : "/var/lib/nodeagent-aggregator";

    internal static SettingCatalog<StateSettings> Settings { get; } = SettingCatalog.Define<StateSettings>(s => s
        .FilePath("directory", o => o.Directory, (o, v) => o.Directory = v,
            "The folder for the write-ahead log (wal/), the time-series store (store/), events (events/), placement (placement/), identities (identity/), commands (commands/), incidents (incidents/), jobs (jobs/), records that were set aside (quarantine/), "
            + "the sink's place (sink/) and what its engine refused (dead-letters/). Made if missing; for one aggregator alone."));
}

/// <summary>Bounds of the write-ahead log.</summary>
internal sealed class WalSettings
{
    internal long MaxBytes { get; set; } = 4L << 30;

    internal TimeSpan CommitInterval { get; set; } = TimeSpan.FromMilliseconds(50);

    internal long QuarantineMaxBytes { get; set; } = 64L << 20;

    internal long EventsMaxBytes { get; set; } = 256L << 20;

    internal static SettingCatalog<WalSettings> Settings { get; } = SettingCatalog.Define<WalSettings>(s => s
        .Bytes("max_bytes", o => o.MaxBytes, (o, v) => o.MaxBytes = v, 256L << 20, 1L << 44,
            "Disk for the log. It keeps what the store has not written into its own files yet, about 15 minutes; only when those cannot be written "
            + "does it grow, and at this size its oldest records go: a crash then loses what they said. A node of 400 series at 1 Hz writes about 2 MiB an hour.")
        .Duration("commit_interval", o => o.CommitInterval, (o, v) => o.CommitInterval = v, TimeSpan.FromMilliseconds(1), TimeSpan.FromSeconds(5),
            "How long records gather before they are synced to the disk together.")
        .Bytes("quarantine_max_bytes", o => o.QuarantineMaxBytes, (o, v) => o.QuarantineMaxBytes = v, 1L << 20, 1L << 40,
            "Disk for records that were set aside with the reason; the oldest go first.")
        .Bytes("events_max_bytes", o => o.EventsMaxBytes, (o, v) => o.EventsMaxBytes = v, 1L << 20, 1L << 40,
            "Disk for events; the oldest go first."));
}

/// <summary>What one agent may send.</summary>
internal sealed class QuotaSettings
{
    internal int RecordsPerSecond { get; set; } = 2_000;

    internal long BytesPerSecond { get; set; } = 8L << 20;

    internal static SettingCatalog<QuotaSettings> Settings { get; } = SettingCatalog.Define<QuotaSettings>(s => s
        .Integer("records_per_second", o => o.RecordsPerSecond, (o, v) => o.RecordsPerSecond = v, 10, 1_000_000,
            "At 1 Hz an agent makes one; a backlog comes as fast as both sides can. Ten seconds of it are in reserve.")
        .Bytes("bytes_per_second", o => o.BytesPerSecond, (o, v) => o.BytesPerSecond = v, 64L << 10, 1L << 30,
            "A node of 400 series makes about 600 bytes a second. Ten seconds of it are in reserve."));
}
