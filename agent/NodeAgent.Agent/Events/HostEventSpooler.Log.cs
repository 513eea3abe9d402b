using Microsoft.Extensions.Logging;

namespace NodeAgent.Agent.Events;

/// <summary>What happened on the host, repeated in the agent's own log for whoever tails it there: 2050 to 2059.</summary>
internal static partial class HostEventLog
{
    [LoggerMessage(EventId = 2050, EventName = "HostEvent", Level = LogLevel.Information, Message = "{Kind} ({Severity}): {Text}")]
    public static partial void HostEvent(this ILogger logger, string kind, string severity, string text);
}
