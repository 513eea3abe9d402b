using NodeAgent.Hosting.Configuration;

namespace NodeAgent.Aggregator.Configuration;

/// <summary>Bounds of the time-series store.</summary>
internal sealed class StoreSettings
{
    internal string? Directory { get; set; }

    internal TimeSpan RawRetention { get; set; } = TimeSpan.FromDays(7);

    internal TimeSpan MinuteRetention { get; set; } = TimeSpan.FromDays(90);

    internal TimeSpan HourRetention { get; set; } = TimeSpan.FromDays(730);

    internal TimeSpan LateWindow { get; set; } = TimeSpan.FromDays(4);

    internal TimeSpan FlushInterval { get; set; } = TimeSpan.FromSeconds(384);

    internal long? MaxBytes { get; set; }

    internal long? MinFreeBytes { get; set; }

    internal bool PackClosedDays { get; set; } = true;

    internal int MaxSeriesPerNode { get; set; } = 20_000;

    internal int MaxInactiveSeries { get; set; } = 2_000_000;

    internal int MaxEvents { get; set; } = 100_000;

    internal static SettingCatalog<StoreSettings> Settings { get; } = SettingCatalog.Define<StoreSettings>(s => s
        .OptionalFilePath("directory", o => o.Directory, (o, v) => o.Directory = v,
            "The folder for samples. Null: store/ in state.directory. A log and a store belong together: move or restore both, or neither.",
            example: "/srv/nodeagent-store")
        .Duration("raw_retention", o => o.RawRetention, (o, v) => o.RawRetention = v, TimeSpan.FromDays(2), TimeSpan.FromDays(3_650),
            "Samples as they came are kept so long. 1,000 nodes of 400 series at 1 Hz take about 40 GiB a day.")
        .Duration("minute_retention", o => o.MinuteRetention, (o, v) => o.MinuteRetention = v, TimeSpan.FromDays(2), TimeSpan.FromDays(3_650),
            "One row a minute (least, greatest, sum, last) is kept so long; it takes about a fifteenth of the samples.")
        .Duration("hour_retention", o => o.HourRetention, (o, v) => o.HourRetention = v, TimeSpan.FromDays(2), TimeSpan.FromDays(36_500),
            "One row an hour is kept so long.")
        .Duration("late_window", o => o.LateWindow, (o, v) => o.LateWindow = v, TimeSpan.FromHours(1), TimeSpan.FromDays(30),
            "Samples older than this are refused when they come. An agent keeps 72 h while its aggregator is away.")
        .Duration("flush_interval", o => o.FlushInterval, (o, v) => o.FlushInterval = v, TimeSpan.FromSeconds(1), TimeSpan.FromHours(1),
            "How often what memory holds goes into files. Shorter makes many small files that are merged at once; longer takes memory, and time "
            + "to read the log back after a crash. Nothing is lost either way: until then it is in the log.")
        .OptionalBytes("max_bytes", o => o.MaxBytes, (o, v) => o.MaxBytes = v, 64L << 20, 1L << 50,
            "Disk for samples and their roll-ups. Over it the oldest files go and are counted: samples first, then minutes, then hours. Null: "
            + "no limit but min_free_bytes.")
        .OptionalBytes("min_free_bytes", o => o.MinFreeBytes, (o, v) => o.MinFreeBytes = v, 0, 1L << 50,
            "When the disk has less room than this left, the oldest files go. Null: a twentieth of the disk, at most 2 GiB.")
        .Bool("pack_closed_days", o => o.PackClosedDays, (o, v) => o.PackClosedDays = v,
            "Pack days that are over with Brotli: a tenth smaller, and about five times slower to read sample by sample; roll-ups are not affected.")
        .Integer("max_series_per_node", o => o.MaxSeriesPerNode, (o, v) => o.MaxSeriesPerNode = v, 100, 1_000_000,
            "A node that registers more is refused, so that one node's label explosion never costs the others.")
        .Integer("max_inactive_series", o => o.MaxInactiveSeries, (o, v) => o.MaxInactiveSeries = v, 1_000, 100_000_000,
            "Series that nobody feeds any more stay findable as long as their samples are kept, at about 400 bytes of memory each. Above this "
            + "many the longest silent are forgotten, and counted.")
        .Integer("max_events", o => o.MaxEvents, (o, v) => o.MaxEvents = v, 100, 10_000_000,
            "Events kept in memory; the oldest go first.")
        .Rule(["raw_retention", "late_window"], o => o.RawRetention - o.LateWindow < TimeSpan.FromDays(1)
            ? $"raw_retention ({o.RawRetention.TotalDays:0.##} d) must be at least a day longer than late_window ({o.LateWindow.TotalDays:0.##} d): "
                + "roll-ups are made from samples, also from late ones" : null)
        .Rule(["minute_retention"], o => o.MinuteRetention < o.RawRetention ? "shorter than raw_retention: roll-ups outlast samples, not the reverse" : null)
        .Rule(["hour_retention"], o => o.HourRetention < o.MinuteRetention ? "shorter than minute_retention: an hour's row outlasts its minutes" : null));
}
