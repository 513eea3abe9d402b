using Grpc.Core;
using Microsoft.Extensions.Logging;
using NodeAgent.Aggregator.Events;
using NodeAgent.Aggregator.Fleet;
using NodeAgent.Aggregator.Ingest;
using NodeAgent.Aggregator.Query;
using NodeAgent.Hosting.Logs;
using NodeAgent.Testing;
using NodeAgent.Tsdb;
using NodeAgent.V1;

namespace NodeAgent.Aggregator.Tests.Ingest;

public sealed class AgentLinkServiceTests : IDisposable
{
    private readonly TestIngest _ingest = new();
    private readonly CancellationTokenSource _draining = new();
    private readonly CancellationTokenSource _gone = new();
    private readonly CapturingLogger _logs = new();
    private readonly CommitLoop _commits;
    private readonly AgentLinkService _service;
    private readonly AgentSide _agent = new();

    public AgentLinkServiceTests()
    {
        _commits = new CommitLoop(_ingest.Core, TimeSpan.Zero, isHealthy => _service!.PushAll());
        _service = new AgentLinkService(
            _ingest.Core, _commits, Time, new IngestLog(new Logger<IngestLog>(_logs), new RepeatedEventGate(_logs, Time)), _draining.Token);
    }

    private SimulatedTime Time => _ingest.Time;

    private FleetRegistry Fleet => _ingest.Fleet;

    private IngestCounters Counters => _ingest.Counters;

    public void Dispose()
    {
        _gone.Cancel();
        _gone.Dispose();
        _draining.Dispose();
        _commits.Dispose();
        _ingest.Dispose();
    }

    [Fact]
    public async Task Hello_Accepted_IsWelcomedAndTheNodeKnown()
    {
        Time.Advance(TimeSpan.FromMilliseconds(250));
        FakeLink link = Open();
        link.Send(AgentSide.Hello(dropped: 7));
        Assert.Equal(
            new Welcome { Protocol = 1, AggregatorVersion = "1.2.3", Node = "n1", AcknowledgedSequence = 0, WallUnixMs = AgentSide.Start + 250 },
            (await link.ReceiveAsync()).Welcome);
        FleetNode node = Fleet.Find("n1")!;
        Assert.Equal(("4.5.6", "boot", 5UL, 7UL, -250), (node.AgentVersion, node.BootId, node.SpoolEpoch, node.DroppedRecords, node.ClockOffsetMs));
        Assert.Equal(1, node.OpenStreams);
        link.Close();
        await link.Serving.WaitAsync(FakeLink.Patience);
        Assert.Equal(0, node.OpenStreams);
        Assert.Equal(["AgentConnected", "AgentDroppedRecords", "AgentDisconnected"], _logs.Events.Select(one => one.Name));
    }

    [Fact]
    public async Task Hello_WrongOrMissing_EndsTheStream()
    {
        Assert.Equal((StatusCode.FailedPrecondition, "the first message must be a hello"), await EndOfAsync(_agent.Event("x")));
        Assert.Equal((StatusCode.FailedPrecondition, "protocol 2 is not spoken here; this aggregator speaks 1"), await EndOfAsync(AgentSide.Hello(protocol: 2)));
        Assert.Equal((StatusCode.FailedPrecondition, "protocol 0 is not spoken here; this aggregator speaks 1"), await EndOfAsync(AgentSide.Hello(protocol: 0)));
        Assert.Equal((StatusCode.InvalidArgument, "hello.spool_epoch must not be 0"), await EndOfAsync(AgentSide.Hello(epoch: 0)));
        Assert.Equal(StatusCode.InvalidArgument, (await EndOfAsync([0x0a, 0x05])).Code);
        FakeLink silent = Open();
        silent.Close();
        Status ended = await silent.EndAsync();
        Assert.Equal((StatusCode.FailedPrecondition, "the stream ended before its hello"), (ended.StatusCode, ended.Detail));
        Assert.Equal(0, Fleet.Find("n1")?.OpenStreams ?? 0);
    }

    [Fact]
    public async Task Hello_NotWithinTenSeconds_EndsTheStream()
    {
        FakeLink link = Open();
        Time.Advance(TimeSpan.FromSeconds(9));
        Assert.False(link.Serving.IsCompleted);
        Time.Advance(TimeSpan.FromSeconds(1));
        Status ended = await link.EndAsync();
        Assert.Equal((StatusCode.FailedPrecondition, "no hello within 10 s"), (ended.StatusCode, ended.Detail));
    }

    [Fact]
    public async Task Frames_Paced_AreAcknowledgedAtOnceThenEveryFiveSeconds()
    {
        FakeLink link = await WelcomedAsync();
        link.Send(_agent.Schema(1, "s", "a"), _agent.Key((1, [1])));
        Assert.Equal(1, await link.AcknowledgedAsync(1));
        for (ulong i = 2; i <= 5; i++)
        {
            await SendFrameAsync(link, i);
            Assert.False(link.TryReceive(out _));
        }

        // What is on the disk by then: the sixth frame itself may be.
        await SendFrameAsync(link, 6);
        Assert.InRange((await link.ReceiveAsync()).Acknowledge.Sequence, 5UL, 6UL);
        Assert.False(link.TryReceive(out _));
    }

    [Fact]
    public async Task Event_BetweenFrames_IsAcknowledgedAtOnce()
    {
        FakeLink link = await WelcomedAsync();
        link.Send(_agent.Schema(1, "s", "a"), _agent.Key((1, [1])));
        await link.AcknowledgedAsync(1);
        await SendFrameAsync(link, 2);
        link.Send(_agent.Event("xid"));
        Assert.Equal(1, await link.AcknowledgedAsync(3));
    }

    [Fact]
    public async Task Records_InAFlood_AreAcknowledgedInBatches()
    {
        FakeLink link = new();
        Time.Advance(TimeSpan.FromSeconds(2_000)); // the frames are of the time until now
        _ingest.Core.Maintain(_ingest.Now);
        link.Send(AgentSide.Hello(), _agent.Schema(1, "s", "a"), _agent.Key((1, [1])));
        for (int i = 0; i < 1_999; i++)
        {
            link.Send(_agent.Frame((1, [i])));
        }

        link.Close();
        Open(link);
        await link.ReceiveAsync();
        Assert.InRange(await link.AcknowledgedAsync(2_000), 1, (2_000 / 256) + 3);
        Assert.Equal(2_000, Counters.Frames);
    }

    [Fact]
    public async Task Records_FollowedByTheEndOfTheStream_AreAcknowledged()
    {
        FakeLink link = new();
        link.Send(AgentSide.Hello(), _agent.Event("x"), _agent.Event("y"));
        link.Close();
        Open(link);
        await link.ReceiveAsync();
        await link.AcknowledgedAsync(2);
        await link.Serving.WaitAsync(FakeLink.Patience);
    }

    [Fact]
    public async Task Record_Rejected_IsToldAndTheStreamGoesOn()
    {
        _ingest.Store.Maintain(AgentSide.Start);
        FakeLink link = await WelcomedAsync();
        link.Send(_agent.Schema(1, "s", "a"), _agent.Key((1, [1])), _agent.FrameAt(AgentSide.Start + 7_200_000, (1, [2])), _agent.Frame((1, [3])));
        AggregatorMessage answer;
        do
        {
            answer = await link.ReceiveAsync();
        }
        while (answer.BodyCase != AggregatorMessage.BodyOneofCase.Rejected);

        Assert.Equal(new Rejected { Sequence = 2, Reason = "its time is too far ahead of the aggregator's clock" }, answer.Rejected);
        link.Close();
        await link.AcknowledgedAsync(3);
        Assert.Single(_logs.Named("RecordRejected"));
    }

    [Fact]
    public async Task Record_ThatBreaksTheContract_EndsTheStreamWithTheReason()
    {
        FakeLink link = await WelcomedAsync();
        link.Send(AgentSide.Hello());
        Status ended = await link.EndAsync();
        Assert.Equal((StatusCode.InvalidArgument, "a second hello on one stream"), (ended.StatusCode, ended.Detail));
        Assert.Equal("a second hello on one stream", _logs.Single("AgentStreamBroken").Parameters["Reason"]);
        Assert.Equal(0, Fleet.Find("n1")!.OpenStreams);
    }

    [Fact]
    public async Task Reconnect_SameEpoch_GoesOnAndAnotherEpochStartsAnew()
    {
        FakeLink first = await WelcomedAsync();
        first.Send(_agent.Event("x"), _agent.Event("y"));
        await first.AcknowledgedAsync(2);
        first.Close();
        await first.Serving.WaitAsync(FakeLink.Patience);

        FakeLink second = Open();
        second.Send(AgentSide.Hello());
        Assert.Equal(2UL, (await second.ReceiveAsync()).Welcome.AcknowledgedSequence);
        second.Close();
        await second.Serving.WaitAsync(FakeLink.Patience);

        FakeLink third = Open();
        third.Send(AgentSide.Hello(epoch: 6));
        Assert.Equal(0UL, (await third.ReceiveAsync()).Welcome.AcknowledgedSequence);
    }

    [Fact]
    public async Task Stream_Newer_DisplacesTheOlderOfItsLane()
    {
        FakeLink first = await WelcomedAsync();
        FakeLink second = await WelcomedAsync();
        Status ended = await first.EndAsync();
        Assert.Equal((StatusCode.AlreadyExists, "node n1 has opened a newer stream; this one ends"), (ended.StatusCode, ended.Detail));
        Assert.Equal(1, Fleet.Find("n1")!.OpenStreams);
        Assert.Single(_logs.Named("AgentStreamDisplaced"));
        second.Send(_agent.Event("x"));
        await second.AcknowledgedAsync(1);
    }

    [Fact]
    public async Task Disk_Fails_AgentsAreAskedToWaitAndLaterToGoOn()
    {
        FakeLink link = await WelcomedAsync();
        link.Send(_agent.Event("x"));
        await link.AcknowledgedAsync(1);
        _ingest.Disk.CapacityBytes = 0;
        link.Send(_agent.Event("y"));
        AggregatorMessage answer = await link.ReceiveAsync();
        Assert.InRange(answer.Throttle.RetryAfterMs, 5_000U, 7_500U);
        Assert.Contains("disk fails", answer.Throttle.Reason, StringComparison.Ordinal);
        _ingest.Disk.CapacityBytes = long.MaxValue;
        Time.Advance(TimeSpan.FromSeconds(5));
        await UntilAsync(() =>
        {
            _commits.Signal();
            return !_ingest.Core.Wal.IsFailing;
        });
        Assert.Equal(0U, (await link.ReceiveAsync()).Throttle.RetryAfterMs);
        await link.AcknowledgedAsync(2);
    }

    [Fact]
    public async Task Stream_StuckInItsWelcome_IsDisplacedAllTheSame()
    {
        FakeLink stuck = new() { IsStuck = true };
        Open(stuck);
        stuck.Send(AgentSide.Hello());
        await UntilAsync(() => Fleet.Find("n1")?.OpenStreams == 1);
        FakeLink second = await WelcomedAsync();
        Assert.Equal(StatusCode.AlreadyExists, (await stuck.EndAsync()).StatusCode);
        second.Close();
        await second.Serving.WaitAsync(FakeLink.Patience);
    }

    [Fact]
    public async Task Drain_StreamsBeforeAndAfterTheirHello_EndAsUnavailable()
    {
        FakeLink greeted = await WelcomedAsync();
        FakeLink silent = new();
        silent.Serving = Task.Run(() => _service.ConnectAsync(silent, silent, new FakeContext("n2", cancellation: _gone.Token)));
        await UntilAsync(() => Time.ArmedTimers > 0);
        await _draining.CancelAsync();
        Assert.All([await greeted.EndAsync(), await silent.EndAsync()],
            ended => Assert.Equal((StatusCode.Unavailable, "the aggregator is stopping"), (ended.StatusCode, ended.Detail)));
    }

    [Fact]
    public async Task Connection_Lost_EndsTheSession()
    {
        FakeLink link = await WelcomedAsync();
        await _gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => link.Serving.WaitAsync(FakeLink.Patience));
        Assert.Equal(0, Fleet.Find("n1")!.OpenStreams);
        Assert.Equal("connection lost", _logs.Single("AgentDisconnected").Parameters["Reason"]);
    }

    [Fact]
    public async Task Connection_LostAsTheReaderSeesIt_IsSaidAllTheSame()
    {
        FakeLink link = await WelcomedAsync();
        link.Break();
        await link.EndAsync();
        Assert.Equal("connection lost", _logs.Single("AgentDisconnected").Parameters["Reason"]);
    }

    [Fact]
    public async Task Stream_BrokenByItsAgent_EndsWithTheReason()
    {
        FakeLink link = await WelcomedAsync();
        link.Send(AgentSide.Hello());
        Status ended = await link.EndAsync();
        Assert.Equal(ended.Detail, _logs.Single("AgentDisconnected").Parameters["Reason"]);
    }

    [Fact]
    public async Task Stream_BrokenAtEveryReconnect_FillsNoLog()
    {
        for (int i = 0; i < 20; i++)
        {
            FakeLink link = await WelcomedAsync();
            link.Send(AgentSide.Hello(dropped: (ulong)i)); // never the same thing twice, which would be set aside in the end
            await link.EndAsync();
        }

        Assert.Single(_logs.Named("AgentStreamBroken"));
    }

    private static async Task UntilAsync(Func<bool> holds)
    {
        long start = TimeProvider.System.GetTimestamp();
        while (!holds())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(start) < FakeLink.Patience, "it never happened");
            await Task.Yield();
        }
    }

    private FakeLink Open(FakeLink? link = null)
    {
        link ??= new FakeLink();
        link.Serving = _service.ConnectAsync(link, link, new FakeContext(cancellation: _gone.Token));
        return link;
    }

    private async Task<FakeLink> WelcomedAsync()
    {
        FakeLink link = Open();
        link.Send(AgentSide.Hello());
        Assert.NotNull((await link.ReceiveAsync()).Welcome);
        return link;
    }

    private async Task<(StatusCode Code, string Detail)> EndOfAsync(byte[] first)
    {
        FakeLink link = Open();
        link.Send(first);
        Status status = await link.EndAsync();
        return (status.StatusCode, status.Detail);
    }

    // Sends the frame of the next second and waits until it is taken.
    private async Task SendFrameAsync(FakeLink link, ulong sequence)
    {
        Time.Advance(TimeSpan.FromSeconds(1));
        link.Send(_agent.Frame((1, [sequence])));
        await UntilAsync(() => Counters.Frames >= (long)sequence && _ingest.Core.Wal.DurableId == _ingest.Core.Wal.LastId);
    }
}
