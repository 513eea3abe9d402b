using Grpc.Core;
using NodeAgent.Rpc.Blocking;
using NodeAgent.V1;

namespace NodeAgent.Agent.Uplink;

/// <summary>A connection of the gRPC runtime as the uplink wants it.</summary>
internal sealed class RpcLink(BlockingConnection connection, Metadata? headers, Func<string, string> explainSilence) : ILink
{
    private static readonly string Connect = $"/{AgentLink.Descriptor.FullName}/{nameof(AgentLink.AgentLinkClient.Connect)}";

    private string? _explained; // costs a certificate chain

    public string Problem =>
        connection.Failure is not { } failure ? "" : connection.HasAnswered ? failure.Detail : _explained ??= explainSilence(failure.Detail);

    public ILinkStream? Open(ILinkReceiver receiver) =>
        connection.TryOpenStream(Connect, headers, new Sink(receiver)) is { } stream ? new Stream(stream) : null;

    public bool Wait(TimeSpan atMost, Lock turn) => connection.Wait(atMost, turn);

    public bool Flush()
    {
        connection.Flush();
        return connection.Failure is null;
    }

    public void Dispose() => connection.Dispose();

    private sealed class Stream(BlockingStream stream) : ILinkStream
    {
        public bool TrySend(ReadOnlySpan<byte> message) => stream.TrySend(message);

        public void CloseSend() => stream.CloseSend();

        public void Cancel() => stream.Cancel();
    }

    private sealed class Sink(ILinkReceiver receiver) : IBlockingStreamSink
    {
        public void OnMessage(BlockingStream stream, ReadOnlySpan<byte> message) => receiver.OnMessage(message);

        public void OnClosed(BlockingStream stream, Status status, Metadata trailers) => receiver.OnEnd(status.StatusCode, status.Detail);
    }
}
