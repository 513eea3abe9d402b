using System.Buffers;
using Google.Protobuf;
using NodeAgent.Agent.Uplink;
using NodeAgent.V1;

namespace NodeAgent.Agent.Tests.Uplink;

public sealed class LinkReplyTests
{
    [Fact]
    public void Read_Acknowledgements_AgreeWithTheGeneratedParser()
    {
        Random random = new(31);
        LinkReply reply = new();
        for (int i = 0; i < 20_000; i++)
        {
            ulong sequence = i switch { 0 => 0, 1 => ulong.MaxValue, _ => (ulong)random.NextInt64() << random.Next(2) >> random.Next(64) };
            byte[] bytes = new AggregatorMessage { Acknowledge = new Acknowledge { Sequence = sequence } }.ToByteArray();
            reply.Read(InPieces(bytes, random));
            Assert.Null(reply.Message);
            Assert.Equal(sequence, reply.Acknowledged);
        }
    }

    [Fact]
    public void Read_OtherMessages_AreTheGeneratedOnes()
    {
        LinkReply reply = new();
        AggregatorMessage[] messages =
        [
            new() { Welcome = new Welcome { Node = "a", AcknowledgedSequence = 3 } },
            new() { Throttle = new Throttle { RetryAfterMs = 5 } },
            new() { Rejected = new Rejected { Sequence = 2, Reason = "x" } },
            new(),
        ];
        Assert.All(messages, message => Assert.Equal(message, reply.Read(new ReadOnlySequence<byte>(message.ToByteArray())).Message));
    }

    [Fact]
    public void Read_DamagedBytes_ReadAsTheGeneratedParserReadsThem()
    {
        Random random = new(32);
        LinkReply reply = new();
        byte[] seed = new AggregatorMessage { Acknowledge = new Acknowledge { Sequence = 1UL << 62 } }.ToByteArray();
        for (int i = 0; i < 20_000; i++)
        {
            byte[] bytes = [.. seed, .. new byte[random.Next(3)]];
            for (int changes = random.Next(3); changes >= 0; changes--)
            {
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            }

            Compare(reply, bytes);
        }

        // A number of eleven bytes and more: longer than protobuf allows.
        for (int length = 8; length <= 14; length++)
        {
            byte[] number = [.. Enumerable.Repeat((byte)0x81, length - 1), 1];
            Compare(reply, [0x12, (byte)(number.Length + 1), 0x08, .. number]);
        }
    }

    private static void Compare(LinkReply reply, byte[] bytes)
    {
        AggregatorMessage expected;
        try
        {
            expected = AggregatorMessage.Parser.ParseFrom(bytes);
        }
        catch (InvalidProtocolBufferException)
        {
            Assert.Throws<InvalidProtocolBufferException>(() => { reply.Read(new ReadOnlySequence<byte>(bytes)); });
            return;
        }

        reply.Read(new ReadOnlySequence<byte>(bytes));
        if (expected.BodyCase == AggregatorMessage.BodyOneofCase.Acknowledge)
        {
            Assert.Null(reply.Message);
            Assert.Equal(expected.Acknowledge.Sequence, reply.Acknowledged);
        }
        else
        {
            Assert.Equal(expected, reply.Message);
        }
    }

    private static ReadOnlySequence<byte> InPieces(byte[] bytes, Random random)
    {
        int cut = random.Next(bytes.Length);
        Piece first = new(bytes.AsMemory(0, cut), 0);
        Piece second = first.Append(bytes.AsMemory(cut));
        return new ReadOnlySequence<byte>(first, 0, second, bytes.Length - cut);
    }

    private sealed class Piece : ReadOnlySequenceSegment<byte>
    {
        internal Piece(ReadOnlyMemory<byte> memory, long index)
        {
            Memory = memory;
            RunningIndex = index;
        }

        internal Piece Append(ReadOnlyMemory<byte> memory)
        {
            Piece next = new(memory, RunningIndex + Memory.Length);
            Next = next;
            return next;
        }
    }
}
