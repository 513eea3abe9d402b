using Google.Protobuf;
using Grpc.Core;
using NodeAgent.Rpc.Blocking;

namespace NodeAgent.Agent.Identity;

/// <summary>One question and its answer on a connection of the calling thread.</summary>
internal static class UnaryCall
{
    /// <summary>Null: <paramref name="status"/> says how it ended.</summary>
    /// <param name="connection">Open; nothing else goes on on it.</param>
    /// <param name="path">The method.</param>
    /// <param name="request">The question.</param>
    /// <param name="parser">Of the answer.</param>
    /// <param name="time">The clock.</param>
    /// <param name="limit">For all of it.</param>
    /// <param name="stop">Seen when the connection's wake handle is used too.</param>
    /// <param name="status">How it ended.</param>
    internal static T? TryRun<T>(
        BlockingConnection connection, string path, IMessage request, MessageParser<T> parser, TimeProvider time, TimeSpan limit, CancellationToken stop, out Status status)
        where T : class, IMessage<T>
    {
        Sink<T> sink = new(parser);
        if (connection.TryOpenStream(path, metadata: null, sink) is not { } stream)
        {
            status = connection.Failure ?? new Status(StatusCode.Unavailable, "the server takes no call");
            return null;
        }

        if (!stream.TrySend(request.ToByteArray()))
        {
            status = new Status(StatusCode.Unavailable, "the server takes no message");
            return null;
        }

        stream.CloseSend();
        long start = time.GetTimestamp();
        while (sink.End is null && !stop.IsCancellationRequested && limit - time.GetElapsedTime(start) is { Ticks: > 0 } left && connection.Wait(left))
        {
        }

        status = sink.End ?? connection.Failure ?? new Status(stop.IsCancellationRequested ? StatusCode.Cancelled : StatusCode.DeadlineExceeded, "no answer in time");
        if (status.StatusCode == StatusCode.OK && sink.Answer is null)
        {
            status = new Status(StatusCode.Internal, "the server ended the call without an answer");
        }

        return status.StatusCode == StatusCode.OK ? sink.Answer : null;
    }

    private sealed class Sink<T>(MessageParser<T> parser) : IBlockingStreamSink
        where T : class, IMessage<T>
    {
        internal T? Answer { get; private set; }

        internal Status? End { get; private set; }

        public void OnMessage(BlockingStream stream, ReadOnlySpan<byte> message)
        {
            try
            {
                Answer = parser.ParseFrom(message);
            }
            catch (InvalidProtocolBufferException e)
            {
                End = new Status(StatusCode.Internal, $"the answer cannot be read: {e.Message}");
            }
        }

        public void OnClosed(BlockingStream stream, Status status, Metadata trailers) => End ??= status;
    }
}
