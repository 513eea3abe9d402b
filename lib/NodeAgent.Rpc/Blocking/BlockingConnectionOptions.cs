using System.Net.Security;
using NodeAgent.Rpc.Wire;

namespace NodeAgent.Rpc.Blocking;

/// <summary>How a <see cref="BlockingConnection"/> reaches its server and what it lets the server do.</summary>
public sealed class BlockingConnectionOptions
{
    /// <summary>
    /// Makes the TLS options of an https address, once for each connection. Null takes the platform's trust. Its TargetHost, if set, is the
    /// name expected in the server's certificate and sent as <c>:authority</c>; ALPN is set to h2 whatever it says.
    /// </summary>
    public Func<SslClientAuthenticationOptions>? Tls { get; init; }

    /// <summary>Bound of one attempt: name, TCP and TLS together. 10 s: longer than any handshake that will succeed, short enough that a
    /// stop does not have to wait for it.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long the socket may refuse what we write before the connection counts as dead. The thread never waits for it in a
    /// write.</summary>
    public TimeSpan WriteTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Silence of the server after which a PING asks whether it still lives; infinite never asks. Sent up to a second later where nothing
    /// else needs the thread to wake, so that it rides along with the next message of a 1 Hz sender. Servers on gRPC's C core answer
    /// GOAWAY to frequent PINGs; ours does not.
    /// </summary>
    public TimeSpan KeepAliveDelay { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long after such a PING the server may stay silent before the connection ends UNAVAILABLE.</summary>
    public TimeSpan KeepAliveTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Bytes of a received message; more ends its stream RESOURCE_EXHAUSTED. 4 MiB, as everywhere in gRPC.</summary>
    public int MaxReceiveMessageBytes { get; init; } = MessageFrame.DefaultMaxReceive;

    /// <summary>Bytes of the headers or trailers of one answer, counted as RFC 9113, section 6.5.2 does; more ends the stream
    /// RESOURCE_EXHAUSTED. 16 KiB: twice what gRPC servers commonly allow themselves.</summary>
    public int MaxHeaderBytes { get; init; } = 16 * 1024;

    /// <summary>The program that calls, such as <c>nodeagent/0.1.0</c>; sent before the name of this library. Null sends only
    /// that.</summary>
    public string? UserAgent { get; init; }

    /// <summary>The clock of every bound above.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;
}
