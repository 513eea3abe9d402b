using System.Buffers;
using Grpc.Core;
using NodeAgent.Rpc.Wire;

namespace NodeAgent.Rpc.Tests.Wire;

public sealed class MessageFrameTests
{
    [Fact]
    public void Decoder_FramesCutAtEveryByte_WaitsAndThenReadsTheSame()
    {
        byte[] stream = [.. RawCall.Frame([1, 2, 3]), .. RawCall.Frame([]), .. RawCall.Frame([9])];
        Marshaller<byte[]> marshaller = new(bytes => bytes, bytes => bytes);
        for (int cut = 0; cut <= stream.Length; cut++)
        {
            MessageDecoder decoder = new(100);
            List<byte[]> messages = [];
            ReadOnlySequence<byte> first = new(stream, 0, cut);
            Read(decoder, ref first, messages);
            int kept = cut - (int)first.Length;
            ReadOnlySequence<byte> rest = TwoSegments(stream.AsMemory(kept, cut - kept), stream.AsMemory(cut));
            Read(decoder, ref rest, messages);
            Assert.Equal([[1, 2, 3], [], [9]], messages);
            Assert.True(rest.IsEmpty);
        }

        void Read(MessageDecoder decoder, ref ReadOnlySequence<byte> from, List<byte[]> into)
        {
            while (decoder.TryDecode(ref from, marshaller, out byte[] message))
            {
                into.Add(message);
            }
        }
    }

    [Fact]
    public void Decoder_IncompleteFrame_SaysHowMuchItNeeds()
    {
        MessageDecoder decoder = new(100);
        Marshaller<byte[]> marshaller = new(bytes => bytes, bytes => bytes);
        ReadOnlySequence<byte> buffer = new(RawCall.Frame([1], length: 60));
        Assert.False(decoder.TryDecode(ref buffer, marshaller, out _));
        Assert.Equal(65, decoder.FrameLength);
    }

    [Fact]
    public void Encoder_WrongAnnouncedLength_IsInternalAndTheEncoderStaysUsable()
    {
        MessageEncoder encoder = new(100);
        Marshaller<string> lying = new(
            (text, context) =>
            {
                context.SetPayloadLength(7);
                context.GetBufferWriter().Write("abc"u8);
                context.Complete();
            },
            _ => "");
        Assert.Equal(StatusCode.Internal, Assert.Throws<RpcException>(() => encoder.Encode(lying, "", false)).StatusCode);
        Assert.Equal([0, 0, 0, 0, 2, .. "ok"u8], encoder.Encode(Marshallers.StringMarshaller, "ok", false).ToArray());
    }

    [Fact]
    public void Encoder_SerializerThatForgetsToComplete_IsInternal()
    {
        Marshaller<string> forgetful = new((_, _) => { }, _ => "");
        Assert.Equal(
            StatusCode.Internal, Assert.Throws<RpcException>(() => new MessageEncoder(100).Encode(forgetful, "", false)).StatusCode);
    }

    [Theory]
    [InlineData(10, true)]
    [InlineData(11, false)]
    public void Encoder_Limit_CountsThePayload(int length, bool fits)
    {
        MessageEncoder encoder = new(10);
        Marshaller<byte[]> marshaller = new(bytes => bytes, bytes => bytes);
        if (fits)
        {
            Assert.Equal(15, encoder.Encode(marshaller, new byte[length], false).Length);
        }
        else
        {
            Assert.Equal(
                StatusCode.ResourceExhausted,
                Assert.Throws<RpcException>(() => encoder.Encode(marshaller, new byte[length], false)).StatusCode);
        }
    }

    private static ReadOnlySequence<byte> TwoSegments(ReadOnlyMemory<byte> first, ReadOnlyMemory<byte> second)
    {
        Segment start = new(first, 0);
        Segment end = new(second, first.Length);
        start.Link(end);
        return new ReadOnlySequence<byte>(start, 0, end, second.Length);
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        internal Segment(ReadOnlyMemory<byte> memory, long runningIndex)
        {
            Memory = memory;
            RunningIndex = runningIndex;
        }

        internal void Link(Segment next) => Next = next;
    }
}
