using System.Net.Security;
using Grpc.Core;
using NodeAgent.Rpc.Wire;

namespace NodeAgent.Rpc;

/// <summary>How a channel reaches its server and what its calls may do. Read once, when the channel is made.</summary>
public sealed class RpcChannelOptions
{
    /// <summary>
    /// Makes the TLS options for an https address: client certificate, trusted roots, checks. Null takes the platform's trust.
    /// Its TargetHost, if set, is the name expected in the server's certificate and sent in <c>:authority</c>, whatever address is dialled.
    /// Called once, when the channel is made; a renewed certificate needs a new channel, or a LocalCertificateSelectionCallback.
    /// </summary>
    public Func<SslClientAuthenticationOptions>? Tls { get; init; }

    /// <summary>
    /// Silence after which a PING asks whether the server still lives, while calls are open. Infinite (the default, as in gRPC) never asks,
    /// and a dropped link then stays invisible for ever. At least 1 s. Foreign servers may answer GOAWAY to frequent PINGs.
    /// </summary>
    public TimeSpan KeepAlivePingDelay { get; init; } = Timeout.InfiniteTimeSpan;

    /// <summary>How long a PING may go unanswered before the connection, with all its calls, ends UNAVAILABLE. At least 1 s.</summary>
    public TimeSpan KeepAlivePingTimeout { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>Bound of one connection attempt: name, TCP and TLS together. 20 s, as in gRPC.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>Bytes of a received message after decompression; more ends the call RESOURCE_EXHAUSTED. 4 MiB, as everywhere in
    /// gRPC.</summary>
    public int MaxReceiveMessageSize { get; init; } = MessageFrame.DefaultMaxReceive;

    /// <summary>Bytes of a sent message before compression; more fails the write RESOURCE_EXHAUSTED. Unlimited unless set.</summary>
    public int MaxSendMessageSize { get; init; } = int.MaxValue;

    /// <summary>Whether requests are compressed with gzip where that makes them smaller. Responses are accepted compressed in any
    /// case.</summary>
    public bool CompressRequests { get; init; }

    /// <summary>The program that calls, such as <c>nodeagent/0.1.0</c>; sent before the name of this library. Null sends only
    /// that.</summary>
    public string? UserAgent { get; init; }

    /// <summary>Added to every call, before the call's own credentials.</summary>
    public CallCredentials? Credentials { get; init; }

    /// <summary>Whether credentials may travel over http, where anybody on the way reads them. Without it such a call fails
    /// UNAUTHENTICATED.</summary>
    public bool AllowCredentialsWithoutTls { get; init; }

    /// <summary>
    /// Bytes that the server may send ahead on one stream before it waits; null leaves the runtime's 64 KiB, which grows by measured
    /// round trips.
    /// </summary>
    public int? InitialStreamWindowSize { get; init; }

    /// <summary>Told once when a call has ended, on the thread that ended it. Must neither block nor throw.</summary>
    public Action<RpcClientCallRecord>? OnCallEnded { get; init; }

    /// <summary>The clock of deadlines.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;
}

/// <summary>What the hook of a channel learns about a call that has ended.</summary>
/// <param name="Method">The method.</param>
/// <param name="Status">How it ended, with its local cause if there is one.</param>
/// <param name="Duration">From the start of the call.</param>
public readonly record struct RpcClientCallRecord(IMethod Method, Status Status, TimeSpan Duration);
