using Google.Protobuf;
using Grpc.Core;
using NodeAgent.Agent.Tests.Frames;
using NodeAgent.Agent.Uplink;
using NodeAgent.Testing;
using NodeAgent.V1;

namespace NodeAgent.Agent.Tests.Uplink;

public sealed class UplinkClientTests : IAsyncDisposable
{
    private static readonly TimeSpan FirstWait = TimeSpan.FromMilliseconds(500);

    private readonly UplinkBench _bench = new();

    public ValueTask DisposeAsync() => _bench.DisposeAsync();

    [Fact]
    public async Task Hello_FirstMessage_SaysWhoAndWhatIsHeld()
    {
        _bench.Tick(3);
        _bench.Start();
        FakeStream stream = await _bench.Aggregator.NextAsync();
        Hello hello = (await stream.ReceiveAsync()).Hello;
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
            },
            hello);
        Assert.Equal("me", _bench.Aggregator.LastHeaders!.GetValue("who"));
        Assert.False(stream.TryReceive(out _), "nothing may be sent before the welcome");
        Assert.False(_bench.Client.State.IsConnected);
    }

    [Fact]
    public async Task Stream_Welcomed_SendsAllThatIsHeldAndThenEachRecord()
    {
        _bench.Tick(3);
        _bench.Start();
        FakeStream stream = await _bench.Aggregator.NextAsync();
        await stream.WelcomeAsync(0);
        FrameReading reading = await UplinkBench.ReadUntilAsync(stream, 3);
        Assert.True(_bench.Client.State.IsConnected);
        _bench.Tick();
        await UplinkBench.ReadUntilAsync(stream, 4, reading);
        Assert.Equal([1, 2, 3, 4], reading.Sequences);
        await UplinkBench.UntilAsync(() => _bench.Client.State.SentRecords == 4, "four records counted");
    }

    [Fact]
    public async Task Stream_NoWelcome_IsGivenUpAfterTenSeconds()
    {
        _bench.Start();
        FakeStream stream = await _bench.Aggregator.NextAsync();
        await stream.ReceiveAsync();
        await _bench.UntilWaitingAsync(UplinkClient.WelcomeTimeout);
        _bench.Time.Advance(UplinkClient.WelcomeTimeout);
        await _bench.UntilWaitingAsync(FirstWait);
        Assert.Equal("no welcome within 10 s", _bench.Logs.Single("UplinkLost").Parameters["Reason"]);
        await UplinkBench.UntilAsync(() => stream.IsDisposed, "the call was disposed");
    }

    [Fact]
    public async Task Stream_FirstMessageIsNoWelcome_IsGivenUp()
    {
        _bench.Start();
        FakeStream stream = await _bench.Aggregator.NextAsync();
        await stream.ReceiveAsync();
        stream.Acknowledge(5);
        await _bench.UntilWaitingAsync(FirstWait);
        Assert.Equal("Internal: the aggregator's first message was not a welcome", _bench.Logs.Single("UplinkLost").Parameters["Reason"]);
        Assert.Equal(0, _bench.Client.State.Connections);
    }

    [Fact]
    public async Task Stream_ClosedBeforeTheWelcome_IsGivenUp()
    {
        _bench.Start();
        (await _bench.Aggregator.NextAsync()).Close();
        await _bench.UntilWaitingAsync(FirstWait);
        Assert.Equal("Unavailable: the aggregator closed the stream before its welcome", _bench.Logs.Single("UplinkLost").Parameters["Reason"]);
    }

    [Fact]
    public async Task Reconnect_PartlyAcknowledged_ResumesAtTheKeyFrameWithItsSchemas()
    {
        _bench.Tick(70); // key frames: 1 and 61
        _bench.Start();
        FakeStream first = await _bench.Aggregator.NextAsync();
        await first.WelcomeAsync(0);
        await UplinkBench.ReadUntilAsync(first, 70);
        first.Acknowledge(65);
        await UplinkBench.UntilAsync(() => _bench.Spool.FirstHeldSequence == 61, "the acknowledged run was freed");
        FakeStream second = await ReconnectAsync(first, FirstWait);
        Hello hello = await second.WelcomeAsync(65);
        Assert.Equal(61UL, hello.FirstHeldSequence);

        // A new reading: every schema must come again, and the first frame must be a key.
        FrameReading reading = await UplinkBench.ReadUntilAsync(second, 70);
        Assert.Equal(Enumerable.Range(61, 10).Select(i => (ulong)i), reading.Sequences);
    }

    [Fact]
    public async Task Reconnect_AggregatorForgotEverything_SendsAllThatIsHeld()
    {
        _bench.Tick(70);
        _bench.Start();
        FakeStream first = await _bench.Aggregator.NextAsync();
        await first.WelcomeAsync(0);
        await UplinkBench.ReadUntilAsync(first, 70);
        first.Acknowledge(70);
        await UplinkBench.UntilAsync(() => _bench.Spool.FirstHeldSequence == 61, "the acknowledged run was freed");
        FakeStream second = await ReconnectAsync(first, FirstWait);
        await second.WelcomeAsync(0);
        Assert.Equal(61UL, (await UplinkBench.ReadUntilAsync(second, 70)).Sequences[0]);
    }

    [Fact]
    public async Task Schemas_ColumnsChangeOnTheWay_ComeBeforeTheFrameThatNeedsThem()
    {
        _bench.Tick(2);
        _bench.ChangeColumns();
        _bench.Tick(2);
        _bench.Start();
        FakeStream stream = await _bench.Aggregator.NextAsync();
        await stream.WelcomeAsync(0);
        FrameReading reading = await UplinkBench.ReadUntilAsync(stream, 4);
        _bench.ChangeColumns();
        _bench.Tick();
        await UplinkBench.ReadUntilAsync(stream, 5, reading);
        Assert.Equal(3, reading.SchemaOf("s").Series.Count);
    }

    [Fact]
    public async Task Schemas_RecordDroppedWhileTheyAreSent_IsPassedOver()
    {
        _bench.AddSampler();
        _bench.Tick();
        _bench.Start();
        FakeStream stream = await _bench.Aggregator.NextAsync();
        SyncPoint firstSchema = new();
        stream.OnWrite = message => message.BodyCase == AgentMessage.BodyOneofCase.Schema && !firstSchema.IsReached ? firstSchema.WaitToContinue() : Task.CompletedTask;
        await stream.WelcomeAsync(0);
        await firstSchema.WaitForSyncPoint();

        // The spool overflows past record 1 and past all that used its schemas; an acknowledgement lets go of them.
        FillWhile(() => _bench.Spool.FirstHeldSequence == 1);
        _bench.ChangeColumns();
        ulong changed = _bench.Spool.NextSequence;
        _bench.Tick(2);
        FillWhile(() => _bench.Spool.FirstHeldSequence <= changed);
        stream.Acknowledge(0);
        await UplinkBench.UntilAsync(() => _bench.Spool.Schemas.Count == 2, "the former schemas were released");
        firstSchema.Continue();

        FrameReading reading = new();
        while (reading.Sequences.Count == 0)
        {
            AgentMessage message = await stream.ReceiveAsync();
            if (message.BodyCase != AgentMessage.BodyOneofCase.Event)
            {
                reading.Take(message.ToByteArray());
            }
        }

        Assert.Equal(changed + 1, reading.Last.Sequence);

        void FillWhile(Func<bool> holds)
        {
            while (holds())
            {
                _bench.Happen(new string('x', 100_000));
            }
        }
    }

    [Fact]
    public async Task Throttle_Asked_PausesUntilItIsOver()
    {
        FakeStream stream = await ConnectedAsync();
        Throttle(stream, 30_000);
        await UplinkBench.UntilAsync(() => _bench.Client.State.ThrottledUntil != 0, "throttled");
        _bench.Tick(2);
        await AdvanceWhileSilentAsync(stream, TimeSpan.FromSeconds(29));
        await AdvanceUntilSentAsync(stream, TimeSpan.FromSeconds(2));
    }

    [Fact]
    public async Task Throttle_Prolonged_PausesUntilTheLaterEnd()
    {
        FakeStream stream = await ConnectedAsync();
        Throttle(stream, 10_000);
        await UplinkBench.UntilAsync(() => _bench.Client.State.ThrottledUntil != 0, "throttled");
        _bench.Tick();
        await AdvanceWhileSilentAsync(stream, TimeSpan.FromSeconds(5));
        long former = _bench.Client.State.ThrottledUntil;
        Throttle(stream, 60_000);
        await UplinkBench.UntilAsync(() => _bench.Client.State.ThrottledUntil > former, "prolonged");
        await AdvanceWhileSilentAsync(stream, TimeSpan.FromSeconds(55));
        await AdvanceUntilSentAsync(stream, TimeSpan.FromSeconds(7));
    }

    [Fact]
    public async Task Throttle_LiftedWithZero_EndsThePause()
    {
        FakeStream stream = await ConnectedAsync();
        Throttle(stream, 600_000);
        await UplinkBench.UntilAsync(() => _bench.Client.State.ThrottledUntil != 0, "throttled");
        _bench.Tick();
        await AdvanceWhileSilentAsync(stream, TimeSpan.FromSeconds(3));
        long held = _bench.Client.State.ThrottledUntil;
        Throttle(stream, 0);
        await UplinkBench.UntilAsync(() => _bench.Client.State.ThrottledUntil != held, "lifted");
        await AdvanceUntilSentAsync(stream, TimeSpan.FromSeconds(2));
    }

    [Fact]
    public async Task Throttle_LongestThatCanBeSaid_DoesNotEndTheUplink()
    {
        FakeStream stream = await ConnectedAsync();
        Throttle(stream, uint.MaxValue);
        await UplinkBench.UntilAsync(() => _bench.Client.State.ThrottledUntil != 0, "throttled");
        _bench.Tick();
        await UplinkBench.UntilAsync(() => _bench.Running.IsCompleted || _bench.Time.ArmedTimers > 0, "a wait or an end");
        Assert.False(_bench.Running.IsFaulted, $"the uplink ended: {_bench.Running.Exception}");
    }

    [Fact]
    public async Task Rejected_Record_IsCountedAndTheStreamGoesOn()
    {
        FakeStream stream = await ConnectedAsync();
        stream.Answer(new AggregatorMessage { Rejected = new Rejected { Sequence = 2, Reason = "too old" } });
        stream.Answer(new AggregatorMessage()); // of a kind that this version does not know
        await UplinkBench.UntilAsync(() => _bench.Client.State is { RejectedRecords: 1, UnknownMessages: 1 }, "both counted");
        Assert.Equal("too old", _bench.Logs.Single("UplinkRecordRejected").Parameters["Reason"]);
        _bench.Tick();
        Assert.Equal(2UL, (await stream.ReceiveAsync()).Frame.Sequence);
    }

    [Fact]
    public async Task Failure_AgainAndAgain_WaitsTwiceAsLongAndProgressStartsAnew()
    {
        _bench.Tick(2);
        _bench.Start();
        FakeStream stream = await _bench.Aggregator.NextAsync();
        for (int failure = 0; failure < 9; failure++)
        {
            // The welcome alone is no progress: a record that breaks every stream must not be hammered.
            await stream.WelcomeAsync(0);
            stream = await ReconnectAsync(stream, TimeSpan.FromSeconds(Math.Min(60, 0.5 * Math.Pow(2, failure))));
        }

        await stream.WelcomeAsync(0);
        stream.Acknowledge(2);
        await UplinkBench.UntilAsync(() => _bench.Client.State.AcknowledgedSequence == 2, "acknowledged");
        await ReconnectAsync(stream, FirstWait);
        Assert.All(_bench.Logs.Named("UplinkLost"), one => Assert.Equal("Unavailable: gone", one.Parameters["Reason"]));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Failure_DamagedMessageOrIOError_EndsTheStreamAndItIsTriedAgain(bool damaged)
    {
        FakeStream stream = await ConnectedAsync();
        if (damaged)
        {
            stream.AnswerBytes([0x0a, 0x7f]);
        }
        else
        {
            stream.Fail(new IOException("cable"));
        }

        await _bench.UntilWaitingAsync(FirstWait);
        Assert.False(_bench.Client.State.IsConnected);
        _bench.Time.Advance(FirstWait);
        await (await _bench.Aggregator.NextAsync()).WelcomeAsync(1);
    }

    [Fact]
    public async Task Cancel_InEachState_EndsPromptly()
    {
        // Before the welcome.
        _bench.Start();
        await _bench.Aggregator.NextAsync();
        await _bench.StopAsync();

        // Idle on a stream.
        await using UplinkBench idle = new();
        idle.Start();
        await (await idle.Aggregator.NextAsync()).WelcomeAsync(0);
        await UplinkBench.UntilAsync(() => idle.Client.State.IsConnected, "connected");
        await idle.StopAsync();
        Assert.False(idle.Client.State.IsConnected);

        // Waiting for the next try.
        await using UplinkBench waiting = new();
        waiting.Start();
        (await waiting.Aggregator.NextAsync()).Close();
        await waiting.UntilWaitingAsync(FirstWait);
        await waiting.StopAsync();
        Assert.Equal(0, waiting.Time.ArmedTimers);
    }

    [Fact]
    public async Task Finish_RecordsLeft_SendsThemClosesItsSideAndWaitsForTheLastAcknowledgement()
    {
        FakeStream stream = await ConnectedAsync();
        _bench.Tick();
        Task finish = _bench.Client.FinishAsync(TimeSpan.FromSeconds(3));
        Assert.Equal(2UL, (await stream.ReceiveAsync()).Frame.Sequence);
        await UplinkBench.UntilAsync(() => stream.IsCompleted, "our side closed");
        Assert.False(finish.IsCompleted);
        stream.Acknowledge(2);
        stream.Close();
        await UplinkBench.UntilAsync(() => !_bench.Client.State.IsConnected, "the end");
        _bench.Time.Advance(TimeSpan.FromMilliseconds(20));
        await finish.WaitAsync(FakeAggregator.Patience);
        Assert.Equal(2UL, _bench.Client.State.AcknowledgedSequence);
    }

    [Fact]
    public async Task Finish_WithoutAStream_DoesNotWait() =>
        await _bench.Client.FinishAsync(TimeSpan.FromSeconds(3)).WaitAsync(FakeAggregator.Patience);

    [Fact]
    public async Task Progress_NothingAcknowledgedForTenSeconds_EndsTheStreamAndConnectsAgain()
    {
        await ConnectedAsync();
        _bench.Tick();
        await UplinkBench.UntilAsync(() => _bench.Client.State.SentRecords == 2, "sent");
        _bench.Client.CheckProgress();
        _bench.Time.Advance(TimeSpan.FromSeconds(9));
        _bench.Client.CheckProgress();
        Assert.True(_bench.Client.State.IsConnected);
        _bench.Time.Advance(TimeSpan.FromSeconds(1));
        _bench.Client.CheckProgress();
        await UplinkBench.UntilAsync(() => !_bench.Client.State.IsConnected, "given up");
    }

    [Fact]
    public async Task Progress_NothingOwed_LeavesTheStreamAlone()
    {
        await ConnectedAsync();
        for (int i = 0; i < 60; i++)
        {
            _bench.Time.Advance(TimeSpan.FromSeconds(1));
            _bench.Client.CheckProgress();
        }

        Assert.True(_bench.Client.State.IsConnected);
    }

    private static void Throttle(FakeStream stream, uint ms) =>
        stream.Answer(new AggregatorMessage { Throttle = new Throttle { RetryAfterMs = ms, Reason = "busy" } });

    // Connected, with one frame sent and acknowledged.
    private async Task<FakeStream> ConnectedAsync()
    {
        _bench.Tick();
        _bench.Start();
        FakeStream stream = await _bench.Aggregator.NextAsync();
        await stream.WelcomeAsync(0);
        await UplinkBench.ReadUntilAsync(stream, 1);
        return stream;
    }

    private async Task<FakeStream> ReconnectAsync(FakeStream former, TimeSpan wait)
    {
        former.Fail(StatusCode.Unavailable, "gone");
        await _bench.UntilWaitingAsync(wait);
        _bench.Time.Advance(wait);
        return await _bench.Aggregator.NextAsync();
    }

    private async Task AdvanceWhileSilentAsync(FakeStream stream, TimeSpan by)
    {
        for (TimeSpan done = TimeSpan.Zero; done < by; done += TimeSpan.FromSeconds(1))
        {
            await UplinkBench.UntilAsync(() => _bench.Time.ArmedTimers > 0, "a pause");
            _bench.Time.Advance(TimeSpan.FromSeconds(1));
            Assert.False(stream.TryReceive(out AgentMessage? early), $"sent {early?.BodyCase} during the pause");
        }
    }

    private async Task AdvanceUntilSentAsync(FakeStream stream, TimeSpan by)
    {
        AgentMessage? message = null;
        TimeSpan end = _bench.Time.Elapsed + by;
        await UplinkBench.UntilAsync(
            () =>
            {
                if (stream.TryReceive(out message))
                {
                    return true;
                }

                if (_bench.Time.ArmedTimers > 0 && _bench.Time.Elapsed < end)
                {
                    _bench.Time.Advance(TimeSpan.FromMilliseconds(100));
                }

                return false;
            },
            $"a record within {by}");
        Assert.Equal(AgentMessage.BodyOneofCase.Frame, message!.BodyCase);
    }
}
