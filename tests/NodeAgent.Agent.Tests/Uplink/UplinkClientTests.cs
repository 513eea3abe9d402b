using Google.Protobuf;
using Grpc.Core;
using NodeAgent.Agent.Tests.Frames;
using NodeAgent.Agent.Uplink;
using NodeAgent.Testing;
using NodeAgent.V1;

namespace NodeAgent.Agent.Tests.Uplink;

public sealed class UplinkClientTests : IDisposable
{
    private readonly UplinkBench _bench = new();

    public void Dispose() => _bench.Dispose();

    [Fact]
    public void Hello_FirstMessage_SaysWhoAndWhatIsHeld()
    {
        _bench.Tick(3);
        _bench.Step();
        FakeStream stream = _bench.Network.Newest.Live;
        Assert.Equal(
            new Hello
            {
                Protocol = 1,
                AgentVersion = "9.8.7",
                BootId = "boot-1",
                SpoolEpoch = 77,
                FirstHeldSequence = 1,
                DroppedRecords = 0,
                WallUnixMs = SimulatedTime.DefaultStart.ToUnixTimeMilliseconds(),
                MonotonicNs = (ulong)((Int128)_bench.Time.GetTimestamp() * 1_000_000_000 / _bench.Time.TimestampFrequency),
            },
            stream.Receive().Hello);
        _bench.Step();
        Assert.Equal(0, stream.Waiting); // nothing may be sent before the welcome
        Assert.False(_bench.Client.State.IsConnected);
    }

    [Fact]
    public void Stream_Welcomed_SendsAllThatIsHeldAndThenEachRecord()
    {
        _bench.Tick(3);
        FakeStream stream = _bench.Connect();
        FrameReading reading = UplinkBench.Read(stream);
        Assert.True(_bench.Client.State.IsConnected);
        _bench.Tick();
        _bench.Step();
        UplinkBench.Read(stream, reading);
        Assert.Equal([1, 2, 3, 4], reading.Sequences);
        Assert.Equal(4, _bench.Client.State.SentRecords);
    }

    [Fact]
    public void Stream_EndedInGoodOrder_IsBegunAgainAtOnceAndNobodyIsTold()
    {
        _bench.Tick(3);
        FakeStream stream = _bench.Connect();
        _bench.Time.Advance(TimeSpan.FromHours(1));
        stream.End();
        Assert.Equal(TimeSpan.FromSeconds(0.5), _bench.Step()); // half of a second: see Half
        Assert.True(_bench.Client.State.IsConnected);
        _bench.Time.Advance(TimeSpan.FromSeconds(0.5));
        _bench.Step();
        Assert.Equal(2, _bench.Network.Links.Count);
    }

    [Fact]
    public void Stream_EndedInGoodOrderAtOnce_IsAFailureThatWaitsLongerEachTime()
    {
        FakeStream stream = _bench.Connect();
        stream.End();
        Assert.Equal(UplinkBench.FirstWait, _bench.Step());
        Assert.Equal("the aggregator closed the stream", _bench.LostReason);
    }

    [Fact]
    public void SendFresh_NothingElseToDo_SendsAtOnceAndWakesNobody()
    {
        _bench.Tick(3);
        FakeStream stream = _bench.Connect();
        FrameReading reading = UplinkBench.Read(stream);
        for (int i = 0; i < 3; i++)
        {
            _bench.Tick();
            _bench.Client.SendFresh();
        }

        UplinkBench.Read(stream, reading);
        Assert.Equal([1, 2, 3, 4, 5, 6], reading.Sequences);
        Assert.Equal(3, _bench.Network.Newest.Flushes);
        Assert.Equal(0, _bench.Network.Wakes);

        // What is owed since then is missed by the next step as if that had sent it.
        stream.Acknowledge(6);
        _bench.Tick();
        _bench.Client.SendFresh();
        _bench.Time.Advance(UplinkSession.ProgressTimeout);
        _bench.Step();
        Assert.Equal("no acknowledgement for 60 s", _bench.LostReason);
    }

    [Theory]
    [InlineData("not welcomed")]
    [InlineData("paused")]
    [InlineData("on disk")]
    [InlineData("broken")]
    [InlineData("ended")]
    [InlineData("finishing")]
    public void SendFresh_MoreToDo_IsLeftToItsThread(string condition)
    {
        _bench.Tick(3);
        FakeStream stream;
        if (condition == "not welcomed")
        {
            _bench.Step();
            stream = _bench.Network.Newest.Live;
        }
        else
        {
            stream = _bench.Connect();
        }

        switch (condition)
        {
            case "paused":
                stream.Throttle(5_000);
                break;
            case "on disk":
                _bench.Spool.IsOnDisk = true;
                break;
            case "broken":
                _bench.Network.Newest.Problem = "reset";
                break;
            case "ended":
                stream.End();
                break;
            case "finishing":
                _bench.Client.Finish();
                _bench.Step();
                break;
        }

        int wakes = _bench.Network.Wakes;
        int sent = stream.Waiting;
        _bench.Tick();
        _bench.Client.SendFresh();
        Assert.Equal(wakes + 1, _bench.Network.Wakes);
        Assert.Equal(sent, stream.Waiting);
    }

    [Fact]
    public void SendFresh_WhileItsThreadIsAtWork_OnlyWakesIt()
    {
        _bench.Tick(3);
        FakeStream stream = _bench.Connect();
        UplinkBench.Read(stream);
        _bench.Tick();
        int during = 0;
        stream.OnSend = _ =>
        {
            Thread other = new(_bench.Client.SendFresh);
            other.Start();
            Assert.True(other.Join(TimeSpan.FromSeconds(30)), "it waited");
            during++;
        };
        _bench.Step();
        Assert.Equal(1, during);
        Assert.Equal(1, _bench.Network.Wakes);
    }

    [Fact]
    public void SendFresh_NoConnection_DoesNothing()
    {
        _bench.Tick();
        _bench.Client.SendFresh();
        Assert.Equal(0, _bench.Network.Wakes);
    }

    [Fact]
    public void Stream_NoWelcome_IsGivenUpAfterTenSeconds()
    {
        Assert.Equal(UplinkSession.WelcomeTimeout, _bench.Step());
        _bench.Time.Advance(UplinkSession.WelcomeTimeout);
        Assert.Equal(UplinkBench.FirstWait, _bench.Step());
        Assert.Equal("no welcome within 10 s", _bench.LostReason);
        Assert.True(_bench.Network.Newest.IsDisposed);
    }

    [Fact]
    public void Stream_FirstMessageIsNoWelcome_IsGivenUp()
    {
        _bench.Step();
        _bench.Network.Newest.Live.Acknowledge(5);
        Assert.Equal(UplinkBench.FirstWait, _bench.Step());
        Assert.Equal("Internal: the aggregator's first message was not a welcome", _bench.LostReason);
        Assert.Equal(0, _bench.Client.State.Connections);
    }

    [Fact]
    public void Stream_ClosedBeforeTheWelcome_IsGivenUp()
    {
        _bench.Step();
        _bench.Network.Newest.Live.End();
        Assert.Equal(UplinkBench.FirstWait, _bench.Step());
        Assert.Equal("Unavailable: the aggregator closed the stream before its welcome", _bench.LostReason);
    }

    [Fact]
    public void Dial_Refused_WaitsAndTriesAgain()
    {
        _bench.Network.Refusal = "connection refused";
        Assert.Equal(UplinkBench.FirstWait, _bench.Step());
        Assert.Equal("connection refused", _bench.LostReason);
        _bench.Time.Advance(UplinkBench.FirstWait / 2);
        Assert.InRange(_bench.Step(), UplinkBench.FirstWait / 2.001, UplinkBench.FirstWait / 1.999); // the clock's ticks are no round unit
        _bench.Network.Refusal = null;
        _bench.Time.Advance(UplinkBench.FirstWait / 2);
        _bench.Step();
        Assert.Single(_bench.Network.Links);
    }

    [Fact]
    public void Connection_Lost_EndsTheSession()
    {
        _bench.Tick();
        _bench.Connect();
        _bench.Network.Newest.Problem = "no answer to a ping within 5 s";
        Assert.Equal(UplinkBench.FirstWait, _bench.Step());
        Assert.Equal("no answer to a ping within 5 s", _bench.LostReason);
        Assert.False(_bench.Client.State.IsConnected);
    }

    [Fact]
    public void Reconnect_PartlyAcknowledged_ResumesAtTheKeyFrameWithItsSchemas()
    {
        _bench.Tick(70); // key frames: 1 and 61
        FakeStream first = _bench.Connect();
        UplinkBench.Read(first);
        first.Acknowledge(65);
        Assert.Equal(61UL, _bench.Spool.FirstHeldSequence);
        FakeStream second = _bench.Reconnect(first, UplinkBench.FirstWait);
        Assert.Equal(61UL, second.Welcome(65).FirstHeldSequence);
        _bench.Step();

        // A new reading: every schema must come again, and the first frame must be a key.
        Assert.Equal(UplinkBench.Through(61, 70), UplinkBench.Read(second).Sequences);
    }

    [Fact]
    public void Reconnect_WelcomeHoldsMoreThanWasAcknowledged_SendsOnlyTheRest()
    {
        _bench.Tick(130); // key frames: 1, 61, 121
        FakeStream first = _bench.Connect();
        FakeStream second = _bench.Reconnect(first, UplinkBench.FirstWait);
        second.Welcome(0, (1, 122));
        _bench.Step();
        Assert.Equal(UplinkBench.Through(121, 130), UplinkBench.Read(second).Sequences);
        Assert.Equal(121UL, _bench.Spool.FirstHeldSequence);
    }

    [Fact]
    public void Welcome_ClaimsMoreThanWasEverSpooled_FreesNothingThatIsStillToCome()
    {
        _bench.Tick(3);
        FakeStream stream = _bench.Connect(acknowledged: 1000, held: (2000, ulong.MaxValue));
        _bench.Tick(1000);
        _bench.Step();
        FrameReading reading = UplinkBench.Read(stream);
        Assert.Equal(UplinkBench.Through(4, 1003), reading.Sequences.Where(s => s > 3));
        Assert.Equal(1000UL, _bench.Spool.UnacknowledgedRecords);
        stream.Acknowledge(ulong.MaxValue);
        _bench.Tick();
        _bench.Step();
        Assert.Equal(1004UL, UplinkBench.Read(stream, reading).Last.Sequence);
        Assert.Equal(1UL, _bench.Spool.UnacknowledgedRecords);
    }

    [Fact]
    public void Schemas_ColumnsChangeOnTheWay_ComeBeforeTheFrameThatNeedsThem()
    {
        _bench.Tick(2);
        _bench.ChangeColumns();
        _bench.Tick(2);
        FakeStream stream = _bench.Connect();
        FrameReading reading = UplinkBench.Read(stream);
        _bench.ChangeColumns();
        _bench.Tick();
        _bench.Step();
        UplinkBench.Read(stream, reading);
        Assert.Equal(3, reading.SchemaOf("s").Series.Count);
    }

    [Fact]
    public void Schemas_NoCreditBetweenThemAndTheFrame_AreNotSentTwice()
    {
        _bench.AddSampler();
        _bench.Tick();
        _bench.Step();
        FakeStream stream = _bench.Network.Newest.Live;
        stream.Welcome(0);
        FrameReading reading = new();
        for (int credit = 0; credit < 3; credit++)
        {
            stream.Credit = 1;
            _bench.Step();
            UplinkBench.Read(stream, reading); // refuses a schema that comes twice
        }

        Assert.Equal([1], reading.Sequences);
    }

    [Fact]
    public void FlowControl_AggregatorTakesNoMore_WaitsAndGoesOnWhereItStopped()
    {
        FakeStream stream = _bench.Connect();
        stream.Credit = 3; // a schema and two frames
        _bench.Tick(10);
        _bench.Step();
        FrameReading reading = UplinkBench.Read(stream);
        Assert.Equal([1, 2], reading.Sequences);
        stream.Credit = int.MaxValue;
        _bench.Step();
        Assert.Equal(UplinkBench.Through(1, 10), UplinkBench.Read(stream, reading).Sequences);
    }

    [Fact]
    public void Acknowledge_OfWhatWasNeverSent_FreesOnlyWhatWasSent()
    {
        _bench.Tick(1);
        FakeStream stream = _bench.Connect();
        stream.Credit = 0;
        _bench.Tick(100);
        stream.Acknowledge(90);
        Assert.Equal(1UL, _bench.Spool.FirstHeldSequence);
    }

    [Fact]
    public void Throttle_Asked_PausesUntilItIsOver()
    {
        FakeStream stream = Connected();
        stream.Throttle(30_000);
        _bench.Tick(2);
        _bench.Pass(TimeSpan.FromSeconds(29.9));
        Assert.Equal(0, stream.Waiting);
        _bench.Pass(TimeSpan.FromSeconds(0.2));
        Assert.Equal(2, stream.Waiting);
    }

    [Fact]
    public void Throttle_ProlongedOrLifted_PausesUntilTheLatestWord()
    {
        FakeStream stream = Connected();
        stream.Throttle(10_000);
        _bench.Tick();
        _bench.Pass(TimeSpan.FromSeconds(5));
        stream.Throttle(60_000);
        _bench.Pass(TimeSpan.FromSeconds(59));
        Assert.Equal(0, stream.Waiting);
        stream.Throttle(0);
        _bench.Step();
        Assert.Equal(1, stream.Waiting);
    }

    [Fact]
    public void Throttle_LongerThanAnySilenceIsTolerated_DoesNotEndTheStream()
    {
        FakeStream stream = Connected();
        _bench.Tick();
        _bench.Step(); // sent, not acknowledged
        stream.Throttle(600_000);
        _bench.Pass(TimeSpan.FromSeconds(599));
        Assert.Single(_bench.Network.Links);
        Assert.True(_bench.Client.State.IsConnected);
        stream.Throttle(uint.MaxValue);
        Assert.True(_bench.Step() > TimeSpan.FromDays(49));
    }

    [Fact]
    public void Rejected_Record_IsCountedAndTheStreamGoesOn()
    {
        FakeStream stream = Connected();
        stream.Answer(new AggregatorMessage { Rejected = new Rejected { Sequence = 2, Reason = "too old" } });
        stream.Answer(new AggregatorMessage()); // of a kind that this version does not know
        Assert.Equal(1, _bench.Client.State.RejectedRecords);
        Assert.Equal(1, _bench.Client.State.UnknownMessages);
        Assert.Equal("too old", _bench.Logs.Single("UplinkRecordRejected").Parameters["Reason"]);
        _bench.Tick();
        _bench.Step();
        Assert.Equal(2UL, stream.Receive().Frame.Sequence);
    }

    [Fact]
    public void Failure_AgainAndAgain_WaitsTwiceAsLongAndProgressStartsAnew()
    {
        _bench.Tick(2);
        FakeStream stream = _bench.Connect();
        for (int failure = 0; failure < 9; failure++)
        {
            // The welcome alone is no progress: a record that breaks every stream must not be hammered.
            stream = _bench.Reconnect(stream, TimeSpan.FromSeconds(Math.Min(60, 0.5 * Math.Pow(2, failure))));
            stream.Welcome(0);
            _bench.Step();
        }

        stream.Acknowledge(2);
        _bench.Reconnect(stream, UplinkBench.FirstWait);
        Assert.All(_bench.Logs.Named("UplinkLost"), one => Assert.Equal("Unavailable: gone", one.Parameters["Reason"]));
    }

    [Fact]
    public void Failure_DamagedMessage_EndsTheStreamAndItIsTriedAgain()
    {
        FakeStream stream = Connected();
        stream.AnswerBytes([0x0a, 0x7f]);
        Assert.Equal(UplinkBench.FirstWait, _bench.Step());
        Assert.True(stream.IsCancelled);
        Assert.False(_bench.Client.State.IsConnected);
        _bench.Time.Advance(UplinkBench.FirstWait);
        _bench.Connect(1);
        Assert.True(_bench.Client.State.IsConnected);
    }

    [Fact]
    public void Finish_RecordsLeft_SendsThemClosesItsSideAndWaitsForTheLastAcknowledgement()
    {
        FakeStream stream = Connected();
        _bench.Tick();
        _bench.Client.Finish();
        _bench.Step();
        Assert.Equal(2UL, stream.Receive().Frame.Sequence);
        Assert.True(stream.IsSendClosed);
        Assert.False(_bench.Client.IsFinished);
        stream.Acknowledge(2);
        stream.End();
        _bench.Step();
        Assert.True(_bench.Client.IsFinished);
        Assert.True(_bench.Network.Newest.IsDisposed);
        Assert.Equal(0UL, _bench.Spool.UnacknowledgedRecords);
    }

    [Fact]
    public void Finish_WithoutAConnection_DoesNotWait()
    {
        _bench.Client.Finish();
        _bench.Step();
        Assert.True(_bench.Client.IsFinished);
        Assert.Empty(_bench.Network.Links);
    }

    [Fact]
    public void Progress_NoWordWhileSomethingIsOwed_EndsTheStreamAndConnectsAgain()
    {
        Connected();
        _bench.Tick();
        Assert.Equal(UplinkSession.ProgressTimeout, _bench.Step());
        _bench.Pass(UplinkSession.ProgressTimeout - TimeSpan.FromSeconds(1));
        Assert.True(_bench.Client.State.IsConnected);
        _bench.Pass(TimeSpan.FromSeconds(1));
        Assert.False(_bench.Client.State.IsConnected);
        Assert.Equal("no acknowledgement for 60 s", _bench.LostReason);
    }

    [Fact]
    public void Progress_NothingOwed_LeavesTheStreamAlone()
    {
        Connected();
        Assert.Equal(Timeout.InfiniteTimeSpan, _bench.Step());
        _bench.Pass(TimeSpan.FromHours(1));
        Assert.True(_bench.Client.State.IsConnected);
    }

    [Fact]
    public void Wake_WithoutAConnection_CostsNothing()
    {
        _bench.Client.Wake();
        Assert.Equal(0, _bench.Network.Wakes); // a tick a second would wake an agent that has nobody to talk to
        _bench.Connect();
        _bench.Client.Wake();
        Assert.Equal(1, _bench.Network.Wakes);
    }

    // Connected, with one frame sent and acknowledged.
    private FakeStream Connected()
    {
        _bench.Tick();
        FakeStream stream = _bench.Connect();
        UplinkBench.Read(stream);
        stream.Acknowledge(1);
        return stream;
    }
}
