using Microsoft.Extensions.Logging;

namespace NodeAgent.Hosting.Logs;

/// <summary>Events of the log itself: 1000 to 1009. Signals and notifications follow at 1010, the programs start at 1100.</summary>
internal static partial class EventLogLog
{
    [LoggerMessage(EventId = 1001, EventName = "LogLinesDropped", Level = LogLevel.Warning,
        Message = "{Lines} log lines were dropped because the reader of the log did not keep up")]
    [EventHelp(
        Meaning = "Events happened that are not in this log. The program itself was not held up.",
        Cause = "The terminal, pipe or journal that reads standard error stalled, or something logged in a burst.",
        Action = "Look at the lines just before. Check `systemctl status systemd-journald` and its rate limits, and lower log.level.")]
    public static partial void LogLinesDropped(this ILogger logger, long lines);

    [LoggerMessage(EventId = 1002, EventName = "EventRepeats", Level = LogLevel.Warning,
        Message = "{RepeatedEvent} happened {Count} more times for {Subject} in {During}")]
    [EventHelp(
        Meaning = "The named event keeps happening; its first line is further up, and the repeats are only counted.",
        Cause = "That of the named event.",
        Action = "Look up the named event.")]
    public static partial void EventRepeats(this ILogger logger, string repeatedEvent, string subject, long count, TimeSpan during);

    [LoggerMessage(EventId = 1003, EventName = "EventRepeatsEnded", Level = LogLevel.Information,
        Message = "{RepeatedEvent} for {Subject} is over: recovered after {Count} failures in {During}")]
    public static partial void EventRepeatsEnded(this ILogger logger, string repeatedEvent, string subject, long count, TimeSpan during);
}
