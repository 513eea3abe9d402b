using System.Buffers;
using System.Threading.Tasks.Sources;
using Grpc.Core;
using NodeAgent.Rpc.Client;
using NodeAgent.Rpc.Server;
using NodeAgent.Rpc.Tests.Load;
using NodeAgent.Rpc.Wire;
using NodeAgent.Testing;

namespace NodeAgent.Rpc.Tests.Client;

/// <summary>
/// What a message costs in steady state. The first two measure our own code alone, on the thread that runs it, over a transport stream that
/// allocates nothing; the last one measures everything in the process, with HttpClient, sockets and Kestrel, for comparison.
/// </summary>
[Collection(MeasuredAlone.Name)]
public sealed class AllocationTests
{
    private const int Messages = 1000;

    [Theory]
    [InlineData(0)]
    [InlineData(16)]
    [InlineData(1517)]
    [InlineData(30_000)]
    public void EncoderAndDecoder_SteadyState_AllocateNothing(int length)
    {
        RawMessage message = new(length) { Length = length };
        Marshaller<RawMessage> marshaller = RawMarshaller.Into(new RawMessage(length));
        MessageEncoder encoder = new(int.MaxValue);
        MessageDecoder decoder = new(int.MaxValue);
        byte[] frame = encoder.Encode(marshaller, message, compress: false).ToArray();
        Run(10);
        Assert.Equal(0, Allocations.Of(() => Run(Messages)));

        void Run(int times)
        {
            for (int i = 0; i < times; i++)
            {
                encoder.Encode(marshaller, message, compress: false);
                encoder.Trim();
                ReadOnlySequence<byte> received = new(frame);
                if (!decoder.TryDecode(ref received, marshaller, out RawMessage read) || read.Length != length)
                {
                    throw new InvalidOperationException("not decoded");
                }
            }
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ClientWriter_SteadyState_AllocatesNothing(bool completesAtOnce)
    {
        RawMessage message = new(1517) { Length = 1517 };
        Marshaller<RawMessage> marshaller = RawMarshaller.Into(message);
        Method<RawMessage, RawMessage> method = new(MethodType.DuplexStreaming, "s", "m", marshaller, marshaller);
        using RpcChannel channel = RpcChannel.ForAddress("http://localhost:1");
        using ClientCall call = new(channel, method, null, default);
        StreamingContent content = new();
        using ControlledStream stream = new(completesAtOnce);
        Task body = content.CopyToAsync(stream);
        stream.Release();
        Assert.Same(stream, await content.TransportStream);

        ClientStreamWriter<RawMessage> writer = new(call, content, marshaller);
        long allocated = Measure(writer, stream, message);
        content.Complete();
        await body;
        Assert.Equal(0, allocated);
        Assert.Equal((Messages + 10) * (1517L + 5), stream.Written);
    }

    [Fact]
    public async Task Duplex_SteadyState_AllocatesLittleInTheWholeProcess()
    {
        RawMessage atServer = new(2048);
        RawMessage atClient = new(2048);
        Method<RawMessage, RawMessage> method = new(
            MethodType.DuplexStreaming, "raw.Service", "Echo", RawMarshaller.Into(atServer), RawMarshaller.Into(atClient));
        ServerServiceDefinition service = ServerServiceDefinition.CreateBuilder().AddMethod(method, EchoAsync).Build();
        await using RpcHost host = await RpcHost.StartAsync(configure: server => server.AddService(service));
        using AsyncDuplexStreamingCall<RawMessage, RawMessage> call =
            host.Channel().CreateCallInvoker().AsyncDuplexStreamingCall(method, null, default);
        RawMessage message = new(1517) { Length = 1517 };
        await PingPongAsync(call, message, 200);
        long before = GC.GetTotalAllocatedBytes(precise: true);
        await PingPongAsync(call, message, Messages);
        double perMessage = (GC.GetTotalAllocatedBytes(precise: true) - before) / (double)Messages;
        TestContext.Current.TestOutputHelper!.WriteLine($"{perMessage:F0} bytes a round trip, both ends and both directions, framework included");
        Assert.True(perMessage < 3000, $"{perMessage:F0} bytes a round trip");

        static async Task EchoAsync(IAsyncStreamReader<RawMessage> requests, IServerStreamWriter<RawMessage> responses, ServerCallContext context)
        {
            IRpcStreamReader<RawMessage> reader = (IRpcStreamReader<RawMessage>)requests;
            IRpcStreamWriter<RawMessage> writer = (IRpcStreamWriter<RawMessage>)responses;
            while (await reader.ReadAsync())
            {
                await writer.WriteMessageAsync(reader.Current);
            }
        }
    }

    private static long Measure(ClientStreamWriter<RawMessage> writer, ControlledStream stream, RawMessage message)
    {
        Run(10);
        return Allocations.Of(() => Run(Messages));

        void Run(int times)
        {
            for (int i = 0; i < times; i++)
            {
                ValueTask write = writer.WriteMessageAsync(message);
                stream.Release();
                stream.Release();
                write.GetAwaiter().GetResult();
            }
        }
    }

    private static async Task PingPongAsync(AsyncDuplexStreamingCall<RawMessage, RawMessage> call, RawMessage message, int times)
    {
        IRpcStreamReader<RawMessage> reader = (IRpcStreamReader<RawMessage>)call.ResponseStream;
        IRpcStreamWriter<RawMessage> writer = (IRpcStreamWriter<RawMessage>)call.RequestStream;
        for (int i = 0; i < times; i++)
        {
            await writer.WriteMessageAsync(message);
            Assert.True(await reader.ReadAsync());
        }
    }

    /// <summary>Takes writes and flushes; each completes at once, or when released on the caller's thread.</summary>
    private sealed class ControlledStream(bool completesAtOnce) : Stream, IValueTaskSource
    {
        private ManualResetValueTaskSourceCore<bool> _pending;
        private bool _isPending;

        internal long Written { get; private set; }

        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => Written;

        public override long Position
        {
            get => Written;
            set => throw new NotSupportedException();
        }

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            Written += buffer.Length;
            return Begin();
        }

        public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public override void Flush() => throw new NotSupportedException();

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public void GetResult(short token) => _pending.GetResult(token);

        public ValueTaskSourceStatus GetStatus(short token) => _pending.GetStatus(token);

        public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
            _pending.OnCompleted(continuation, state, token, flags);

        internal void Release()
        {
            if (_isPending)
            {
                _isPending = false;
                _pending.SetResult(true);
            }
        }

        private ValueTask Begin()
        {
            if (completesAtOnce)
            {
                return ValueTask.CompletedTask;
            }

            _pending.Reset();
            _isPending = true;
            return new ValueTask(this, _pending.Version);
        }
    }
}
