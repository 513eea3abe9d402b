using Microsoft.Extensions.Logging;
using NodeAgent.Hosting.Logs;

namespace NodeAgent.Aggregator.Detection;

/// <summary>Events of detection: 8000 to 8099.</summary>
internal sealed partial class DetectionLog(ILogger<DetectionLog> logger)
{
    internal void Replayed(int incidents, int silences, long unread) => IncidentsReplayed(logger, incidents, silences, unread);

    internal void Behind(string shed, long lagMs, int rows) => DetectionBehind(logger, shed, lagMs, rows);

    internal void CaughtUp(long samples, long looks, long rows) => DetectionCaughtUp(logger, samples, looks, rows);

    internal void Damaged(long records, long tornBytes) => IncidentJournalDamaged(logger, records, tornBytes);

    // A bug repeats with every row: the first ones say all there is.
    internal void Failed(long times, Exception exception)
    {
        if (times <= 3 || (times & (times - 1)) == 0)
        {
            DetectionFailed(logger, times, exception);
        }
    }

    [LoggerMessage(EventId = 8000, EventName = "IncidentsReplayed", Level = LogLevel.Information,
        Message = "detection has {Incidents} incidents and {Silences} silences again ({Unread} records unread)")]
    private static partial void IncidentsReplayed(ILogger logger, int incidents, int silences, long unread);

    [LoggerMessage(EventId = 8001, EventName = "DetectionBehind", Level = LogLevel.Warning,
        Message = "detection is behind by {LagMs} ms, {Rows} rows wait: {Shed} are left out from now on")]
    [EventHelp(
        Meaning = "Rows come faster than detection looks at them. It leaves out what is cheapest to do without: first score lanes, then peers. Ingest is not affected; rules and events go on.",
        Cause = "Too few processors for the fleet, or other work on the machine.",
        Action = "`nodectl status` shows lag and what was left out. If it lasts, give the aggregator more processors, or set detection.max_memory lower so that fewer series are scored.")]
    private static partial void DetectionBehind(ILogger logger, string shed, long lagMs, int rows);

    [LoggerMessage(EventId = 8002, EventName = "DetectionCaughtUp", Level = LogLevel.Information,
        Message = "detection has caught up; left out since the start: {Samples} samples of lanes, {Looks} looks at peers, {Rows} rows")]
    private static partial void DetectionCaughtUp(ILogger logger, long samples, long looks, long rows);

    [LoggerMessage(EventId = 8003, EventName = "DetectionFailed", Level = LogLevel.Error, Message = "detection failed ({Times} times since the start): what it looked at was passed over")]
    [EventHelp(
        Meaning = "A bug in detection. The row, event or look that met it was passed over; samples are stored and served as always.",
        Cause = "A case nobody thought of.",
        Action = "Report it with the trace. detection.enabled = false switches detection off.")]
    private static partial void DetectionFailed(ILogger logger, long times, Exception exception);

    [LoggerMessage(EventId = 8004, EventName = "IncidentJournalDamaged", Level = LogLevel.Warning,
        Message = "the incident journal is damaged: {Records} records lost, {TornBytes} bytes torn")]
    [EventHelp(
        Meaning = "Some of what was known about incidents, silences or verdicts before the last stop cannot be read back.",
        Cause = "Damage on the disk.",
        Action = "Check the disk. What is still wrong is found again; silences may have to be set again.")]
    private static partial void IncidentJournalDamaged(ILogger logger, long records, long tornBytes);
}
