using Microsoft.Extensions.Logging;

namespace NodeAgent.Hosting.Tests.Logs;

/// <summary>Events as the programs declare them, with every type of parameter.</summary>
internal static partial class SampleEvents
{
    [LoggerMessage(EventId = 4001, EventName = "UplinkConnected", Level = LogLevel.Information, Message = "Connected to {Peer} after {Attempts} attempts")]
    public static partial void UplinkConnected(this ILogger logger, string? peer, int attempts);

    [LoggerMessage(EventId = 4002, EventName = "UplinkConnectFailed", Level = LogLevel.Warning, Message = "Cannot connect to {PeerAddress}")]
    public static partial void UplinkConnectFailed(this ILogger logger, string peerAddress, Exception error);

    [LoggerMessage(EventId = 2001, EventName = "SamplerTimed", Level = LogLevel.Debug,
        Message = "{Sampler} took {Took}, ratio {Ratio}, ok {Ok}, at {At}, id {Id}, names {Names}")]
    public static partial void SamplerTimed(
        this ILogger logger, string sampler, TimeSpan took, double ratio, bool ok, DateTimeOffset at, long id, string[] names);

    [LoggerMessage(EventId = 2002, EventName = "AnyValue", Level = LogLevel.Information, Message = "Got {Value}")]
    public static partial void AnyValue(this ILogger logger, object? value);
}
