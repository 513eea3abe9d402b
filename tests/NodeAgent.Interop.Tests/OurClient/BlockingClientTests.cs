using Google.Protobuf;
using Grpc.Core;
using NodeAgent.Interop.Contract;
using NodeAgent.Interop.Tests.Foreign;
using NodeAgent.Interop.Tests.Hosting;
using NodeAgent.Rpc.Blocking;
using NodeAgent.Rpc.Security;
using static NodeAgent.Interop.Tests.OurClient.Requests;

namespace NodeAgent.Interop.Tests.OurClient;

/// <summary>The blocking client, which speaks HTTP/2 by itself, against servers that do so in their own ways.</summary>
public abstract class BlockingClientTests<TStack> : IClassFixture<ForeignServerFixture<TStack>>
    where TStack : ForeignStack, new()
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(60);

    private readonly ForeignServerFixture<TStack> _fixture;

    protected BlockingClientTests(ForeignServerFixture<TStack> fixture)
    {
        _fixture = fixture;
        if (fixture.Stack.Missing is { } missing)
        {
            Assert.Skip(missing);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Unary_EmptyAndLarge_Passes(bool tls)
    {
        using Client client = Connect(tls);
        Sink empty = client.Call("EmptyCall", [new Empty()]);
        Assert.Equal([0], empty.Messages.Select(message => message.Length));
        Sink large = client.Call("UnaryCall", [Simple(WireSize.LargeResponse, WireSize.LargeRequest)]);
        Assert.Equal(StatusCode.OK, large.Closed!.Value.StatusCode);
        ExpectZeros(WireSize.LargeResponse, SimpleResponse.Parser.ParseFrom(Assert.Single(large.Messages)).Payload);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Streams_OfBothSides_Pass(bool tls)
    {
        int[] sizes = [31415, 9, 2653, 58979];
        using Client client = Connect(tls);
        Sink up = client.Call("StreamingInputCall", sizes.Select(Input));
        Assert.Equal(sizes.Sum(), StreamingInputCallResponse.Parser.ParseFrom(Assert.Single(up.Messages)).AggregatedPayloadSize);
        Sink down = client.Call("StreamingOutputCall", [Output(sizes)]);
        Assert.Equal(sizes, Sizes(down));
        Sink both = client.Call("FullDuplexCall", sizes.Select(size => Output(size).With(27182)));
        Assert.Equal(sizes, Sizes(both));
    }

    [Fact]
    public void FourMebibytes_EachWay_Pass()
    {
        const int Size = MessageLimit - PayloadOverhead;
        using Client client = Connect(tls: false);
        Sink sink = client.Call("UnaryCall", [Simple(Size, Size - 100)]);
        Assert.Equal(Size, SimpleResponse.Parser.ParseFrom(Assert.Single(sink.Messages)).Payload.Body.Length);
    }

    [Fact]
    public void FiveThousandMessages_OfOneStream_ComeInOrder()
    {
        using Client client = Connect(tls: false);
        Sink sink = client.Call("FullDuplexCall", Enumerable.Range(0, 5000).Select(size => Output(size % 300)));
        Assert.Equal(Enumerable.Range(0, 5000).Select(size => size % 300), Sizes(sink));
    }

    [Theory]
    [MemberData(nameof(ErrorCodes.All), MemberType = typeof(ErrorCodes))]
    public void Status_WithSpecialMessage_Arrives(int code)
    {
        EchoStatus status = new() { Code = code, Message = "\t\r\ncode 100% ☺ \U0001f608\n" };
        using Client client = Connect(tls: false);
        Assert.Equal(new Status((StatusCode)code, status.Message), client.Call("UnaryCall", [Simple(status: status)]).Closed);
        Sink after = client.Call("FullDuplexCall", [Output(17), Output().With(status)]);
        Assert.Equal([17], Sizes(after));
        Assert.Equal(new Status((StatusCode)code, status.Message), after.Closed);
    }

    [Fact]
    public void Metadata_ManyValuesOnManyCalls_ComeBack()
    {
        // Many calls with the same headers, so that an encoder that remembers fields does.
        using Client client = Connect(tls: false);
        byte[] everyByte = [.. Enumerable.Range(0, 256).Select(value => (byte)value)];
        for (int i = 0; i < 50; i++)
        {
            Metadata sent = new() { { "x-grpc-test-echo-initial", $"value {i % 3}" }, { "x-grpc-test-echo-trailing-bin", everyByte } };
            Sink sink = client.Call("UnaryCall", [Simple(1)], sent);
            Assert.Equal(StatusCode.OK, sink.Closed!.Value.StatusCode);
            Assert.Equal(everyByte, sink.Trailers.GetValueBytes("x-grpc-test-echo-trailing-bin"));
        }
    }

    [Fact]
    public void UnknownMethod_IsUnimplemented()
    {
        using Client client = Connect(tls: false);
        Assert.Equal(StatusCode.Unimplemented, client.Call("NoSuchCall", [new Empty()]).Closed!.Value.StatusCode);
    }

    [Fact]
    public async Task Cancel_AfterFirstAnswer_ReachesTheServer()
    {
        string id = Guid.NewGuid().ToString("N");
        using Client client = Connect(tls: false);
        (BlockingStream stream, Sink sink) = client.Open("FullDuplexCall", new Metadata { { "x-interop-call-id", id } });
        client.WaitFor(() => stream.TrySend(Output(5).ToByteArray()));
        client.WaitFor(() => sink.Messages.Count == 1);
        stream.Cancel();
        client.Connection.Flush();
        await _fixture.Plain.WaitForEndOfCallAsync(id);
    }

    [Fact]
    public void HundredStreams_AtATime_EachGetsItsOwn()
    {
        using Client client = Connect(tls: false);
        (BlockingStream Stream, Sink Sink)[] calls = [.. Enumerable.Range(0, 100).Select(_ => client.Open("FullDuplexCall", null))];
        for (int i = 0; i < calls.Length; i++)
        {
            client.WaitFor(() => calls[i].Stream.TrySend(Output(i).ToByteArray()));
        }

        Array.ForEach(calls, call => call.Stream.CloseSend());
        client.WaitFor(() => calls.All(call => call.Sink.Closed is not null));
        Assert.Equal(Enumerable.Range(0, 100), calls.Select(call => Sizes(call.Sink).Single()));
    }

    private static IEnumerable<int> Sizes(Sink sink) =>
        sink.Messages.Select(message => StreamingOutputCallResponse.Parser.ParseFrom(message).Payload?.Body.Length ?? 0);

    private Client Connect(bool tls) => new(
        tls ? $"https://localhost:{_fixture.Secure.Port}" : $"http://localhost:{_fixture.Plain.Port}",
        new BlockingConnectionOptions
        {
            Tls = !tls ? null : () => MutualTls.ClientOptions("localhost", [_fixture.Certificates.Authority], _fixture.Certificates.Client),
        });

    private sealed class Client : IDisposable
    {
        private readonly WakeHandle _wake = new();

        internal Client(string address, BlockingConnectionOptions options) =>
            Connection = BlockingConnection.TryConnect(new Uri(address), options, _wake, CancellationToken.None, out Status failure)
                ?? throw new InvalidOperationException(failure.ToString());

        internal BlockingConnection Connection { get; }

        public void Dispose()
        {
            Connection.Dispose();
            _wake.Dispose();
        }

        internal (BlockingStream Stream, Sink Sink) Open(string method, Metadata? metadata)
        {
            Sink sink = new();
            BlockingStream? stream = Connection.TryOpenStream($"/{TestService.Descriptor.FullName}/{method}", metadata, sink);
            Assert.NotNull(stream);
            return (stream, sink);
        }

        internal Sink Call(string method, IEnumerable<IMessage> requests, Metadata? metadata = null)
        {
            (BlockingStream stream, Sink sink) = Open(method, metadata);
            foreach (IMessage request in requests)
            {
                byte[] bytes = request.ToByteArray();
                WaitFor(() => stream.TrySend(bytes) || sink.Closed is not null);
            }

            stream.CloseSend();
            WaitFor(() => sink.Closed is not null);
            return sink;
        }

        internal void WaitFor(Func<bool> happened)
        {
            long start = TimeProvider.System.GetTimestamp();
            while (!happened())
            {
                Assert.True(TimeProvider.System.GetElapsedTime(start) < Bound, "it did not happen");
                Assert.True(Connection.Wait(TimeSpan.FromMilliseconds(50)), Connection.Failure.ToString());
            }
        }
    }

    private sealed class Sink : IBlockingStreamSink
    {
        internal List<byte[]> Messages { get; } = [];

        internal Status? Closed { get; private set; }

        internal Metadata Trailers { get; private set; } = Metadata.Empty;

        public void OnMessage(BlockingStream stream, ReadOnlySpan<byte> message) => Messages.Add(message.ToArray());

        public void OnClosed(BlockingStream stream, Status status, Metadata trailers) => (Closed, Trailers) = (status, trailers);
    }
}

/// <summary>gRPC's C core, by its Python package.</summary>
public sealed class PythonBlockingTests(ForeignServerFixture<PythonStack> fixture) : BlockingClientTests<PythonStack>(fixture);

/// <summary>gRPC in JavaScript, on Node's HTTP/2.</summary>
public sealed class NodeBlockingTests(ForeignServerFixture<NodeStack> fixture) : BlockingClientTests<NodeStack>(fixture);
