using Grpc.Core;
using Microsoft.AspNetCore.Http;
using NodeAgent.Rpc.Wire;

namespace NodeAgent.Rpc.Server;

/// <summary>Limits and hooks of a server. Read once, when the server is made.</summary>
public sealed class RpcServerOptions
{
    /// <summary>Bytes of a received message after decompression; more is answered RESOURCE_EXHAUSTED. 4 MiB, as everywhere in
    /// gRPC.</summary>
    public int MaxReceiveMessageSize { get; init; } = MessageFrame.DefaultMaxReceive;

    /// <summary>Bytes of a sent message before compression; more fails the write RESOURCE_EXHAUSTED. Unlimited unless set.</summary>
    public int MaxSendMessageSize { get; init; } = int.MaxValue;

    /// <summary>
    /// Bytes of the metadata of a request, names and values; more is answered RESOURCE_EXHAUSTED. 8 KiB, gRPC's usual limit. Kestrel's
    /// own limit
    /// (<see cref="RpcKestrelDefaults"/>) lies above it and resets the stream without words.
    /// </summary>
    public int MaxRequestMetadataSize { get; init; } = 8 * 1024;

    /// <summary>Whether responses are compressed with gzip where the client takes it and it makes them smaller. Off: telemetry is packed
    /// already.</summary>
    public bool CompressResponses { get; init; }

    /// <summary>
    /// Messages that one stream may read or write without waiting before it lets others run. A stream whose next message is always there
    /// otherwise keeps its thread for ever: unary calls and keep-alive answers of third parties then starve for seconds.
    /// Measured: 8 to 16 keep them at 60 to 260 ms under 200 flooding streams; 128 does not help.
    /// </summary>
    public int MessagesBetweenYields { get; init; } = 16;

    /// <summary>From the start of draining until calls that still run are ended with UNAVAILABLE. Long streams watch
    /// <see cref="RpcServer.Draining"/>.</summary>
    public TimeSpan DrainGrace { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>Which new connections are let in, and what they may cost. Needs <see cref="RpcServer.Apply"/>.</summary>
    public RpcAdmissionOptions Admission { get; init; } = new();

    /// <summary>
    /// Says who calls, from the connection's certificate or from headers; null when nobody can be made out. Runs before the handler, for
    /// every
    /// method. A thrown <see cref="RpcException"/> is the answer; any other exception is answered UNAUTHENTICATED. Unset: nobody has an
    /// identity.
    /// </summary>
    public Func<HttpContext, ValueTask<RpcIdentity?>>? Identify { get; init; }

    /// <summary>
    /// Says whether an identity may call a method: anything but OK is the answer. Runs after <see cref="Identify"/> and before the handler.
    /// Unset together with <see cref="Identify"/>: all may call all. Unset with it set: callers without identity are answered
    /// UNAUTHENTICATED.
    /// </summary>
    public Func<IMethod, RpcIdentity?, Status>? Authorise { get; init; }

    /// <summary>
    /// Told once when a call has ended, also one that was refused; here the exceptions of handlers appear, which peers never see.
    /// Must neither block nor throw.
    /// </summary>
    public Action<RpcServerCallRecord>? OnCallEnded { get; init; }

    /// <summary>The clock of deadlines and of draining.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;
}
