using System.Buffers;
using Grpc.Core;
using NodeAgent.Agent.Uplink;
using NodeAgent.V1;

namespace NodeAgent.Benchmarks.Rpc;

/// <summary>Bytes that are already an encoded <c>AgentMessage</c>.</summary>
internal sealed class BenchRecord
{
    private byte[] _own = [];

    internal byte[] Buffer { get; private set; } = [];

    internal int Length { get; private set; }

    internal BenchRecord Set(byte[] message)
    {
        (Buffer, Length) = (message, message.Length);
        return this;
    }

    internal BenchRecord Set(ReadOnlySpan<byte> message)
    {
        if (_own.Length < message.Length)
        {
            _own = new byte[message.Length * 2];
        }

        message.CopyTo(_own);
        (Buffer, Length) = (_own, message.Length);
        return this;
    }
}

/// <summary>
/// <c>AgentLink.Connect</c> with marshallers that neither encode nor allocate, so that thousands of sending sides fit beside the
/// receiving side that is measured. On the wire it is the generated method.
/// </summary>
internal static class BenchMethod
{
    /// <summary>Receives acknowledgements as numbers; 0 stands for any other message.</summary>
    internal static Method<BenchRecord, AcknowledgedBox> Create()
    {
        AcknowledgedBox box = new();
        return new Method<BenchRecord, AcknowledgedBox>(
            MethodType.DuplexStreaming,
            AgentLink.Descriptor.FullName,
            nameof(AgentLink.AgentLinkClient.Connect),
            new Marshaller<BenchRecord>(Write, static _ => throw new NotSupportedException("records are only sent")),
            new Marshaller<AcknowledgedBox>(
                static (_, _) => throw new NotSupportedException("replies are only received"),
                context => box.Read(context.PayloadAsReadOnlySequence())));
    }

    private static void Write(BenchRecord record, SerializationContext context)
    {
        context.SetPayloadLength(record.Length);
        IBufferWriter<byte> output = context.GetBufferWriter();
        record.Buffer.AsSpan(0, record.Length).CopyTo(output.GetSpan(record.Length));
        output.Advance(record.Length);
        context.Complete();
    }
}

/// <summary>A reply, reused from message to message.</summary>
internal sealed class AcknowledgedBox
{
    internal ulong Sequence { get; private set; }

    /// <summary>Null: an acknowledgement.</summary>
    internal AggregatorMessage? Other { get; private set; }

    internal AcknowledgedBox Read(ReadOnlySequence<byte> bytes)
    {
        Span<byte> start = stackalloc byte[16];
        int length = (int)Math.Min(bytes.Length, start.Length);
        bytes.Slice(0, length).CopyTo(start);
        Other = LinkReply.TryReadAcknowledge(bytes.Length <= length ? start[..length] : [], out ulong sequence)
            ? null : AggregatorMessage.Parser.ParseFrom(bytes);
        Sequence = sequence;
        return this;
    }
}
