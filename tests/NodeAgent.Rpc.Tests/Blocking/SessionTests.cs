using Grpc.Core;
using NodeAgent.Rpc.Blocking;
using NodeAgent.Rpc.Blocking.Http2;
using static NodeAgent.Rpc.Tests.Blocking.Frames;

namespace NodeAgent.Rpc.Tests.Blocking;

/// <summary>What a session makes of valid frames, however oddly they are cut and ordered.</summary>
public sealed class SessionTests
{
    private static readonly byte[] Hello = [1, 2, 3];

    [Fact]
    public void Preface_AndFirstCall_AreOnePieceOfBytes()
    {
        SessionDriver peer = new(greeted: false);
        (BlockingStream stream, _) = peer.Open();
        Assert.True(stream.TrySend(Hello));
        List<(FrameHeader Header, byte[] Payload)> written = peer.Written();
        Assert.Equal([FrameType.Settings, FrameType.Headers, FrameType.Data], written.Select(frame => frame.Header.Type));
        Assert.Equal([0, 0, 0, 0, 3, 1, 2, 3], written[2].Payload);
    }

    [Fact]
    public void Answer_CutAtEveryByte_GivesTheSame()
    {
        byte[] answer =
        [
            .. Settings((PeerSettings.InitialWindowSizeName, 70_000)), .. Head(1), .. Message(1, Hello), .. Message(1, []),
            .. Data(1, [.. RawCall.Frame([4]), .. RawCall.Frame([5, 6])]), .. Trailers(1, "5", ("grpc-message", "caf%C3%A9"), ("x", "y")),
        ];
        for (int cut = 0; cut <= answer.Length; cut++)
        {
            SessionDriver peer = new(greeted: false);
            (_, RecordingSink sink) = peer.Open();
            peer.Feed(answer[..cut]);
            peer.Feed(answer[cut..]);
            Assert.Equal([Hello, [], [4], [5, 6]], sink.Messages);
            Assert.Equal(new Status(StatusCode.NotFound, "café"), sink.Closed);
            Assert.Equal("y", sink.Trailers.GetValue("x"));
        }
    }

    [Fact]
    public void Message_SpreadOverFramesByteByByte_IsWhole()
    {
        SessionDriver peer = new();
        (_, RecordingSink sink) = peer.Open();
        peer.Feed(Head(1));
        foreach (byte b in RawCall.Frame(Hello).Concat(RawCall.Frame([])).Concat(RawCall.Frame([9])))
        {
            peer.Feed(Data(1, [b]));
        }

        Assert.Equal([Hello, [], [9]], sink.Messages);
    }

    [Fact]
    public void Padding_PriorityAndContinuation_AreTakenOff()
    {
        SessionDriver peer = new();
        (_, RecordingSink sink) = peer.Open();
        byte[] block = Block((":status", "200"), ("content-type", "application/grpc+proto"));
        byte[] padded = [4, .. new byte[5], .. block[..3], 0, 0, 0, 0];
        peer.Feed(
            Frame(FrameType.Headers, FrameFlags.Padded | FrameFlags.Priority, 1, padded),
            Frame(FrameType.Continuation, 0, 1, []),
            Frame(FrameType.Continuation, 0, 1, block[3..10]),
            Frame(FrameType.Continuation, FrameFlags.EndHeaders, 1, block[10..]),
            Data(1, [2, .. RawCall.Frame(Hello), 0, 0], FrameFlags.Padded),
            Data(1, [0], FrameFlags.Padded),
            Trailers(1));
        Assert.Equal([Hello], sink.Messages);
        Assert.Equal(StatusCode.OK, sink.Closed!.Value.StatusCode);
    }

    [Fact]
    public void InterimAnswersAndUnknownFrames_AreIgnored()
    {
        SessionDriver peer = new();
        (_, RecordingSink sink) = peer.Open();
        peer.Feed(
            Frame((FrameType)0x77, (FrameFlags)0xFF, 1, Hello),
            Frame((FrameType)0x10, 0, 12, Hello),
            Frame(FrameType.Headers, FrameFlags.EndHeaders, 1, Block((":status", "103"), ("link", "x"))),
            Frame(FrameType.Priority, 0, 1, new byte[5]),
            Head(1),
            Trailers(1));
        Assert.Equal(StatusCode.OK, sink.Closed!.Value.StatusCode);
    }

    [Theory]
    [InlineData("200", "application/grpc", "12", "no", StatusCode.Unimplemented, "no")]
    [InlineData("200", "application/grpc", "77", "", StatusCode.Unknown, "")]
    [InlineData("200", "application/grpc", "ok", "", StatusCode.Unknown, "which is no number")]
    [InlineData("200", "application/grpc", null, "", StatusCode.Unknown, "without a grpc-status")]
    [InlineData("200", "text/html", null, "", StatusCode.Unknown, "text/html")]
    [InlineData("401", "text/html", null, "", StatusCode.Unauthenticated, "HTTP 401")]
    [InlineData("404", null, null, "", StatusCode.Unimplemented, "HTTP 404")]
    [InlineData("503", "application/grpc", null, "", StatusCode.Unavailable, "HTTP 503")]
    [InlineData("503", "application/grpc", "8", "full", StatusCode.ResourceExhausted, "full")]
    public void TrailersOnly_Status_IsRead(string http, string? contentType, string? status, string message, StatusCode expected, string detail)
    {
        SessionDriver peer = new();
        (_, RecordingSink sink) = peer.Open();
        List<(string, string)> fields = [(":status", http)];
        fields.AddRange(contentType is null ? [] : [("content-type", contentType)]);
        fields.AddRange(status is null ? [] : [("grpc-status", status), ("grpc-message", message)]);
        peer.Feed(Frame(FrameType.Headers, FrameFlags.EndHeaders | FrameFlags.EndStream, 1, Block([.. fields])));
        Assert.Equal(expected, sink.Closed!.Value.StatusCode);
        Assert.Contains(detail, sink.Closed.Value.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void EndOfStream_WithoutTrailersOrInsideAMessage_IsNoSuccess()
    {
        SessionDriver peer = new();
        (_, RecordingSink first) = peer.Open();
        (_, RecordingSink second) = peer.Open();
        (_, RecordingSink third) = peer.Open();
        peer.Feed(Head(1), Data(1, RawCall.Frame(Hello), FrameFlags.EndStream));
        peer.Feed(Head(3), Data(3, RawCall.Frame(Hello)[..6]), Trailers(3));
        peer.Feed(Head(5), Data(5, RawCall.Frame(Hello)[..6]), Trailers(5, "9", ("grpc-message", "own")));
        Assert.Equal((StatusCode.Unknown, 1), (first.Closed!.Value.StatusCode, first.Messages.Count));
        Assert.Equal(StatusCode.Internal, second.Closed!.Value.StatusCode);
        Assert.Equal(new Status(StatusCode.FailedPrecondition, "own"), third.Closed);
    }

    [Fact]
    public void Answer_BeforeOurLastWord_FreesTheServersStream()
    {
        SessionDriver peer = new();
        (_, RecordingSink sink) = peer.Open();
        peer.Written();
        peer.Feed(Head(1), Trailers(1));
        Assert.NotNull(sink.Closed);
        (FrameHeader header, byte[] payload) = Assert.Single(peer.Written());
        Assert.Equal((FrameType.RstStream, 1), (header.Type, header.StreamId));
        Assert.Equal([0, 0, 0, 0], payload);
    }

    [Fact]
    public void Window_TooSmallForAMessage_SendsWhatFitsAndTheRestLater()
    {
        SessionDriver peer = new(greeted: false);
        peer.Feed(Settings((PeerSettings.InitialWindowSizeName, 10)));
        (BlockingStream stream, _) = peer.Open();
        peer.Written();
        Assert.True(stream.TrySend(new byte[20])); // 25 with its header
        Assert.False(stream.IsWritable);
        Assert.False(stream.TrySend([1]));
        stream.CloseSend();
        Assert.Equal([(10, false)], Sent());
        peer.Feed(WindowUpdate(1, 8));
        Assert.Equal([(8, false)], Sent());

        // A smaller initial window takes credit back, below zero even.
        peer.Feed(Settings((PeerSettings.InitialWindowSizeName, 0)));
        peer.Feed(WindowUpdate(1, 10));
        Assert.Empty(Sent());
        peer.Feed(WindowUpdate(1, 7));
        Assert.Equal([(7, true)], Sent());

        List<(int, bool)> Sent() =>
            [.. peer.Written().Where(frame => frame.Header.Type == FrameType.Data).Select(frame => (frame.Header.Length, frame.Header.IsEndOfStream))];
    }

    [Fact]
    public void ConnectionWindow_IsSharedByAllStreams()
    {
        SessionDriver peer = new(greeted: false);
        peer.Feed(Settings((PeerSettings.InitialWindowSizeName, 1_000_000)));
        (BlockingStream first, _) = peer.Open();
        (BlockingStream second, _) = peer.Open();
        Assert.True(first.TrySend(new byte[70_000]));
        Assert.Equal(65_535, Sent());
        Assert.False(second.IsWritable);
        peer.Feed(WindowUpdate(0, 100_000));
        Assert.Equal(70_005 - 65_535, Sent());
        Assert.True(second.TrySend(new byte[1000]));
        Assert.Equal(1005, Sent());

        int Sent() => peer.Written().Where(frame => frame.Header.Type == FrameType.Data).Sum(frame => frame.Header.Length);
    }

    [Fact]
    public void LargeMessage_IsCutToTheServersFrameSize()
    {
        SessionDriver peer = new(greeted: false);
        peer.Feed(Settings((PeerSettings.InitialWindowSizeName, 1_000_000), (PeerSettings.MaxFrameSizeName, 20_000)));
        peer.Feed(WindowUpdate(0, 1_000_000));
        (BlockingStream stream, _) = peer.Open();
        Assert.True(stream.TrySend(new byte[19_995]));
        Assert.True(stream.TrySend(new byte[40_000]));
        int[] lengths = [.. peer.Written().Where(frame => frame.Header.Type == FrameType.Data).Select(frame => frame.Header.Length)];
        Assert.Equal(20_000 + 40_005, lengths.Sum());
        Assert.All(lengths, length => Assert.InRange(length, 1, 20_000));
    }

    [Fact]
    public void Received_HalfAWindow_IsGivenBackOnBothLevels()
    {
        SessionDriver peer = new();
        peer.Open();
        peer.Written();
        peer.Feed(Head(1), Data(1, RawCall.Frame(new byte[16_000])), Data(1, RawCall.Frame(new byte[16_000])));
        Assert.DoesNotContain(peer.Written(), frame => frame.Header.Type == FrameType.WindowUpdate);
        peer.Feed(Data(1, RawCall.Frame(new byte[16_000])));
        (FrameHeader Header, byte[] Payload)[] updates = [.. peer.Written()];
        Assert.Equal([(FrameType.WindowUpdate, 0), (FrameType.WindowUpdate, 1)], updates.Select(frame => (frame.Header.Type, frame.Header.StreamId)));
        Assert.All(updates, update => Assert.Equal(Number(3 * 16_005), update.Payload));
    }

    [Fact]
    public void DataOfACancelledStream_StillCountsForTheConnection()
    {
        SessionDriver peer = new();
        (BlockingStream stream, _) = peer.Open();
        stream.Cancel();
        peer.Written();
        for (int i = 0; i < 20; i++)
        {
            peer.Feed(Data(1, new byte[16_000]));
        }

        int given = peer.Written().Sum(frame => (frame.Payload[0] << 24) | (frame.Payload[1] << 16) | (frame.Payload[2] << 8) | frame.Payload[3]);
        Assert.InRange(given, (20 * 16_000) - 32_768, 20 * 16_000);
    }

    [Fact]
    public void Ping_IsAnsweredWithItsOwnBytes()
    {
        SessionDriver peer = new();
        peer.Written();
        byte[] opaque = [8, 7, 6, 5, 4, 3, 2, 1];
        peer.Feed(Frame(FrameType.Ping, 0, 0, opaque), Frame(FrameType.Ping, FrameHeader.Ack, 0, new byte[8]));
        (FrameHeader header, byte[] payload) = Assert.Single(peer.Written());
        Assert.True(header is { Type: FrameType.Ping, IsAck: true });
        Assert.Equal(opaque, payload);
    }

    [Fact]
    public void GoAway_LaterStreamsEndAndEarlierOnesGoOn()
    {
        SessionDriver peer = new();
        (BlockingStream first, RecordingSink firstSink) = peer.Open();
        (BlockingStream second, RecordingSink secondSink) = peer.Open();
        peer.Feed(GoAway(last: 1, error: 0, "restart"));
        Assert.Equal(StatusCode.Unavailable, secondSink.Closed!.Value.StatusCode);
        Assert.Contains("restart", secondSink.Closed.Value.Detail, StringComparison.Ordinal);
        Assert.True(first.TrySend(Hello));
        Assert.False(second.TrySend(Hello));
        Assert.False(peer.Session.CanOpenStream);
        peer.Feed(Head(1), Message(1, Hello), Trailers(1));
        Assert.Equal(Status.DefaultSuccess, firstSink.Closed);
    }

    [Theory]
    [InlineData(7, StatusCode.Unavailable)]
    [InlineData(8, StatusCode.Cancelled)]
    [InlineData(11, StatusCode.ResourceExhausted)]
    [InlineData(2, StatusCode.Internal)]
    public void Reset_OneStream_EndsItWithThatCode(uint error, StatusCode expected)
    {
        SessionDriver peer = new();
        (_, RecordingSink sink) = peer.Open();
        (BlockingStream other, _) = peer.Open();
        peer.Feed(Head(1), Reset(1, error), Message(1, Hello), Trailers(1), WindowUpdate(1, 5), Reset(1, 0));
        Assert.Equal(expected, sink.Closed!.Value.StatusCode);
        Assert.Empty(sink.Messages);
        Assert.True(other.IsOpen);
    }

    [Fact]
    public void MaxConcurrentStreams_IsKept()
    {
        SessionDriver peer = new(greeted: false);
        peer.Feed(Settings((PeerSettings.MaxConcurrentStreamsName, 1)));
        (BlockingStream stream, _) = peer.Open();
        Assert.False(peer.Session.CanOpenStream);
        stream.Cancel();
        Assert.True(peer.Session.CanOpenStream);
    }

    [Fact]
    public void Sink_MayCancelAndOpenWhileItListens()
    {
        SessionDriver peer = new();
        RecordingSink sink = new() { Then = (stream, _) => stream.Cancel() };
        peer.Open(sink);
        peer.Feed(Head(1), Data(1, [.. RawCall.Frame(Hello), .. RawCall.Frame([9])]));
        Assert.Equal([Hello], sink.Messages);
        Assert.Equal(Status.DefaultCancelled, sink.Closed);
    }
}
