using NodeAgent.Ctl.Output;
using NodeAgent.Ctl.Text;
using NodeAgent.V1;

namespace NodeAgent.Ctl.Views;

/// <summary>The aggregator's own state: <c>nodectl status</c>.</summary>
internal sealed record StatusItem
{
    public required string Server { get; init; }
    public required string Version { get; init; }
    public required string? Started { get; init; }
    public required long StartedUnixMs { get; init; }
    public required string? Wall { get; init; }
    public required long WallUnixMs { get; init; }
    public required ulong Nodes { get; init; }
    public required ulong LiveNodes { get; init; }
    public required ulong Series { get; init; }
    public required ulong SamplesTotal { get; init; }
    public required ulong FramesTotal { get; init; }
    public required ulong RejectedRecordsTotal { get; init; }
    public required ulong DuplicateRecordsTotal { get; init; }
    public required ulong QuarantinedRecordsTotal { get; init; }
    public required ulong EvictedSamplesTotal { get; init; }
    public required string? Oldest { get; init; }
    public required long? OldestUnixMs { get; init; }
    public required ulong StoreBytes { get; init; }

    /// <summary>Null: no limit.</summary>
    public required ulong? StoreLimitBytes { get; init; }

    /// <summary>False: the aggregator's disk fails, and it acknowledges nothing. Null: an aggregator without a log.</summary>
    public required bool? LogHealthy { get; init; }
    public required string? LogError { get; init; }
    public required ulong? LogBytes { get; init; }

    /// <summary>Where the same samples go; null: nowhere, and so are all of the sink's.</summary>
    public required string? SinkUrl { get; init; }
    public required bool? SinkHealthy { get; init; }
    public required ulong? SinkLagMs { get; init; }
    public required ulong? SinkSamplesTotal { get; init; }
    public required ulong? SinkDeadLettersTotal { get; init; }
    public required ulong? SinkSkippedRecordsTotal { get; init; }

    /// <summary>Null, as all of detection's: it is switched off.</summary>
    public required ulong? OpenIncidents { get; init; }
    public required ulong? DetectionSeries { get; init; }
    public required ulong? DetectionLagMs { get; init; }

    /// <summary>What is left out because detection is behind: none, lanes, peers.</summary>
    public required string? DetectionShedding { get; init; }
    public required ulong? DetectionShedRowsTotal { get; init; }

    public static StatusItem From(GetStatusResponse status, string server) => new()
    {
        Server = server,
        Version = status.Version,
        Started = MomentText.Rfc3339(status.StartedUnixMs),
        StartedUnixMs = status.StartedUnixMs,
        Wall = MomentText.Rfc3339(status.WallUnixMs),
        WallUnixMs = status.WallUnixMs,
        Nodes = status.Nodes,
        LiveNodes = status.LiveNodes,
        Series = status.Series,
        SamplesTotal = status.SamplesTotal,
        FramesTotal = status.FramesTotal,
        RejectedRecordsTotal = status.RejectedRecordsTotal,
        DuplicateRecordsTotal = status.DuplicateRecordsTotal,
        QuarantinedRecordsTotal = status.Ingest?.QuarantinedRecordsTotal ?? 0,
        EvictedSamplesTotal = status.EvictedSamplesTotal,
        Oldest = MomentText.Rfc3339(status.OldestUnixMs),
        OldestUnixMs = NodeItem.OrNull(status.OldestUnixMs),
        StoreBytes = status.StoreBytes,
        StoreLimitBytes = InventoryItem.OrNull(status.StoreLimitBytes),
        LogHealthy = status.Log?.Healthy,
        LogError = status.Log?.Error is { Length: > 0 } error ? error : null,
        LogBytes = status.Log?.Bytes,
        SinkUrl = status.Sink?.Url,
        SinkHealthy = status.Sink?.Healthy,
        SinkLagMs = status.Sink?.LagMs,
        SinkSamplesTotal = status.Sink?.SamplesTotal,
        SinkDeadLettersTotal = status.Sink?.DeadLettersTotal,
        SinkSkippedRecordsTotal = status.Sink?.SkippedRecordsTotal,
        OpenIncidents = status.Detection?.OpenIncidents,
        DetectionSeries = status.Detection?.Series,
        DetectionLagMs = status.Detection?.LagMs,
        DetectionShedding = status.Detection?.Shedding,
        DetectionShedRowsTotal = status.Detection?.ShedRowsTotal,
    };
}

/// <summary>How the status is shown.</summary>
internal static class StatusView
{
    public static readonly Listing<StatusItem> Listing = new(
        "Status",
        [
            Text("SERVER", "server", item => item.Server),
            Text("VERSION", "version", item => item.Version),
            Text("STARTED", "started", item => item.Started ?? ""),
            Text("WALL", "wall", item => item.Wall ?? ""),
            Text("NODES", "nodes", item => Raw.Whole(item.Nodes)),
            Text("LIVE", "liveNodes", item => Raw.Whole(item.LiveNodes)),
            Text("SERIES", "series", item => Raw.Whole(item.Series)),
            Text("SAMPLES", "samplesTotal", item => Raw.Whole(item.SamplesTotal)),
            Text("FRAMES", "framesTotal", item => Raw.Whole(item.FramesTotal)),
            Text("REJECTED", "rejectedRecordsTotal", item => Raw.Whole(item.RejectedRecordsTotal)),
            Text("DUPLICATE", "duplicateRecordsTotal", item => Raw.Whole(item.DuplicateRecordsTotal)),
            Text("QUARANTINED", "quarantinedRecordsTotal", item => Raw.Whole(item.QuarantinedRecordsTotal)),
            Text("EVICTED", "evictedSamplesTotal", item => Raw.Whole(item.EvictedSamplesTotal)),
            Text("OLDEST", "oldest", item => item.Oldest ?? ""),
            Text("STORE", "storeBytes", item => Raw.Whole(item.StoreBytes)),
            Text("LIMIT", "storeLimitBytes", item => item.StoreLimitBytes is { } limit ? Raw.Whole(limit) : ""),
            Text("LOG", "logHealthy", item => item.LogHealthy is { } healthy ? healthy ? "healthy" : "failing" : ""),
            Text("LOG-BYTES", "logBytes", item => item.LogBytes is { } bytes ? Raw.Whole(bytes) : ""),
            Text("SINK", "sinkUrl", item => item.SinkUrl ?? ""),
            Text("SINK-STATE", "sinkHealthy", item => item.SinkHealthy is { } healthy ? healthy ? "healthy" : "failing" : ""),
            Text("SINK-LAG", "sinkLagMs", item => item.SinkLagMs is { } lag ? Raw.Whole(lag) : ""),
            Text("SINK-SAMPLES", "sinkSamplesTotal", item => item.SinkSamplesTotal is { } samples ? Raw.Whole(samples) : ""),
            Text("SINK-DEAD-LETTERS", "sinkDeadLettersTotal", item => item.SinkDeadLettersTotal is { } letters ? Raw.Whole(letters) : ""),
            Text("INCIDENTS", "openIncidents", item => item.OpenIncidents is { } open ? Raw.Whole(open) : ""),
            Text("DETECTION-SERIES", "detectionSeries", item => item.DetectionSeries is { } series ? Raw.Whole(series) : ""),
            Text("DETECTION-LAG", "detectionLagMs", item => item.DetectionLagMs is { } lag ? Raw.Whole(lag) : ""),
            Text("SHEDDING", "detectionShedding", item => item.DetectionShedding ?? ""),
            Text("SHED-ROWS", "detectionShedRowsTotal", item => item.DetectionShedRowsTotal is { } rows ? Raw.Whole(rows) : ""),
            Text("SINK-SKIPPED", "sinkSkippedRecordsTotal", item => item.SinkSkippedRecordsTotal is { } skipped ? Raw.Whole(skipped) : ""),
        ],
        CtlJson.Default.StatusItem,
        "no status");

    public static StyledLines Render(StatusItem item, int width)
    {
        Facts facts = new(width);
        facts.Add("Aggregator", new Cell(item.Server, Tone.Strong), item.Version is "" ? "" : $", version {item.Version}");
        facts.Add("Up", Human.Age(item.WallUnixMs - item.StartedUnixMs), $", since {MomentText.DateAndClock(item.StartedUnixMs)} UTC");
        ulong away = item.Nodes - Math.Min(item.Nodes, item.LiveNodes);
        facts.Add("Nodes", $"{Human.Grouped(item.Nodes)}, {Human.Grouped(item.LiveNodes)} live", "");
        if (away > 0) facts.Add("Not live", new Cell(Human.Grouped(away), Tone.Warn), "; nodectl nodes lists them");
        facts.Add("Series", Human.Grouped(item.Series));
        if (item.OpenIncidents is { } incidents)
        {
            string behind = item.DetectionShedding is "none" or null ? "" : $"; detection is {Human.Seconds((item.DetectionLagMs ?? 0) / 1000.0)} behind and leaves out {item.DetectionShedding}";
            facts.Add("Incidents", new Cell(Human.Grouped(incidents), incidents > 0 ? Tone.Warn : Tone.Normal), $" open, {Human.Grouped(item.DetectionSeries ?? 0)} series watched{behind}");
        }

        facts.Add("Samples", Human.Grouped(item.SamplesTotal), $" in {Human.Grouped(item.FramesTotal)} frames{Rate(item)}");
        facts.Add("Rejected records", Count(item.RejectedRecordsTotal));
        facts.Add("Duplicate records", Human.Grouped(item.DuplicateRecordsTotal));
        if (item.QuarantinedRecordsTotal > 0) facts.Add("Quarantined records", Count(item.QuarantinedRecordsTotal));
        if (item.LogHealthy == false) facts.Add("Log", new Cell("failing", Tone.Bad), $": {item.LogError}; nothing is acknowledged until it works again");
        else if (item.LogBytes is { } log) facts.Add("Log", Human.Bytes(log));
        if (item.SinkUrl is not null) AddSink(facts, item);
        facts.Add("Store", Human.Bytes(item.StoreBytes), Limit(item));
        facts.Add("Oldest sample", item.OldestUnixMs is { } oldest ? Human.Age(item.WallUnixMs - oldest) + " ago" : Cell.None);
        facts.Add("Evicted samples", Count(item.EvictedSamplesTotal), item.EvictedSamplesTotal == 0 ? "" : ": the byte limit is smaller than the retention time needs");
        return facts.Render();
    }

    private static void AddSink(Facts facts, StatusItem item)
    {
        string behind = item.SinkLagMs is > 0 and var lag ? $", {Human.Age(lag)} behind" : "";
        facts.Add("Sink", item.SinkHealthy == true ? "sending" : new Cell("failing", Tone.Warn), $" to {item.SinkUrl}{behind}, {Human.Grouped(item.SinkSamplesTotal ?? 0)} samples");
        if (item.SinkDeadLettersTotal > 0) facts.Add("Sink refused", Count(item.SinkDeadLettersTotal ?? 0), " lines; they are in dead-letters/");
        if (item.SinkSkippedRecordsTotal > 0) facts.Add("Sink skipped", Count(item.SinkSkippedRecordsTotal ?? 0), " records: the engine was away for too long");
    }

    private static string Limit(StatusItem item) => item.StoreLimitBytes is { } limit
        ? $" of {Human.Bytes(limit)} ({Human.Percent(item.StoreBytes / (double)limit)})"
        : ", no limit";

    private static string Rate(StatusItem item)
    {
        double seconds = (item.WallUnixMs - item.StartedUnixMs) / 1000.0;
        return seconds >= 1 ? $", {Human.Count(Math.Round(item.SamplesTotal / seconds))}/s on average" : "";
    }

    private static Cell Count(ulong value) => new(Human.Grouped(value), value == 0 ? Tone.Normal : Tone.Warn);

    private static Column<StatusItem> Text(string header, string name, Func<StatusItem, string> read) => new(header, name, item => read(item), read);
}
