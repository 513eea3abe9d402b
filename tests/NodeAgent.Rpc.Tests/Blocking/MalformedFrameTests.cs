using Grpc.Core;
using NodeAgent.Rpc.Blocking;
using NodeAgent.Rpc.Blocking.Http2;
using static NodeAgent.Rpc.Tests.Blocking.Frames;

namespace NodeAgent.Rpc.Tests.Blocking;

/// <summary>What breaks the protocol ends the connection with its code; what breaks one call ends that call alone.</summary>
public sealed class MalformedFrameTests
{
    internal static Dictionary<string, (Http2Error Error, byte[] Bytes)> Broken { get; } = new()
    {
        ["DATA on no stream"] = (Http2Error.ProtocolError, Data(0, [])),
        ["DATA on an idle stream"] = (Http2Error.ProtocolError, Data(3, [])),
        ["DATA on a server's stream"] = (Http2Error.ProtocolError, Data(2, [])),
        ["DATA with too much padding"] = (Http2Error.ProtocolError, Data(1, [5, 0, 0, 0, 0], FrameFlags.Padded)),
        ["DATA padded and empty"] = (Http2Error.ProtocolError, Data(1, [], FrameFlags.Padded)),
        ["DATA of 16385 bytes"] = (Http2Error.FrameSizeError, Data(1, new byte[16_385])),
        ["HEADERS on no stream"] = (Http2Error.ProtocolError, Head(0)),
        ["HEADERS on an idle stream"] = (Http2Error.ProtocolError, Head(3)),
        ["HEADERS cut in its priority"] = (Http2Error.FrameSizeError, Frame(FrameType.Headers, FrameFlags.Priority, 1, [1, 2])),
        ["HEADERS that do not decode"] = (Http2Error.CompressionError, Frame(FrameType.Headers, FrameFlags.EndHeaders, 1, [0x80])),
        ["CONTINUATION alone"] = (Http2Error.ProtocolError, Frame(FrameType.Continuation, FrameFlags.EndHeaders, 1, [])),
        ["CONTINUATION of another stream"] = (Http2Error.ProtocolError, [.. Head(1, 0), .. Frame(FrameType.Continuation, 0, 3, [])]),
        ["PING inside a header block"] = (Http2Error.ProtocolError, [.. Head(1, 0), .. Frame(FrameType.Ping, 0, 0, new byte[8])]),
        ["CONTINUATION without end"] = (Http2Error.EnhanceYourCalm, [.. Head(1, 0), .. Repeat(Frame(FrameType.Continuation, 0, 1, []), 100)]),
        ["headers without bound"] = (Http2Error.EnhanceYourCalm, [.. Head(1, 0), .. Repeat(Frame(FrameType.Continuation, 0, 1, new byte[16_000]), 5)]),
        ["PRIORITY of four bytes"] = (Http2Error.FrameSizeError, Frame(FrameType.Priority, 0, 1, new byte[4])),
        ["PRIORITY on no stream"] = (Http2Error.ProtocolError, Frame(FrameType.Priority, 0, 0, new byte[5])),
        ["RST_STREAM of five bytes"] = (Http2Error.FrameSizeError, Frame(FrameType.RstStream, 0, 1, new byte[5])),
        ["RST_STREAM on no stream"] = (Http2Error.ProtocolError, Reset(0, 0)),
        ["RST_STREAM on an idle stream"] = (Http2Error.ProtocolError, Reset(5, 0)),
        ["SETTINGS on a stream"] = (Http2Error.ProtocolError, Frame(FrameType.Settings, 0, 1, [])),
        ["SETTINGS cut short"] = (Http2Error.FrameSizeError, Frame(FrameType.Settings, 0, 0, new byte[5])),
        ["SETTINGS ack with payload"] = (Http2Error.FrameSizeError, Frame(FrameType.Settings, FrameHeader.Ack, 0, new byte[6])),
        ["SETTINGS with push"] = (Http2Error.ProtocolError, Settings((PeerSettings.EnablePush, 1))),
        ["SETTINGS with a huge window"] = (Http2Error.FlowControlError, Settings((PeerSettings.InitialWindowSizeName, 0x80000000))),
        ["SETTINGS with a tiny frame"] = (Http2Error.ProtocolError, Settings((PeerSettings.MaxFrameSizeName, 16_383))),
        ["SETTINGS with a huge frame"] = (Http2Error.ProtocolError, Settings((PeerSettings.MaxFrameSizeName, 0x1000000))),
        ["SETTINGS that overflow a stream's window"] =
            (Http2Error.FlowControlError, [.. WindowUpdate(1, 0x7FFF0000), .. Settings((PeerSettings.InitialWindowSizeName, 0x20000))]),
        ["PUSH_PROMISE"] = (Http2Error.ProtocolError, Frame(FrameType.PushPromise, FrameFlags.EndHeaders, 1, [0, 0, 0, 2])),
        ["PING of seven bytes"] = (Http2Error.FrameSizeError, Frame(FrameType.Ping, 0, 0, new byte[7])),
        ["PING on a stream"] = (Http2Error.ProtocolError, Frame(FrameType.Ping, 0, 1, new byte[8])),
        ["GOAWAY cut short"] = (Http2Error.FrameSizeError, Frame(FrameType.GoAway, 0, 0, new byte[7])),
        ["GOAWAY on a stream"] = (Http2Error.ProtocolError, Frame(FrameType.GoAway, 0, 1, new byte[8])),
        ["WINDOW_UPDATE of 0"] = (Http2Error.ProtocolError, WindowUpdate(0, 0)),
        ["WINDOW_UPDATE beyond 2^31-1"] = (Http2Error.FlowControlError, WindowUpdate(0, int.MaxValue)),
        ["WINDOW_UPDATE of three bytes"] = (Http2Error.FrameSizeError, Frame(FrameType.WindowUpdate, 0, 0, new byte[3])),
        ["WINDOW_UPDATE on an idle stream"] = (Http2Error.ProtocolError, WindowUpdate(7, 1)),
    };

    public static TheoryData<string> Cases => [.. Broken.Keys];

    [Theory]
    [MemberData(nameof(Cases))]
    public void BrokenFrame_EndsTheConnectionWithItsCode(string name)
    {
        SessionDriver peer = new();
        peer.Open();
        Assert.Equal(Broken[name].Error, Assert.Throws<Http2Exception>(() => peer.Feed(Broken[name].Bytes)).Error);
    }

    [Theory]
    [InlineData("HTTP/1.1 400 Bad Request\r\n\r\n", "HTTP/1.1")]
    [InlineData("\u0015\u0003\u0003\0\u0002\u0002F\0\0\0\0\0", "TLS")]
    [InlineData("220 mail ESMTP ready", "HTTP/2")]
    public void FirstBytes_OfAnotherProtocol_AreCalledByName(string text, string expected)
    {
        SessionDriver peer = new(greeted: false);
        byte[] bytes = System.Text.Encoding.Latin1.GetBytes(text);
        Assert.Contains(expected, Assert.Throws<Http2Exception>(() => peer.Feed(bytes)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void PingsWithoutEnd_ToAServerThatReadsNothing_EndTheConnection()
    {
        SessionDriver peer = new();
        byte[] ping = Frame(FrameType.Ping, 0, 0, new byte[8]);
        Assert.Equal(Http2Error.EnhanceYourCalm, Assert.Throws<Http2Exception>(() =>
        {
            for (int i = 0; i < 100_000; i++)
            {
                peer.Feed(ping);
            }
        }).Error);
    }

    [Theory]
    [InlineData(StatusCode.Internal, 2, 0)] // an unknown compression flag
    [InlineData(StatusCode.Internal, 1, 3)] // compressed, which we did not offer
    [InlineData(StatusCode.ResourceExhausted, 0, 0x400001)]
    [InlineData(StatusCode.ResourceExhausted, 0, 0xFFFFFFFF)]
    public void BadMessage_EndsItsCallAlone(StatusCode expected, byte flag, uint length)
    {
        foreach (bool inPieces in (bool[])[false, true])
        {
            SessionDriver peer = new();
            (_, RecordingSink sink) = peer.Open();
            (BlockingStream other, _) = peer.Open();
            byte[] frame = RawCall.Frame([], flag, length);
            peer.Feed(Head(1), Data(1, inPieces ? frame[..2] : []), Data(1, inPieces ? frame[2..] : frame));
            Assert.Equal(expected, sink.Closed!.Value.StatusCode);
            Assert.Contains(peer.Written(), written => written.Header is { Type: FrameType.RstStream, StreamId: 1 });
            Assert.True(other.IsOpen);
        }
    }

    [Fact]
    public void AnnouncedLength_WithoutItsBytes_TakesNoMemory()
    {
        SessionDriver peer = new();
        peer.Open();
        peer.Feed(Head(1), Data(1, []));
        byte[] frame = Data(1, RawCall.Frame([1], length: 4 * 1024 * 1024));
        long before = GC.GetAllocatedBytesForCurrentThread();
        peer.Feed(frame);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 16 * 1024);
    }

    public static TheoryData<string> BadHeads => new(
        ":status=2x0", ":status=99", "content-type=application/grpc", "content-type=application/grpc|:status=200", ":status=200|:status=200",
        ":status=200|:path=/", ":status=200|X-Upper=1", ":status=200|=empty");

    [Theory]
    [MemberData(nameof(BadHeads))]
    public void MalformedHeaders_EndTheCallAlone(string fields)
    {
        SessionDriver peer = new();
        (_, RecordingSink sink) = peer.Open();
        (BlockingStream other, _) = peer.Open();
        peer.Feed(Frame(FrameType.Headers, FrameFlags.EndHeaders, 1, Block([.. fields.Split('|').Select(Pair)])));
        Assert.Equal(StatusCode.Internal, sink.Closed!.Value.StatusCode);
        Assert.True(other.IsOpen);

        static (string, string) Pair(string field) => (field[..field.IndexOf('=', StringComparison.Ordinal)], field[(field.IndexOf('=', StringComparison.Ordinal) + 1)..]);
    }

    [Fact]
    public void SecondHeadersThatDoNotEnd_AndMessageBeforeHeaders_EndTheCallAlone()
    {
        SessionDriver peer = new();
        (_, RecordingSink first) = peer.Open();
        (_, RecordingSink second) = peer.Open();
        (_, RecordingSink third) = peer.Open();
        peer.Feed(Head(1), Head(1));
        peer.Feed(Message(3, [1]));
        peer.Feed(Head(5), Frame(FrameType.Headers, FrameFlags.EndHeaders | FrameFlags.EndStream, 5, Block((":status", "200"))));
        Assert.Equal(
            [StatusCode.Internal, StatusCode.Internal, StatusCode.Internal],
            new[] { first, second, third }.Select(sink => sink.Closed!.Value.StatusCode));
    }

    [Fact]
    public void HeadersPastTheLimit_EndTheCallAloneAndLeaveTheTableRight()
    {
        SessionDriver peer = new(new BlockingConnectionOptions { MaxHeaderBytes = 1000 });
        (_, RecordingSink sink) = peer.Open();
        (_, RecordingSink next) = peer.Open();
        byte[] remembered = [0x40, 1, (byte)'a', 1, (byte)'b'];
        byte[] block = [.. Block((":status", "200"), ("long", new string('x', 2000))), .. remembered];
        peer.Feed(Frame(FrameType.Headers, FrameFlags.EndHeaders, 1, block));
        Assert.Equal(StatusCode.ResourceExhausted, sink.Closed!.Value.StatusCode);
        peer.Feed(Head(3), Frame(FrameType.Headers, FrameFlags.EndHeaders | FrameFlags.EndStream, 3, [.. Block(("grpc-status", "0")), 0xBE]));
        Assert.Equal("b", next.Trailers.GetValue("a"));
    }

    [Theory]
    [InlineData(0u)]
    [InlineData((uint)int.MaxValue)]
    public void WindowUpdate_OutOfRangeOnAStream_EndsTheCallAlone(uint increment)
    {
        SessionDriver peer = new();
        (_, RecordingSink sink) = peer.Open();
        peer.Feed(WindowUpdate(1, increment));
        Assert.Equal(StatusCode.Internal, sink.Closed!.Value.StatusCode);
    }

    private static byte[] Repeat(byte[] bytes, int times) => [.. Enumerable.Repeat(bytes, times).SelectMany(one => one)];
}
