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
}
