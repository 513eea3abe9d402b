using Google.Protobuf;
using Grpc.Core;
using NodeAgent.Rpc.Blocking;
using NodeAgent.Rpc.Tests.Proto;

namespace NodeAgent.Rpc.Tests.Blocking;

/// <summary>A blocking connection of a test, and how it waits for what must happen.</summary>
internal sealed class BlockingHost : IDisposable
{
    internal const string Unary = "/nodeagent.rpc.tests.Echo/Unary";
    internal const string ServerStream = "/nodeagent.rpc.tests.Echo/ServerStream";
    internal const string Duplex = "/nodeagent.rpc.tests.Echo/Duplex";

    internal BlockingHost(string address, BlockingConnectionOptions? options = null)
    {
        Connection = BlockingConnection.TryConnect(new Uri(address), options, Wake, CancellationToken.None, out Status failure)
            ?? throw new InvalidOperationException(failure.ToString());
    }

    internal WakeHandle Wake { get; } = new();

    internal BlockingConnection Connection { get; }

    public void Dispose()
    {
        Connection.Dispose();
        Wake.Dispose();
    }

    internal static byte[] Request(string text = "", int number = 0, int payload = 0) =>
        new EchoRequest { Text = text, Number = number, Payload = ByteString.CopyFrom(new byte[payload]) }.ToByteArray();

    internal static EchoReply Reply(byte[] message) => EchoReply.Parser.ParseFrom(message);

    internal (BlockingStream Stream, RecordingSink Sink) Open(string path, Metadata? metadata = null, RecordingSink? sink = null)
    {
        sink ??= new RecordingSink();
        BlockingStream? stream = Connection.TryOpenStream(path, metadata, sink);
        Assert.NotNull(stream);
        return (stream, sink);
    }

    /// <summary>One unary call from its start to its end.</summary>
    internal RecordingSink Call(byte[] request, string path = Unary, Metadata? metadata = null)
    {
        (BlockingStream stream, RecordingSink sink) = Open(path, metadata);
        Assert.True(stream.TrySend(request));
        stream.CloseSend();
        WaitFor(() => sink.Closed is not null);
        return sink;
    }

    internal void WaitFor(Func<bool> happened)
    {
        long start = TimeProvider.System.GetTimestamp();
        while (!happened())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(start) < RpcHost.Patience, "it did not happen");
            Connection.Wait(TimeSpan.FromMilliseconds(50));
        }
    }

    /// <summary>Sends as soon as there is room.</summary>
    internal void Send(BlockingStream stream, byte[] message) => WaitFor(() => stream.TrySend(message));
}
