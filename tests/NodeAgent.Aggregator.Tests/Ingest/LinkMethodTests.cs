using System.Buffers;
using Google.Protobuf;
using Grpc.Core;
using NodeAgent.Aggregator.Ingest;
using NodeAgent.V1;

namespace NodeAgent.Aggregator.Tests.Ingest;

public sealed class LinkMethodTests
{
    [Fact]
    public void Write_Acknowledgement_IsTheGeneratedMessage()
    {
        Random random = new(51);
        for (int i = 0; i < 10_000; i++)
        {
            ulong sequence = i switch { 0 => 0, 1 => ulong.MaxValue, 2 => 127, 3 => 128, _ => (ulong)random.NextInt64() << 1 >> random.Next(64) };
            AggregatorMessage parsed = AggregatorMessage.Parser.ParseFrom(Bytes(new LinkAnswer(sequence, null)));
            Assert.Equal(new AggregatorMessage { Acknowledge = new Acknowledge { Sequence = sequence } }, parsed);
        }
    }

    [Fact]
    public void Write_OtherMessage_IsCarriedWhole()
    {
        AggregatorMessage message = new() { Rejected = new Rejected { Sequence = 4, Reason = "because" } };
        Assert.Equal(message.ToByteArray(), Bytes(new LinkAnswer(9, message)));
    }

    [Fact]
    public void Copy_MessagesOfManySizes_KeepTheirBytesUntilReturned()
    {
        Random random = new(52);
        List<(LinkMessage Message, byte[] Bytes)> held = [];
        for (int i = 0; i < 500; i++)
        {
            byte[] bytes = new byte[random.Next(random.Next(10) == 0 ? 200_000 : 3_000)];
            random.NextBytes(bytes);
            held.Add((LinkMessage.Copy(new ReadOnlySequence<byte>(bytes)), bytes));
            if (random.Next(2) == 0)
            {
                int at = random.Next(held.Count);
                Assert.True(held[at].Message.Bytes.SequenceEqual(held[at].Bytes));
                held[at].Message.Return();
                held.RemoveAt(at);
            }
        }

        Assert.All(held, one => Assert.True(one.Message.Bytes.SequenceEqual(one.Bytes)));
    }

    private static byte[] Bytes(LinkAnswer answer)
    {
        Context context = new();
        LinkMethod.Connect.ResponseMarshaller.ContextualSerializer(new LinkAnswerBox { Answer = answer }, context);
        Assert.True(context.IsComplete);
        Assert.Equal(context.Announced, context.Buffer.WrittenCount);
        return context.Buffer.WrittenSpan.ToArray();
    }

    private sealed class Context : SerializationContext
    {
        internal ArrayBufferWriter<byte> Buffer { get; } = new();

        internal int Announced { get; private set; }

        internal bool IsComplete { get; private set; }

        public override void SetPayloadLength(int payloadLength) => Announced = payloadLength;

        public override IBufferWriter<byte> GetBufferWriter() => Buffer;

        public override void Complete() => IsComplete = true;
    }
}
