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
}
