using Microsoft.Extensions.Logging;
using NodeAgent.Hosting.Logs;

namespace NodeAgent.Aggregator.Alerts;

/// <summary>Events of alerts that go out: 1120 to 1129.</summary>
internal static partial class AlertsLog
{
    [LoggerMessage(EventId = 1120, EventName = "AlertBegan", Level = LogLevel.Warning, Message = "{Alert} ({Severity}): {Summary}")]
    [EventHelp(
        Meaning = "Something is wrong, and the receivers of alerts are told. The same line without receivers is all there is.",
        Cause = "Named by the line.",
        Action = "As the alert's description and runbook say.")]
    public static partial void AlertBegan(this ILogger logger, string alert, string severity, string summary);

    [LoggerMessage(EventId = 1121, EventName = "AlertEnded", Level = LogLevel.Information, Message = "{Alert} is over after {Lasted}: {Summary}")]
    public static partial void AlertEnded(this ILogger logger, string alert, TimeSpan lasted, string summary);

    [LoggerMessage(EventId = 1122, EventName = "AlertsNotTaken", Level = LogLevel.Error, Message = "alerts do not reach {Receiver}: {Reason}")]
    [EventHelp(
        Meaning = "People are not told what is wrong. Each alert's newest state is kept and sent again until it is taken.",
        Cause = "The receiver is away, or refuses: its address, its certificate, or the secret.",
        Action = "Correct alerts.* or the receiver; nodeagent_aggregator_alert_pending says how much waits.")]
    public static partial void AlertsNotTaken(this ILogger logger, string receiver, string reason);

    [LoggerMessage(EventId = 1123, EventName = "AlertsTakenAgain", Level = LogLevel.Information, Message = "alerts reach {Receiver} again after {Failures} failed requests")]
    public static partial void AlertsTakenAgain(this ILogger logger, string receiver, int failures);

    [LoggerMessage(EventId = 1124, EventName = "AlertReceiverUnusable", Level = LogLevel.Error, Message = "a receiver of alerts is left out: {Problem}")]
    [EventHelp(
        Meaning = "The aggregator runs, but nobody is told through this receiver.",
        Cause = "Its secret's file cannot be read or is too short.",
        Action = "Correct the file, and restart.")]
    public static partial void AlertReceiverUnusable(this ILogger logger, string problem);
}
