using System.Buffers;
using Grpc.Core;

namespace NodeAgent.Rpc.Tests;

/// <summary>Bytes that are encoded already, in a buffer that is used again: what a telemetry frame is.</summary>
internal sealed class RawMessage(int capacity)
{
    internal byte[] Bytes { get; } = new byte[capacity];

    internal int Length { get; set; }
}

internal static class RawMarshaller
{
    /// <summary>One copy out, one copy in, nothing allocated: reading always fills the same message.</summary>
    internal static Marshaller<RawMessage> Into(RawMessage received) => new(
        static (message, context) =>
        {
            context.SetPayloadLength(message.Length);
            context.GetBufferWriter().Write(message.Bytes.AsSpan(0, message.Length));
            context.Complete();
        },
        context =>
        {
            ReadOnlySequence<byte> payload = context.PayloadAsReadOnlySequence();
            payload.CopyTo(received.Bytes);
            received.Length = (int)payload.Length;
            return received;
        });
}
