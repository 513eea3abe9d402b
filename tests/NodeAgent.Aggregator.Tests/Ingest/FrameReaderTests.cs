using Google.Protobuf;
using NodeAgent.Aggregator.Ingest;
using NodeAgent.V1;

namespace NodeAgent.Aggregator.Tests.Ingest;

public sealed class FrameReaderTests
{
    [Theory]
    [InlineData(41)]
    [InlineData(42)]
    public void Read_RandomFrames_AgreesWithTheGeneratedClass(int seed)
    {
        Random random = new(seed);
        for (int round = 0; round < 2_000; round++)
        {
            Frame frame = RandomFrame(random);
            byte[] bytes = new AgentMessage { Frame = frame }.ToByteArray();
            Assert.Equal(frame, Read(bytes));
        }
    }

    [Fact]
    public void Read_UnknownFieldsAfterTheHeader_AreSkipped()
    {
        Random random = new(43);
        for (int round = 0; round < 500; round++)
        {
            Frame frame = RandomFrame(random);
            frame.Sequence |= 1;
            byte[] body = [.. frame.ToByteArray(), .. UnknownField(random), .. UnknownField(random)];
            Assert.Equal(frame, Read(Wrap(body)));
            Block block = new() { SchemaId = 7, Payload = ByteString.CopyFrom(1, 2, 3) };
            byte[] extended = [.. block.ToByteArray(), .. UnknownField(random)];
            Frame one = Read(Wrap([.. new Frame { Sequence = 3 }.ToByteArray(), 0x32, (byte)extended.Length, .. extended]))!;
            Assert.Equal(block, Assert.Single(one.Blocks));
        }
    }

    [Fact]
    public void Read_BodyCutAtEveryByte_IsMalformedExactlyWhereTheGeneratedParserThrows()
    {
        Random random = new(44);
        for (int round = 0; round < 60; round++)
        {
            byte[] body = RandomFrame(random).ToByteArray();
            for (int length = 0; length <= body.Length; length++)
            {
                byte[] cut = body[..length];
                Frame? expected = Generated(cut);
                Frame? actual = Read(Wrap(cut));
                Assert.True(Equals(expected, actual), $"cut at {length} of {Convert.ToHexString(body)}: {actual?.ToString() ?? "malformed"}, the generated parser says {expected?.ToString() ?? "malformed"}");
            }
        }
    }

    [Fact]
    public void TryOpen_MessageCutAtEveryByte_DoesNotOpen()
    {
        byte[] message = new AgentMessage { Frame = new Frame { Sequence = 5, Blocks = { new Block { SchemaId = 1, Payload = ByteString.CopyFrom(9, 9) } } } }.ToByteArray();
        for (int length = 0; length < message.Length; length++)
        {
            Assert.False(FrameReader.TryOpen(message.AsSpan(0, length), out _), $"{length} of {message.Length} bytes were opened");
        }
    }

    [Fact]
    public void Read_RandomBytes_NeverThrowsAndNeverAcceptsWhatTheGeneratedParserRefuses()
    {
        Random random = new(45);
        byte[] seed = RandomFrame(random).ToByteArray();
        for (int round = 0; round < 60_000; round++)
        {
            byte[] body;
            if (round % 2 == 0)
            {
                body = new byte[random.Next(40)];
                random.NextBytes(body);
            }
            else
            {
                body = [.. seed];
                for (int change = random.Next(4); change >= 0; change--)
                {
                    body[random.Next(body.Length)] = (byte)random.Next(256);
                }
            }

            Read(body);
            Frame? actual = Read(Wrap(body));
            if (actual is not null)
            {
                Assert.NotNull(Generated(body));
            }
        }
    }

    /// <summary>What the reader makes of a message; null: not opened, or malformed.</summary>
    private static Frame? Read(byte[] message)
    {
        if (!FrameReader.TryOpen(message, out FrameReader reader))
        {
            return null;
        }

        Frame frame = new()
        {
            Sequence = reader.Sequence,
            WallUnixMs = reader.WallUnixMs,
            MonotonicNs = reader.MonotonicNs,
            Clock = reader.Clock,
            Key = reader.IsKey,
        };
        while (reader.TryReadBlock(out uint schemaId, out ReadOnlySpan<byte> payload))
        {
            frame.Blocks.Add(new Block { SchemaId = schemaId, Payload = ByteString.CopyFrom(payload) });
        }

        frame.StandsFor = reader.StandsFor;
        frame.Boot = reader.Boot;
        return reader.IsMalformed ? null : frame;
    }

    private static Frame? Generated(byte[] body)
    {
        try
        {
            return Frame.Parser.WithDiscardUnknownFields(true).ParseFrom(body);
        }
        catch (InvalidProtocolBufferException)
        {
            return null;
        }
    }

    private static byte[] Wrap(byte[] body)
    {
        using MemoryStream stream = new();
        using (CodedOutputStream output = new(stream, leaveOpen: true))
        {
            output.WriteTag(AgentMessage.FrameFieldNumber, WireFormat.WireType.LengthDelimited);
            output.WriteBytes(ByteString.CopyFrom(body));
        }

        return stream.ToArray();
    }

    private static byte[] UnknownField(Random random) => random.Next(4) switch
    {
        0 => [15 << 3, 0x96, 0x01],
        1 => [(15 << 3) | 1, 1, 2, 3, 4, 5, 6, 7, 8],
        2 => [(15 << 3) | 2, 3, 1, 2, 3],
        _ => [(15 << 3) | 5, 1, 2, 3, 4],
    };

    private static Frame RandomFrame(Random random)
    {
        Frame frame = new()
        {
            Sequence = (ulong)random.NextInt64() >> random.Next(64),
            WallUnixMs = random.NextInt64() >> random.Next(64),
            MonotonicNs = (ulong)random.NextInt64() << 1 >> random.Next(64),
            Clock = (ClockQuality)random.Next(5),
            Key = random.Next(2) == 0,
            StandsFor = (uint)random.Next() >> random.Next(32),
            Boot = (uint)random.Next() >> random.Next(32),
        };
        for (int block = random.Next(4); block > 0; block--)
        {
            byte[] payload = new byte[random.Next(random.Next(6) == 0 ? 300 : 12)];
            random.NextBytes(payload);
            frame.Blocks.Add(new Block { SchemaId = (uint)random.Next() >> random.Next(32), Payload = ByteString.CopyFrom(payload) });
        }

        return frame;
    }
}
