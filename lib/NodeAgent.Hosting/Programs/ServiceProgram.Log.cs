using Microsoft.Extensions.Logging;
using NodeAgent.Hosting.Logs;

namespace NodeAgent.Hosting.Programs;

/// <summary>Events of a program as a whole: 1030 to 1039.</summary>
internal static partial class ServiceProgramLog
{
    [LoggerMessage(EventId = 1030, EventName = "ProgramFailed", Level = LogLevel.Error, Message = "The program cannot go on and ends")]
    [EventHelp(
        Meaning = "The process ended with exit code 1.",
        Cause = "Named by error and error_type; a fault of the program unless it names a file or an address.",
        Action = "If it names something of this machine, mend that; otherwise report the line with log.level=debug, which adds the stack.")]
    public static partial void ProgramFailed(this ILogger logger, Exception exception);

    [LoggerMessage(EventId = 1031, EventName = "ConfigurationRefused", Level = LogLevel.Warning,
        Message = "The new configuration is not good, the old one stays: {Problem}")]
    [EventHelp(
        Meaning = "A reload found an error. Nothing was changed; a restart now would fail.",
        Cause = "A mistake in a file or a variable, named with its line and column.",
        Action = "Correct it, check with `run --check-config`, and reload again.")]
    public static partial void ConfigurationRefused(this ILogger logger, string problem);

    [LoggerMessage(EventId = 1032, EventName = "ConfigurationReloaded", Level = LogLevel.Information,
        Message = "The configuration was read again: {Changed} settings differ, in effect now: {Applied}")]
    public static partial void ConfigurationReloaded(this ILogger logger, int changed, string applied);

    [LoggerMessage(EventId = 1033, EventName = "RestartNeeded", Level = LogLevel.Warning,
        Message = "These settings are read only at start: {Settings}")]
    [EventHelp(
        Meaning = "The configuration on disk differs from the one in effect.",
        Cause = "A reload with changes of settings that cannot be changed in a running program.",
        Action = "Restart when it suits; what was spooled or logged is kept.")]
    public static partial void RestartNeeded(this ILogger logger, string settings);
}
