using System.Buffers;
using Google.Protobuf;
using Grpc.Core;
using NodeAgent.V1;

namespace NodeAgent.Agent.Uplink;

/// <summary>A message to send: bytes that are already an encoded <c>AgentMessage</c>.</summary>
internal sealed class LinkRecord
{
    internal byte[] Buffer = [];

    internal int Length { get; set; }

    internal void Set(byte[] message)
    {
        Buffer = message;
        Length = message.Length;
    }
}

/// <summary>A received message: an acknowledgement as a bare number, anything rarer as the generated class.</summary>
internal sealed class LinkReply
{
    /// <summary>Null: this is an acknowledgement of <see cref="Acknowledged"/>.</summary>
    internal AggregatorMessage? Message { get; private set; }

    internal ulong Acknowledged { get; private set; }

    /// <summary>Reads one message into this instance, which the stream reuses for every message.</summary>
    internal LinkReply Read(ReadOnlySequence<byte> bytes)
    {
        Message = null;
        if (!TryReadAcknowledge(bytes))
        {
            Message = AggregatorMessage.Parser.ParseFrom(bytes);
            if (Message.BodyCase == AggregatorMessage.BodyOneofCase.Acknowledge)
            {
                Acknowledged = Message.Acknowledge.Sequence;
                Message = null;
            }
        }

        return this;
    }

    // {2: {1: varint}} and nothing else, as every tick brings one. Three bytes before a number of at most ten.
    private bool TryReadAcknowledge(ReadOnlySequence<byte> bytes)
    {
        Span<byte> copy = stackalloc byte[13];
        if (bytes.Length is < 4 or > 13)
        {
            return false;
        }

        bytes.CopyTo(copy);
        ReadOnlySpan<byte> text = copy[..(int)bytes.Length];
        if (text[0] != ((AggregatorMessage.AcknowledgeFieldNumber << 3) | 2) || text[1] != text.Length - 2
            || text[2] != (Acknowledge.SequenceFieldNumber << 3))
        {
            return false;
        }

        ulong value = 0;
        for (int i = 3, shift = 0; i < text.Length; i++, shift += 7)
        {
            value |= (ulong)(text[i] & 0x7F) << shift;
            if (text[i] < 0x80)
            {
                Acknowledged = value;
                return i == text.Length - 1;
            }
        }

        return false;
    }
}

/// <summary>
/// <c>AgentLink.Connect</c> with marshallers of our own: what goes out is encoded already, and what comes back once a tick
/// allocates nothing. On the wire it is the generated method.
/// </summary>
internal static class LinkMethod
{
    /// <summary>One method object per stream: the reply instance is reused from message to message.</summary>
    internal static Method<LinkRecord, LinkReply> Create()
    {
        LinkReply reply = new();
        return new Method<LinkRecord, LinkReply>(
            MethodType.DuplexStreaming,
            AgentLink.Descriptor.FullName,
            nameof(AgentLink.AgentLinkClient.Connect),
            new Marshaller<LinkRecord>(Write, static _ => throw new NotSupportedException("an agent sends records, it never receives them")),
            new Marshaller<LinkReply>(
                static (_, _) => throw new NotSupportedException("an agent receives replies, it never sends them"),
                context => reply.Read(context.PayloadAsReadOnlySequence())));
    }

    private static void Write(LinkRecord record, SerializationContext context)
    {
        context.SetPayloadLength(record.Length);
        IBufferWriter<byte> output = context.GetBufferWriter();
        record.Buffer.AsSpan(0, record.Length).CopyTo(output.GetSpan(record.Length));
        output.Advance(record.Length);
        context.Complete();
    }
}
