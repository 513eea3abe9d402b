using System.Net;
using NodeAgent.Hosting.Configuration;
using NodeAgent.Hosting.Logs;

namespace NodeAgent.Hosting.Tests.Configuration;

/// <summary>A program's options with every kind of setting, as the agent and the aggregator declare theirs.</summary>
internal sealed class SampleOptions
{
    public LogSettings Log { get; } = new();

    public SamplingOptions Sampling { get; } = new();

    public SpoolOptions Spool { get; } = new();

    public UplinkOptions Uplink { get; } = new();

    public static SettingCatalog<SampleOptions> Settings { get; } = SettingCatalog.Define<SampleOptions>(s => s
        .Section("log", o => o.Log, LogSettings.Settings, "What is written to standard error.")
        .Section("sampling", o => o.Sampling, SamplingOptions.Settings, "What is read, and how often.")
        .Section("spool", o => o.Spool, SpoolOptions.Settings, "What is kept while the aggregator is away.")
        .Section("uplink", o => o.Uplink, UplinkOptions.Settings, "Where the telemetry goes."));

    internal sealed class SamplingOptions
    {
        public TimeSpan Interval { get; set; } = TimeSpan.FromSeconds(1);

        public bool PerCore { get; set; }

        public IDictionary<string, SamplerOptions> Samplers { get; } = new Dictionary<string, SamplerOptions>
        {
            ["filesystem"] = new() { Interval = TimeSpan.FromSeconds(10) },
        };

        public IDictionary<string, InterfaceOptions> Interfaces { get; } = new Dictionary<string, InterfaceOptions>();

        public static SettingCatalog<SamplingOptions> Settings { get; } = SettingCatalog.Define<SamplingOptions>(s => s
            .Duration("interval", o => o.Interval, (o, v) => o.Interval = v, TimeSpan.FromMilliseconds(100), TimeSpan.FromMinutes(1),
                "Time between two readings.")
            .Bool("per_core", o => o.PerCore, (o, v) => o.PerCore = v, "One series a core and mode. Costs eight series a core.")
            .Map("samplers", o => o.Samplers, SamplerOptions.Settings, "One sampler's own settings.", ["cpu", "disk", "filesystem"])
            .Map("interfaces", o => o.Interfaces, InterfaceOptions.Settings, "One network interface's own settings."));
    }

    internal sealed class SamplerOptions
    {
        public bool Enabled { get; set; } = true;

        public TimeSpan? Interval { get; set; }

        public static SettingCatalog<SamplerOptions> Settings { get; } = SettingCatalog.Define<SamplerOptions>(s => s
            .Bool("enabled", o => o.Enabled, (o, v) => o.Enabled = v, "Whether it runs.")
            .OptionalDuration("interval", o => o.Interval, (o, v) => o.Interval = v, TimeSpan.FromMilliseconds(100), TimeSpan.FromMinutes(1),
                "Time between two readings. Null: sampling.interval."));
    }

    internal sealed class InterfaceOptions
    {
        public int SpeedMbit { get; set; }

        public static SettingCatalog<InterfaceOptions> Settings { get; } = SettingCatalog.Define<InterfaceOptions>(s => s
            .Integer("speed_mbit", o => o.SpeedMbit, (o, v) => o.SpeedMbit = v, 0, 1_600_000, "Overrides the driver's speed. 0: ask the driver."));
    }

    internal sealed class SpoolOptions
    {
        public string Folder { get; set; } = "/var/lib/sample/spool";

        public long MinBytes { get; set; } = 1 << 20;

        public long MaxBytes { get; set; } = 256L << 20;

        public long? ReserveBytes { get; set; }

        public double CompactRatio { get; set; } = 0.5;

        public Fsync Fsync { get; set; } = Fsync.EachBatch;

        public static SettingCatalog<SpoolOptions> Settings { get; } = SettingCatalog.Define<SpoolOptions>(s => s
            .FilePath("folder", o => o.Folder, (o, v) => o.Folder = v, "Where the segments are.", absolute: true)
            .Bytes("min_bytes", o => o.MinBytes, (o, v) => o.MinBytes = v, 4096, 1L << 40, "Space taken at start.")
            .Bytes("max_bytes", o => o.MaxBytes, (o, v) => o.MaxBytes = v, 4096, 1L << 40, "The oldest go first beyond this.")
            .OptionalBytes("reserve_bytes", o => o.ReserveBytes, (o, v) => o.ReserveBytes = v, 0, 1L << 40, "Free space left to others. Null: a tenth.")
            .Number("compact_ratio", o => o.CompactRatio, (o, v) => o.CompactRatio = v, 0, 1, "Share of dead records that starts a compaction.")
            .Choice("fsync", o => o.Fsync, (o, v) => o.Fsync = v, "When data is forced to the disk.")
            .Rule(["min_bytes", "max_bytes"], o => o.MinBytes > o.MaxBytes ? "min_bytes must not be above max_bytes" : null));
    }

    internal sealed class UplinkOptions
    {
        public Uri? Aggregator { get; set; }

        public Uri? Fallback { get; set; }

        public string Name { get; set; } = "";

        public string? Token { get; set; }

        public int Streams { get; set; } = 1;

        public int? Retries { get; set; }

        public bool? Compress { get; set; }

        public string? CaFile { get; set; }

        public IPEndPoint Listen { get; set; } = new(IPAddress.Loopback, 7443);

        public IPEndPoint? Debug { get; set; }

        public IReadOnlyList<string> Labels { get; set; } = ["region=eu", "rack=7"];

        public static SettingCatalog<UplinkOptions> Settings { get; } = SettingCatalog.Define<UplinkOptions>(s => s
            .Endpoint("aggregator", o => o.Aggregator, (o, v) => o.Aggregator = v, ["https", "http"], "The aggregator's address.",
                required: true, example: "https://aggregator.example:7443")
            .Endpoint("fallback", o => o.Fallback, (o, v) => o.Fallback = v, ["https"], "Tried when the first is away. Null: none.")
            .Text("name", o => o.Name, (o, v) => o.Name = v, "What this node is called. Empty: its host name.", allowEmpty: true, maxLength: 63)
            .OptionalText("token", o => o.Token, (o, v) => o.Token = v, "Proof for joining.", secret: true)
            .Integer("streams", o => o.Streams, (o, v) => o.Streams = v, 1, 16, "Streams at once.")
            .OptionalInteger("retries", o => o.Retries, (o, v) => o.Retries = v, 0, 100, "Attempts before giving up. Null: for ever.")
            .OptionalBool("compress", o => o.Compress, (o, v) => o.Compress = v, "Whether frames are compressed. Null: if it pays.")
            .OptionalFilePath("ca_file", o => o.CaFile, (o, v) => o.CaFile = v, "Who may sign the aggregator. Null: the system's authorities.")
            .Listen("listen", o => o.Listen, (o, v) => o.Listen = v, "Where metrics are served.")
            .OptionalListen("debug", o => o.Debug, (o, v) => o.Debug = v, "Where dumps are served. Null: nowhere.")
            .TextList("labels", o => o.Labels, (o, v) => o.Labels = v, "Labels of this node.", maxItems: 4));
    }

    internal enum Fsync
    {
        Never,
        EachBatch,
        EachRecord,
    }
}
