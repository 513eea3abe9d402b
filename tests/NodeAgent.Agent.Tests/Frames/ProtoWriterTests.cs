using Google.Protobuf;
using NodeAgent.Agent.Frames;
using NodeAgent.V1;

namespace NodeAgent.Agent.Tests.Frames;

public sealed class ProtoWriterTests
{
    [Theory]
    [InlineData(21)]
    [InlineData(22)]
    public void Frame_RandomFields_IsByteForByteTheGeneratedOne(int seed)
    {
        Random random = new(seed);
        ProtoWriter frame = new();
        ProtoWriter message = new();
        for (int round = 0; round < 500; round++)
        {
            Frame expected = new()
            {
                Sequence = Number(random),
                WallUnixMs = (long)Number(random),
                MonotonicNs = Number(random),
                Clock = (ClockQuality)random.Next(1, 4),
                Key = true,
            };
            frame.Clear();
            frame.WriteVarintField(1, expected.Sequence);
            frame.WriteVarintField(2, (ulong)expected.WallUnixMs);
            frame.WriteVarintField(3, expected.MonotonicNs);
            frame.WriteVarintField(4, (ulong)expected.Clock);
            frame.WriteVarintField(5, 1);
            for (int block = random.Next(5); block > 0; block--)
            {
                byte[] payload = new byte[1 + random.Next(random.Next(3) == 0 ? 20_000 : 200)];
                random.NextBytes(payload);
                uint id = (uint)Number(random) | 1;
                frame.WriteBlockField(6, id, payload);
                expected.Blocks.Add(new Block { SchemaId = id, Payload = ByteString.CopyFrom(payload) });
            }

            message.Clear();
            message.WriteBytesField(3, frame.Written);
            Assert.Equal(new AgentMessage { Frame = expected }.ToByteArray(), message.Written.ToArray());
        }
    }

    // Every length of a varint is as likely as any other; never 0, which the generated class leaves out.
    private static ulong Number(Random random) => ((ulong)random.NextInt64() >> random.Next(63)) | 1;
}
