using System.Buffers;
using System.Threading.Channels;
using Google.Protobuf;
using Grpc.Core;
using NodeAgent.Aggregator.Ingest;
using NodeAgent.V1;

namespace NodeAgent.Aggregator.Tests.Ingest;

/// <summary>One agent's stream, led by hand.</summary>
internal sealed class FakeLink : IAsyncStreamReader<LinkMessage>, IServerStreamWriter<LinkAnswerBox>
{
    internal static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly Channel<byte[]> _requests = Channel.CreateUnbounded<byte[]>();
    private readonly Channel<AggregatorMessage> _answers = Channel.CreateUnbounded<AggregatorMessage>();
    private LinkMessage? _current;

    /// <summary>The handler.</summary>
    internal Task Serving { get; set; } = Task.CompletedTask;

    /// <summary>Writes do not complete, as on a connection whose peer reads nothing.</summary>
    internal bool IsStuck { get; set; }

    public LinkMessage Current => _current ?? throw new InvalidOperationException("no current message");

    public WriteOptions? WriteOptions { get; set; }

    internal void Send(params byte[][] messages) => Array.ForEach(messages, message => _requests.Writer.TryWrite(message));

    internal void Close() => _requests.Writer.TryComplete();

    /// <summary>The next read fails as it does when the connection breaks under it.</summary>
    internal void Break() => _requests.Writer.TryComplete(new RpcException(new Status(StatusCode.Cancelled, "The client gave the call up.")));

    internal async Task<AggregatorMessage> ReceiveAsync() => await _answers.Reader.ReadAsync().AsTask().WaitAsync(Patience);

    internal bool TryReceive(out AggregatorMessage? answer) => _answers.Reader.TryRead(out answer);

    /// <summary>Reads acknowledgements until this one came; how many came.</summary>
    internal async Task<int> AcknowledgedAsync(ulong sequence)
    {
        for (int count = 1; ; count++)
        {
            AggregatorMessage answer = await ReceiveAsync();
            Assert.Equal(AggregatorMessage.BodyOneofCase.Acknowledge, answer.BodyCase);
            if (answer.Acknowledge.Sequence >= sequence)
            {
                Assert.Equal(sequence, answer.Acknowledge.Sequence);
                return count;
            }
        }
    }

    internal async Task<Status> EndAsync() => (await Assert.ThrowsAsync<RpcException>(() => Serving.WaitAsync(Patience))).Status;

    public async Task<bool> MoveNext(CancellationToken cancellationToken)
    {
        if (!await _requests.Reader.WaitToReadAsync(cancellationToken).ConfigureAwait(false))
        {
            return false;
        }

        _requests.Reader.TryRead(out byte[]? message);
        _current = LinkMessage.Copy(new ReadOnlySequence<byte>(message!));
        return true;
    }

    public Task WriteAsync(LinkAnswerBox message) => WriteAsync(message, CancellationToken.None);

    public Task WriteAsync(LinkAnswerBox message, CancellationToken cancellationToken)
    {
        if (IsStuck)
        {
            return Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
        }

        AggregatorMessage answer = message.Answer.Message?.Clone()
            ?? new AggregatorMessage { Acknowledge = new Acknowledge { Sequence = message.Answer.Acknowledged } };
        _answers.Writer.TryWrite(answer);
        return Task.CompletedTask;
    }
}
