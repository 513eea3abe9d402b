using Microsoft.Extensions.Logging;
using NodeAgent.Hosting.Logs;

namespace NodeAgent.Aggregator;

/// <summary>Events of the aggregator as a program: 1100 to 1149.</summary>
internal static partial class AggregatorServerLog
{
    [LoggerMessage(EventId = 1100, EventName = "AggregatorStarting", Level = LogLevel.Information,
        Message = "aggregator {Version} starts: store {Store}, samples kept {Retention}, CA {CaFile}")]
    public static partial void Starting(this ILogger logger, string version, string store, TimeSpan retention, string caFile);

    [LoggerMessage(EventId = 1101, EventName = "AggregatorReady", Level = LogLevel.Information,
        Message = "aggregator serves on {Address}, plaintext {Plaintext}")]
    public static partial void Ready(this ILogger logger, string address, string plaintext);

    [LoggerMessage(EventId = 1102, EventName = "AggregatorStopped", Level = LogLevel.Information,
        Message = "aggregator stopped after {Frames} frames and {Samples} samples")]
    public static partial void Stopped(this ILogger logger, long frames, long samples);

    [LoggerMessage(EventId = 1103, EventName = "AddressUnusable", Level = LogLevel.Error, Message = "cannot listen on {Address}: {Reason}")]
    [EventHelp(
        Meaning = "The aggregator did not start.",
        Cause = "Another program, or another aggregator, listens on the address; or it is not an address of this machine.",
        Action = "Find who has it with `ss -ltnp`, or change listen.address.")]
    public static partial void AddressUnusable(this ILogger logger, string address, string reason);

    [LoggerMessage(EventId = 1104, EventName = "CertificateUnusable", Level = LogLevel.Error, Message = "a TLS file cannot be used: {Reason}")]
    [EventHelp(
        Meaning = "The aggregator did not start.",
        Cause = "A file is missing, not readable by this user, or not a matching PEM certificate and key.",
        Action = "Check the file named; `nodectl fleet init` and `nodectl fleet issue` make all that is needed.")]
    public static partial void CertificateUnusable(this ILogger logger, string reason);

    [LoggerMessage(EventId = 1106, EventName = "CallFailed", Level = LogLevel.Error, Message = "{Method} failed for {Caller} at {Peer}")]
    [EventHelp(
        Meaning = "One call ended with an error inside the aggregator; others go on.",
        Cause = "A fault of the aggregator, named by error_type.",
        Action = "Report the line with log.level=debug, which adds the stack.")]
    public static partial void CallFailed(this ILogger logger, string method, string caller, string peer, Exception exception);

    [LoggerMessage(EventId = 1107, EventName = "StateUnusable", Level = LogLevel.Error, Message = "the state in {Directory} cannot be used: {Reason}")]
    [EventHelp(
        Meaning = "The aggregator did not start: it would have nowhere to keep what it acknowledges.",
        Cause = "The folder cannot be written, another aggregator has it, or a later version wrote it.",
        Action = "The reason names the file. Change state.directory, free the folder, or install the version that wrote it.")]
    public static partial void StateUnusable(this ILogger logger, string directory, string reason);
}
