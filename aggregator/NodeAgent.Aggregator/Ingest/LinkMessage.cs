using System.Buffers;
using System.Collections.Concurrent;
using Grpc.Core;
using NodeAgent.V1;

namespace NodeAgent.Aggregator.Ingest;

/// <summary>
/// One received <c>AgentMessage</c> as bytes, in a buffer that goes back to a pool. Frames are read where they lie: the generated
/// classes would allocate a message, a ByteString and a copy for every block of every agent's every second.
/// </summary>
internal sealed class LinkMessage
{
    // Enough for the messages that wait between socket and session on a busy server; more are left to the collector.
    private const int MostPooled = 4096;

    private static readonly ConcurrentQueue<LinkMessage> Pool = new();

    // Mostly a message is done with on the thread that received it, before the next one: its buffer is in the cache, and the queue's
    // next one is the one that lay longest.
    [ThreadStatic]
    private static LinkMessage? mostRecent;

    private byte[] _buffer = new byte[2048];
    private int _length;

    internal ReadOnlySpan<byte> Bytes => _buffer.AsSpan(0, _length);

    internal static LinkMessage Copy(ReadOnlySequence<byte> bytes)
    {
        LinkMessage? message = mostRecent;
        mostRecent = null;
        message ??= Pool.TryDequeue(out LinkMessage? pooled) ? pooled : new LinkMessage();
        message._length = (int)bytes.Length;
        if (message._buffer.Length < message._length)
        {
            message._buffer = new byte[System.Numerics.BitOperations.RoundUpToPowerOf2((uint)message._length)];
        }

        bytes.CopyTo(message._buffer);
        return message;
    }

    /// <summary>Gives the buffer back; the message must not be used afterwards.</summary>
    internal void Return()
    {
        // A rare large message (a schema, an inventory) must not make every pooled buffer large.
        if (_buffer.Length > 64 * 1024)
        {
            return;
        }

        if (mostRecent is null)
        {
            mostRecent = this;
        }
        else if (Pool.Count < MostPooled)
        {
            Pool.Enqueue(this);
        }
    }
}

/// <summary>A message to an agent: an acknowledgement as a bare number, anything rarer as the generated class.</summary>
internal readonly record struct LinkAnswer(ulong Acknowledged, AggregatorMessage? Message);

/// <summary>A box for <see cref="LinkAnswer"/> that a session reuses, because a stream writes reference types.</summary>
internal sealed class LinkAnswerBox
{
    internal LinkAnswer Answer { get; set; }
}

/// <summary><c>AgentLink.Connect</c> with marshallers that copy bytes; on the wire it is the generated method.</summary>
internal static class LinkMethod
{
    internal static Method<LinkMessage, LinkAnswerBox> Connect { get; } = new(
        MethodType.DuplexStreaming,
        AgentLink.Descriptor.FullName,
        "Connect",
        new Marshaller<LinkMessage>(
            static (_, _) => throw new NotSupportedException("an aggregator receives these messages, it never sends them"),
            static context => LinkMessage.Copy(context.PayloadAsReadOnlySequence())),
        new Marshaller<LinkAnswerBox>(
            Write,
            static _ => throw new NotSupportedException("an aggregator sends these messages, it never receives them")));

    private static void Write(LinkAnswerBox box, SerializationContext context)
    {
        if (box.Answer.Message is { } message)
        {
            context.SetPayloadLength(message.CalculateSize());
            Google.Protobuf.MessageExtensions.WriteTo(message, context.GetBufferWriter());
            context.Complete();
            return;
        }

        // {acknowledge: {sequence: n}}
        Span<byte> bytes = stackalloc byte[16];
        int length = 3;
        for (ulong rest = box.Answer.Acknowledged; ; rest >>= 7)
        {
            bytes[length++] = rest < 0x80 ? (byte)rest : (byte)(rest | 0x80);
            if (rest < 0x80)
            {
                break;
            }
        }

        bytes[0] = (AggregatorMessage.AcknowledgeFieldNumber << 3) | 2;
        bytes[1] = (byte)(length - 2);
        bytes[2] = Acknowledge.SequenceFieldNumber << 3;
        context.SetPayloadLength(length);
        IBufferWriter<byte> output = context.GetBufferWriter();
        bytes[..length].CopyTo(output.GetSpan(length));
        output.Advance(length);
        context.Complete();
    }
}
