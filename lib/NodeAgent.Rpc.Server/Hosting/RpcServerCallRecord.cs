using Grpc.Core;

namespace NodeAgent.Rpc.Server;

/// <summary>What the hook of a server learns about a call that has ended.</summary>
/// <param name="Method">The path, such as <c>/grpc.health.v1.Health/Check</c>; as the client sent it, known or not.</param>
/// <param name="Peer">The address of the peer, such as <c>ipv4:192.0.2.1:40000</c>.</param>
/// <param name="Identity">Who called; null when nobody could be made out.</param>
/// <param name="Status">How the call ended, as the client was told or would have been told.</param>
/// <param name="Duration">From the arrival of the headers to the end of the handler.</param>
/// <param name="Exception">What a handler threw beside <see cref="RpcException"/>, or what broke the transport; else null.</param>
public readonly record struct RpcServerCallRecord(
    string Method, string Peer, RpcIdentity? Identity, Status Status, TimeSpan Duration, Exception? Exception);
