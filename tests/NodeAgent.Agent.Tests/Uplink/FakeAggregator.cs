using System.Buffers;
using System.Threading.Channels;
using Google.Protobuf;
using Grpc.Core;
using NodeAgent.Agent.Uplink;
using NodeAgent.V1;

namespace NodeAgent.Agent.Tests.Uplink;

/// <summary>The network and the aggregator of a test: each stream that the uplink opens comes out of <see cref="NextAsync"/>, to be led by hand.</summary>
internal sealed class FakeAggregator : CallInvoker
{
    internal static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly Channel<FakeStream> _streams = Channel.CreateUnbounded<FakeStream>();

    internal Metadata? LastHeaders { get; private set; }

    internal async Task<FakeStream> NextAsync() => await _streams.Reader.ReadAsync().AsTask().WaitAsync(Patience);

    internal bool TryNext(out FakeStream? stream) => _streams.Reader.TryRead(out stream);

    public override AsyncDuplexStreamingCall<TRequest, TResponse> AsyncDuplexStreamingCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options)
    {
        Assert.Equal("/nodeagent.v1.AgentLink/Connect", method.FullName);
        LastHeaders = options.Headers;
        FakeStream stream = new((Method<LinkRecord, LinkReply>)(object)method, options.CancellationToken);
        _streams.Writer.TryWrite(stream);
        return new AsyncDuplexStreamingCall<TRequest, TResponse>(
            (IClientStreamWriter<TRequest>)(object)stream, (IAsyncStreamReader<TResponse>)(object)stream,
            Task.FromResult(new Metadata()), () => Status.DefaultSuccess, () => [], stream.Dispose);
    }

    public override TResponse BlockingUnaryCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request) => throw new NotSupportedException();

    public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request) => throw new NotSupportedException();

    public override AsyncServerStreamingCall<TResponse> AsyncServerStreamingCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request) => throw new NotSupportedException();

    public override AsyncClientStreamingCall<TRequest, TResponse> AsyncClientStreamingCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options) => throw new NotSupportedException();
}

/// <summary>One stream as its server sees it.</summary>
internal sealed class FakeStream(Method<LinkRecord, LinkReply> method, CancellationToken cancellation)
    : IClientStreamWriter<LinkRecord>, IAsyncStreamReader<LinkReply>, IDisposable
{
    private readonly Channel<AgentMessage> _sent = Channel.CreateUnbounded<AgentMessage>();
    private readonly Channel<object> _answers = Channel.CreateUnbounded<object>();
    private LinkReply? _current;
    private volatile RpcException? _broken;

    internal bool IsDisposed { get; private set; }

    /// <summary>The agent has closed its side.</summary>
    internal bool IsCompleted { get; private set; }

    /// <summary>Runs before a message goes out; it may hold it up.</summary>
    internal Func<AgentMessage, Task>? OnWrite { get; set; }

    public LinkReply Current => _current ?? throw new InvalidOperationException("no current message");

    public WriteOptions? WriteOptions { get; set; }

    /// <summary>The next message that the agent sent.</summary>
    internal async Task<AgentMessage> ReceiveAsync() => await _sent.Reader.ReadAsync().AsTask().WaitAsync(FakeAggregator.Patience);

    internal bool TryReceive(out AgentMessage? message) => _sent.Reader.TryRead(out message);

    internal async Task<Hello> WelcomeAsync(ulong acknowledged)
    {
        Hello hello = (await ReceiveAsync()).Hello;
        Assert.NotNull(hello);
        Answer(new AggregatorMessage { Welcome = new Welcome { Node = "n1", AggregatorVersion = "1.2.3", AcknowledgedSequence = acknowledged } });
        return hello;
    }

    internal void Answer(AggregatorMessage message) => _answers.Writer.TryWrite(message.ToByteArray());

    internal void AnswerBytes(byte[] message) => _answers.Writer.TryWrite(message);

    internal void Acknowledge(ulong sequence) => Answer(new AggregatorMessage { Acknowledge = new Acknowledge { Sequence = sequence } });

    /// <summary>The server ends the call with a status.</summary>
    internal void Fail(StatusCode code, string detail) => Fail(new RpcException(new Status(code, detail)));

    internal void Fail(Exception e)
    {
        _broken = e as RpcException;
        _answers.Writer.TryWrite(e);
    }

    /// <summary>The server ends the call with OK.</summary>
    internal void Close() => _answers.Writer.TryComplete();

    public async Task<bool> MoveNext(CancellationToken cancellationToken)
    {
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, cancellationToken);
        try
        {
            object answer = await _answers.Reader.ReadAsync(either.Token).ConfigureAwait(false);
            if (answer is Exception e)
            {
                throw e;
            }

            _current = method.ResponseMarshaller.ContextualDeserializer(new Payload((byte[])answer));
            return true;
        }
        catch (ChannelClosedException)
        {
            return false;
        }
        catch (OperationCanceledException)
        {
            throw Cancelled();
        }
    }

    public Task WriteAsync(LinkRecord message)
    {
        if (cancellation.IsCancellationRequested)
        {
            return Task.FromException(Cancelled());
        }

        if (_broken is { } broken)
        {
            return Task.FromException(broken);
        }

        AgentMessage parsed = AgentMessage.Parser.ParseFrom(message.Buffer, 0, message.Length);
        return SendAsync(OnWrite?.Invoke(parsed) ?? Task.CompletedTask);

        async Task SendAsync(Task held)
        {
            await held.ConfigureAwait(false);
            _sent.Writer.TryWrite(parsed);
        }
    }

    public Task WriteAsync(LinkRecord message, CancellationToken cancellationToken) => WriteAsync(message);

    public Task CompleteAsync()
    {
        IsCompleted = true;
        return Task.CompletedTask;
    }

    public void Dispose() => IsDisposed = true;

    private static RpcException Cancelled() => new(new Status(StatusCode.Cancelled, "Call canceled by the client."));

    private sealed class Payload(byte[] bytes) : DeserializationContext
    {
        public override int PayloadLength => bytes.Length;

        public override ReadOnlySequence<byte> PayloadAsReadOnlySequence() => new(bytes);
    }
}
