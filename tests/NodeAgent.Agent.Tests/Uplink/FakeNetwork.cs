using Google.Protobuf;
using Grpc.Core;
using NodeAgent.Agent.Uplink;
using NodeAgent.V1;

namespace NodeAgent.Agent.Tests.Uplink;

/// <summary>The network and the aggregator of a test: each connection that the uplink dials is kept, to be led by hand.</summary>
internal sealed class FakeNetwork : ILinkDialer
{
    internal List<FakeLink> Links { get; } = [];

    /// <summary>Not null: dialling fails with this.</summary>
    internal string? Refusal { get; set; }

    internal FakeLink Newest => Links[^1];

    public string Peer => "agg:1";

    internal int Wakes { get; private set; }

    public void Wake() => Wakes++;

    public void Wait(TimeSpan atMost) => throw new InvalidOperationException("a test does not wait");

    public ILink? TryDial(CancellationToken stop, out string problem)
    {
        problem = Refusal ?? "";
        if (Refusal is not null)
        {
            return null;
        }

        Links.Add(new FakeLink());
        return Links[^1];
    }
}

/// <summary>One connection.</summary>
internal sealed class FakeLink : ILink
{
    internal List<FakeStream> Streams { get; } = [];

    internal FakeStream Live => Streams[0];

    internal bool IsDisposed { get; private set; }

    public string Problem { get; internal set; } = "";

    public ILinkStream? Open(ILinkReceiver receiver)
    {
        Streams.Add(new FakeStream(receiver));
        return Streams[^1];
    }

    internal int Flushes { get; private set; }

    public bool Flush()
    {
        Flushes++;
        return Problem.Length == 0;
    }

    public bool Wait(TimeSpan atMost, Lock turn) => throw new InvalidOperationException("a test does not wait");

    public void Dispose() => IsDisposed = true;
}

/// <summary>One stream as its server sees it.</summary>
internal sealed class FakeStream(ILinkReceiver receiver) : ILinkStream
{
    private readonly Queue<AgentMessage> _sent = [];

    /// <summary>Messages that the server still takes; flow control holds back the rest.</summary>
    internal int Credit { get; set; } = int.MaxValue;

    internal bool IsSendClosed { get; private set; }

    internal bool IsCancelled { get; private set; }

    /// <summary>Runs when a message goes out.</summary>
    internal Action<AgentMessage>? OnSend { get; set; }

    internal int Waiting => _sent.Count;

    public bool TrySend(ReadOnlySpan<byte> message)
    {
        Assert.False(IsSendClosed, "sent after its side was closed");
        if (Credit == 0)
        {
            return false;
        }

        Credit--;
        AgentMessage parsed = AgentMessage.Parser.ParseFrom(message);
        _sent.Enqueue(parsed);
        OnSend?.Invoke(parsed);
        return true;
    }

    public void CloseSend() => IsSendClosed = true;

    public void Cancel() => IsCancelled = true;

    /// <summary>The next message that the agent sent.</summary>
    internal AgentMessage Receive() => _sent.Dequeue();

    internal Hello Welcome(ulong acknowledged, params (ulong First, ulong Last)[] held)
    {
        Hello hello = Receive().Hello;
        Assert.NotNull(hello);
        Welcome welcome = new() { Node = "n1", AggregatorVersion = "1.2.3", AcknowledgedSequence = acknowledged };
        welcome.Held.AddRange(held.Select(range => new SequenceRange { First = range.First, Last = range.Last }));
        Answer(new AggregatorMessage { Welcome = welcome });
        return hello;
    }

    internal void Answer(AggregatorMessage message) => AnswerBytes(message.ToByteArray());

    internal void AnswerBytes(byte[] message) => receiver.OnMessage(message);

    internal void Acknowledge(ulong sequence) => Answer(new AggregatorMessage { Acknowledge = new Acknowledge { Sequence = sequence } });

    internal void Throttle(uint ms) => Answer(new AggregatorMessage { Throttle = new Throttle { RetryAfterMs = ms, Reason = "busy" } });

    /// <summary>The server ends the call.</summary>
    internal void End(StatusCode code = StatusCode.OK, string detail = "") => receiver.OnEnd(code, detail);
}
