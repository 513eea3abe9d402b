using Google.Protobuf;
using NodeAgent.Agent.Uplink;
using NodeAgent.V1;

namespace NodeAgent.Agent.Tests.Uplink;

public sealed class LinkReplyTests
{
    [Fact]
    public void TryReadAcknowledge_Acknowledgements_AgreeWithTheGeneratedParser()
    {
        Random random = new(31);
        for (int i = 0; i < 20_000; i++)
        {
            ulong sequence = i switch { 0 => 1, 1 => ulong.MaxValue, _ => 1 + ((ulong)random.NextInt64() << random.Next(2) >> random.Next(64)) };
            byte[] bytes = new AggregatorMessage { Acknowledge = new Acknowledge { Sequence = sequence } }.ToByteArray();
            Assert.True(LinkReply.TryReadAcknowledge(bytes, out ulong read));
            Assert.Equal(sequence, read);
        }
    }

    [Fact]
    public void TryReadAcknowledge_OtherMessages_AreLeftToTheGeneratedParser()
    {
        AggregatorMessage[] messages =
        [
            new() { Welcome = new Welcome { Node = "a", AcknowledgedSequence = 3 } },
            new() { Throttle = new Throttle { RetryAfterMs = 5 } },
            new() { Rejected = new Rejected { Sequence = 2, Reason = "x" } },
            new(),
        ];
        Assert.All(messages, message => Assert.False(LinkReply.TryReadAcknowledge(message.ToByteArray(), out _)));
    }

    [Fact]
    public void TryReadAcknowledge_DamagedBytes_ReadsNothingThatTheGeneratedParserReadsOtherwise()
    {
        Random random = new(32);
        byte[] seed = new AggregatorMessage { Acknowledge = new Acknowledge { Sequence = 1UL << 62 } }.ToByteArray();
        for (int i = 0; i < 20_000; i++)
        {
            byte[] bytes = [.. seed, .. new byte[random.Next(3)]];
            for (int changes = random.Next(3); changes >= 0; changes--)
            {
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            }

            Compare(bytes);
        }

        // A number of eleven bytes and more: longer than protobuf allows.
        for (int length = 8; length <= 14; length++)
        {
            byte[] number = [.. Enumerable.Repeat((byte)0x81, length - 1), 1];
            Compare([0x12, (byte)(number.Length + 1), 0x08, .. number]);
        }
    }

    private static void Compare(byte[] bytes)
    {
        if (LinkReply.TryReadAcknowledge(bytes, out ulong sequence))
        {
            AggregatorMessage expected = AggregatorMessage.Parser.ParseFrom(bytes);
            Assert.Equal(AggregatorMessage.BodyOneofCase.Acknowledge, expected.BodyCase);
            Assert.Equal(expected.Acknowledge.Sequence, sequence);
        }
    }
}
