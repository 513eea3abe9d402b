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
    private readonly SimulatedTime _time = new(DateTimeOffset.FromUnixTimeMilliseconds(AgentSide.Start));
    private readonly MemoryStore _store = new(new MemoryStoreOptions());
    private readonly CancellationTokenSource _draining = new();
    private readonly CancellationTokenSource _gone = new();
    private readonly CapturingLogger _logs = new();
    private readonly IngestCounters _counters = new();
    private readonly FleetRegistry _fleet;
    private readonly AgentLinkService _service;
    private readonly AgentSide _agent = new();

    public AgentLinkServiceTests()
    {
        _fleet = new FleetRegistry(_time);
        _service = new AgentLinkService(
            _fleet, _store, new EventLedger(100), _counters, _time, new AggregatorFacts("1.2.3", AgentSide.Start),
            new IngestLog(new Logger<IngestLog>(_logs), new RepeatedEventGate(_logs, _time)), _draining.Token);
    }

    public void Dispose()
    {
        _gone.Cancel();
        _gone.Dispose();
        _draining.Dispose();
        _store.Dispose();
    }

    [Fact]
    public async Task Hello_Accepted_IsWelcomedAndTheNodeKnown()
    {
        _time.Advance(TimeSpan.FromMilliseconds(250));
        FakeLink link = Open();
        link.Send(AgentSide.Hello(dropped: 7));
        Assert.Equal(
            new Welcome { Protocol = 1, AggregatorVersion = "1.2.3", Node = "n1", AcknowledgedSequence = 0, WallUnixMs = AgentSide.Start + 250 },
            (await link.ReceiveAsync()).Welcome);
        FleetNode node = _fleet.Find("n1")!;
        Assert.Equal(("4.5.6", "boot", 5UL, 7UL, -250), (node.AgentVersion, node.BootId, node.SpoolEpoch, node.DroppedRecords, node.ClockOffsetMs));
        Assert.NotNull(node.Session);
        link.Close();
        await link.Serving.WaitAsync(FakeLink.Patience);
        Assert.Null(node.Session);
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
        Assert.Null(_fleet.Find("n1")?.Session);
    }

    [Fact]
    public async Task Hello_NotWithinTenSeconds_EndsTheStream()
    {
        FakeLink link = Open();
        _time.Advance(TimeSpan.FromSeconds(9));
        Assert.False(link.Serving.IsCompleted);
        _time.Advance(TimeSpan.FromSeconds(1));
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

        await SendFrameAsync(link, 6);
        Assert.Equal(1, await link.AcknowledgedAsync(6));
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
        link.Send(AgentSide.Hello(), _agent.Schema(1, "s", "a"), _agent.Key((1, [1])));
        for (int i = 0; i < 1_999; i++)
        {
            link.Send(_agent.Frame((1, [i])));
        }

        link.Close();
        Open(link);
        await link.ReceiveAsync();
        Assert.InRange(await link.AcknowledgedAsync(2_000), 2_000 / 256, (2_000 / 256) + 2);
        Assert.Equal(2_000, _counters.Frames);
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
        _store.Maintain(AgentSide.Start);
        FakeLink link = await WelcomedAsync();
        link.Send(_agent.Schema(1, "s", "a"), _agent.Key((1, [1])), _agent.FrameAt(AgentSide.Start + 3_600_000, (1, [2])), _agent.Frame((1, [3])));
        AggregatorMessage answer;
        do
        {
            answer = await link.ReceiveAsync();
        }
        while (answer.BodyCase != AggregatorMessage.BodyOneofCase.Rejected);

        Assert.Equal(new Rejected { Sequence = 2, Reason = "its time is too far ahead of the aggregator's clock" }, answer.Rejected);
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
        Assert.Null(_fleet.Find("n1")!.Session);
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
    public async Task Stream_Newer_DisplacesTheOlderAndWaitsForIt()
    {
        FakeLink first = await WelcomedAsync();
        LinkSession held = _fleet.Find("n1")!.Session!;
        FakeLink second = await WelcomedAsync();
        Status ended = await first.EndAsync();
        Assert.Equal((StatusCode.AlreadyExists, "node n1 has opened a newer stream; this one ends"), (ended.StatusCode, ended.Detail));
        Assert.True(held.Displaced.IsCancellationRequested);
        Assert.NotNull(_fleet.Find("n1")!.Session);
        Assert.Single(_logs.Named("AgentStreamDisplaced"));
        second.Send(_agent.Event("x"));
        await second.AcknowledgedAsync(1);
    }

    [Fact]
    public async Task Stream_Newer_IsNotServedBeforeTheOlderHasLetGo()
    {
        FleetNode node = _fleet.GetOrAdd("n1");
        LinkSession busy = new();
        _fleet.Attach(node, busy);
        FakeLink link = Open();
        link.Send(AgentSide.Hello());
        await UntilAsync(() => busy.Displaced.IsCancellationRequested);
        Assert.False(link.TryReceive(out _), "welcomed while the older session still had the node");
        busy.End();
        Assert.NotNull((await link.ReceiveAsync()).Welcome);
    }

    [Fact]
    public async Task Stream_StuckInItsWelcome_IsDisplacedAllTheSame()
    {
        FakeLink stuck = new() { IsStuck = true };
        Open(stuck);
        stuck.Send(AgentSide.Hello());
        await UntilAsync(() => _fleet.Find("n1")?.Session is not null);
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
        await UntilAsync(() => _time.ArmedTimers > 0);
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
        Assert.Null(_fleet.Find("n1")!.Session);
        Assert.Equal("connection lost", _logs.Single("AgentDisconnected").Parameters["Reason"]);
    }

    [Fact]
    public async Task Stream_BrokenAtEveryReconnect_FillsNoLog()
    {
        for (int i = 0; i < 20; i++)
        {
            FakeLink link = await WelcomedAsync();
            link.Send(AgentSide.Hello());
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
        _time.Advance(TimeSpan.FromSeconds(1));
        link.Send(_agent.Frame((1, [sequence])));
        using CancellationTokenSource patience = new(FakeLink.Patience);
        while (_counters.Frames < (long)sequence)
        {
            patience.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }
}
