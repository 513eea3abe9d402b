using Microsoft.Extensions.Logging;
using NodeAgent.Hosting.Logs;

namespace NodeAgent.Aggregator.Sinks;

/// <summary>Events of the sink: 6100 to 6109.</summary>
internal static partial class SinkLog
{
    [LoggerMessage(EventId = 6100, EventName = "SinkStarted", Level = LogLevel.Information, Message = "Samples go to {Uri} from log record {SentThrough} on")]
    [EventHelp(Meaning = "The sink begins where it was when the aggregator stopped.", Cause = "The aggregator started with a sink.", Action = "None.")]
    internal static partial void SinkStarted(this ILogger logger, Uri uri, ulong sentThrough);

    [LoggerMessage(EventId = 6101, EventName = "SinkFails", Level = LogLevel.Warning, Message = "The engine does not take samples: {Reason}; the log keeps them, next attempt in {Wait}")]
    [EventHelp(
        Meaning = "Samples wait in the write-ahead log until the engine takes them. Nothing is lost while the log is below sink.max_lag_bytes.",
        Cause = "The engine is down, overloaded or unreachable; with 401, 403 or 404 the token, database or bucket is wrong.",
        Action = "Look at the engine; compare the sink's settings. The sink goes on by itself.")]
    internal static partial void SinkFails(this ILogger logger, string reason, TimeSpan wait);

    [LoggerMessage(EventId = 6102, EventName = "SinkWorks", Level = LogLevel.Information, Message = "The engine takes samples again; the sink is {Lag} behind")]
    [EventHelp(Meaning = "An outage of the engine is over; what it missed follows.", Cause = "The engine answers again.", Action = "None.")]
    internal static partial void SinkWorks(this ILogger logger, TimeSpan lag);

    [LoggerMessage(EventId = 6103, EventName = "SinkDeadLetters", Level = LogLevel.Warning, Message = "The engine refuses lines as bad, they are set aside: {Reason}")]
    [EventHelp(
        Meaning = "Some lines were refused for good; they are in dead-letters/ of the state directory with the reason.",
        Cause = "A field's type conflict in InfluxDB, a limit of the engine, or a time it does not accept.",
        Action = "Read the reason. Samples stay in the aggregator's own store.")]
    internal static partial void SinkDeadLetters(this ILogger logger, string reason);

    [LoggerMessage(EventId = 6104, EventName = "SinkSkipped", Level = LogLevel.Warning, Message = "{Records} log records were gone before they could be sent")]
    [EventHelp(
        Meaning = "The engine misses samples that the aggregator's own store has.",
        Cause = "The engine was away for longer than sink.max_lag_bytes holds, or the log is damaged.",
        Action = "Raise sink.max_lag_bytes if there is room; the gap stays.")]
    internal static partial void SinkSkipped(this ILogger logger, long records);

    [LoggerMessage(EventId = 6105, EventName = "SinkUnusable", Level = LogLevel.Error, Message = "The sink cannot start: {Reason}")]
    [EventHelp(Meaning = "Nothing is sent to the engine; all else works.", Cause = "A file with a secret, or the sink's folder, cannot be used.", Action = "Mend what the reason names and restart.")]
    internal static partial void SinkUnusable(this ILogger logger, string reason);

    [LoggerMessage(EventId = 6106, EventName = "RemoteReadUnusable", Level = LogLevel.Error, Message = "expressions cannot be answered from the other engine: {Reason}")]
    [EventHelp(
        Meaning = "The aggregator did not start: it is to answer from another engine, and never answers from its own store in its place.",
        Cause = "A file with a secret cannot be read.", Action = "Mend what the reason names, or set remote_read.kind to none, and start again.")]
    internal static partial void RemoteReadUnusable(this ILogger logger, string reason);
}
