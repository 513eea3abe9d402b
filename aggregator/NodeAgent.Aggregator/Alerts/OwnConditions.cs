using NodeAgent.Aggregator.Fleet;
using NodeAgent.V1;

namespace NodeAgent.Aggregator.Alerts;

/// <summary>What the aggregator knows to be wrong by itself, without a detector: agents that are silent, and its own disks, log and sink.</summary>
/// <param name="fleet">Whose agents.</param>
/// <param name="status">The aggregator's own state; asked once a look.</param>
/// <param name="room">Bytes free and in all on the disk of the state; null: cannot be told.</param>
/// <param name="settings">When something is wrong.</param>
internal sealed class OwnConditions(FleetRegistry fleet, Func<GetStatusResponse> status, Func<(long Free, long Total)?> room, AlertSettings settings) : IAlertSource
{
    private const double LeastFree = 0.05;
    private const double LogAlmostFull = 0.9;

    public IEnumerable<Alert> Active(long nowUnixMs)
    {
        GetStatusResponse now = status();
        return SilentAgents(nowUnixMs, now.StartedUnixMs).Concat(Disk()).Concat(Log(now.Log)).Concat(Store(now.Storage)).Concat(Sink(now.Sink));
    }

    // While this aggregator was away nobody could send: an agent has the same time to come back as it has to be missed.
    private IEnumerable<Alert> SilentAgents(long now, long startedUnixMs)
    {
        foreach (FleetNode node in fleet.Nodes)
        {
            long silent = now - node.LastReceivedUnixMs;
            long missed = now - Math.Max(node.LastReceivedUnixMs, startedUnixMs);
            if (node.LastReceivedUnixMs > 0 && missed >= settings.AgentSilentAfter.TotalMilliseconds && silent < settings.AgentForgottenAfter.TotalMilliseconds)
            {
                yield return new Alert("AgentSilent", AlertSeverity.Critical, new Dictionary<string, string> { ["node"] = node.Name },
                    $"{node.Name} sends nothing",
                    $"The agent of {node.Name} has sent nothing since {DateTimeOffset.FromUnixTimeMilliseconds(node.LastReceivedUnixMs):yyyy-MM-dd HH:mm:ss}Z. The host, its network or its agent is down; what it measures meanwhile is in its spool.",
                    "runbooks/detection.md#agent-silent", node.LastReceivedUnixMs);
            }
        }
    }

    private IEnumerable<Alert> Disk()
    {
        if (room() is { Total: > 0 } disk && disk.Free < disk.Total * LeastFree)
        {
            yield return Own("AggregatorDiskLow", AlertSeverity.Critical, "The aggregator's disk is almost full",
                $"{disk.Free >> 20} MiB of {disk.Total >> 20} MiB are free. Below store.min_free_bytes the oldest samples go; when nothing is left, nothing is acknowledged.");
        }
    }

    private static IEnumerable<Alert> Log(GetStatusResponse.Types.LogStatus? log)
    {
        if (log is { Healthy: false })
        {
            yield return Own("AggregatorLogFails", AlertSeverity.Critical, "The aggregator cannot write its log",
                $"{log.Error}. Nothing is acknowledged; agents keep everything in their spools until it works again.");
        }

        if (log is { LimitBytes: > 0 } && log.Bytes > log.LimitBytes * LogAlmostFull)
        {
            yield return Own("AggregatorLogAlmostFull", AlertSeverity.Warning, "The aggregator's log is almost full",
                $"{log.Bytes >> 20} MiB of {log.LimitBytes >> 20} MiB (wal.max_bytes). The store does not write its files, or the sink lags behind; at the limit the oldest records are let go of.");
        }
    }

    private static IEnumerable<Alert> Store(GetStatusResponse.Types.StorageStatus? storage)
    {
        if (storage is { Healthy: false })
        {
            yield return Own("AggregatorStoreFails", AlertSeverity.Critical, "The aggregator's store cannot write files", $"{storage.Error}. Samples stay in memory and in the log.");
        }

        if (storage is { QuarantinedSegments: > 0 })
        {
            yield return Own("AggregatorSegmentsDamaged", AlertSeverity.Warning, "Files of the store were damaged", $"{storage.QuarantinedSegments} segments were set aside at the last start; their samples are missing from answers.");
        }
    }

    private IEnumerable<Alert> Sink(GetStatusResponse.Types.SinkStatus? sink)
    {
        if (sink is not null && sink.LagMs >= settings.SinkLag.TotalMilliseconds)
        {
            yield return Own("SinkLagging", AlertSeverity.Warning, "Another engine is behind",
                $"{sink.Url} has not taken samples for {sink.LagMs / 1000} s. The log keeps them up to sink.max_lag_bytes; then the oldest are skipped.");
        }
    }

    private static Alert Own(string name, AlertSeverity severity, string summary, string description) =>
        new(name, severity, new Dictionary<string, string> { ["component"] = "aggregator" }, summary, description, $"runbooks/aggregator.md#{Anchor(name)}");

    // AggregatorDiskLow -> aggregator-disk-low
    private static string Anchor(string name) => string.Concat(name.Select((c, i) => char.IsAsciiLetterUpper(c) ? (i > 0 ? "-" : "") + char.ToLowerInvariant(c) : c.ToString()));
}
