using Microsoft.Extensions.Logging;
using NodeAgent.Hosting.Logs;

namespace NodeAgent.Hosting.Lifetime;

/// <summary>Events of a process' life: 1010 to 1029.</summary>
internal static partial class ProcessLifetimeLog
{
    [LoggerMessage(EventId = 1010, EventName = "StopRequested", Level = LogLevel.Information,
        Message = "Stopping because of {Reason}; work has {StopTimeout} to end")]
    public static partial void StopRequested(this ILogger logger, string reason, TimeSpan stopTimeout);

    [LoggerMessage(EventId = 1011, EventName = "StopForced", Level = LogLevel.Warning,
        Message = "A second {Signal} arrived while stopping; ending at once")]
    [EventHelp(
        Meaning = "The process ended without finishing its stop. What was not on disk yet is lost; the spool recovers the rest at start.",
        Cause = "Someone pressed Ctrl+C twice, or a supervisor lost patience.",
        Action = "If the first signal was long before, look for what held the stop up in the lines between.")]
    public static partial void StopForced(this ILogger logger, string signal);

    [LoggerMessage(EventId = 1012, EventName = "StopTimedOut", Level = LogLevel.Error,
        Message = "Work did not end within {StopTimeout}; ending at once")]
    [EventHelp(
        Meaning = "Something did not let go when asked to stop. What was not on disk yet is lost.",
        Cause = "A hung driver call or network file system, or a peer that does not take its last data.",
        Action = "Look at the lines since StopRequested for who did not finish; report it, a stop should always end in time.")]
    public static partial void StopTimedOut(this ILogger logger, TimeSpan stopTimeout);

    [LoggerMessage(EventId = 1013, EventName = "ReloadRequested", Level = LogLevel.Information, Message = "Reloading because of SIGHUP")]
    public static partial void ReloadRequested(this ILogger logger);

    [LoggerMessage(EventId = 1014, EventName = "ReloadUnsupported", Level = LogLevel.Information,
        Message = "SIGHUP was ignored: this program reads its configuration only at start")]
    public static partial void ReloadUnsupported(this ILogger logger);

    [LoggerMessage(EventId = 1015, EventName = "StopCallbackFailed", Level = LogLevel.Error,
        Message = "Something that should stop threw instead")]
    [EventHelp(
        Meaning = "One part of the program did not stop in an orderly way; the others do.",
        Cause = "A bug: what runs on a stop must not throw.",
        Action = "Report it with this line; log.level debug adds the stack.")]
    public static partial void StopCallbackFailed(this ILogger logger, Exception exception);

    [LoggerMessage(EventId = 1016, EventName = "UnhandledException", Level = LogLevel.Critical,
        Message = "A bug ends this process")]
    [EventHelp(
        Meaning = "Nobody caught an exception, so the state of the process cannot be trusted and it ends; the supervisor starts it again.",
        Cause = "A bug.",
        Action = "Report it with this line and the runtime's own lines after it, which have the stack.")]
    public static partial void UnhandledException(this ILogger logger, Exception? exception);

    [LoggerMessage(EventId = 1017, EventName = "UnobservedTaskException", Level = LogLevel.Error,
        Message = "A background task failed and nobody looked")]
    [EventHelp(
        Meaning = "Work that ran in the background ended early; the process goes on without it.",
        Cause = "A bug: every task has an owner that awaits it.",
        Action = "Report it with this line; log.level debug adds the stack. Restart if something stands still.")]
    public static partial void UnobservedTaskException(this ILogger logger, Exception exception);
}
