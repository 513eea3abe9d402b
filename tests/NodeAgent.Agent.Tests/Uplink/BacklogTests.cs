using Grpc.Core;
using NodeAgent.Agent.Tests.Frames;
using NodeAgent.Agent.Uplink;
using NodeAgent.V1;

namespace NodeAgent.Agent.Tests.Uplink;

public sealed class BacklogTests : IDisposable
{
    private readonly UplinkBench _bench = new();

    public void Dispose() => _bench.Dispose();

    [Fact]
    public void Connect_AfterALongAbsence_SendsFreshDataAtOnceAndTheBacklogBesideIt()
    {
        _bench.Tick(1000); // key frames at 1, 61, ... 961
        FakeStream live = _bench.Connect();
        FrameReading fresh = UplinkBench.Read(live);
        Assert.Equal(UplinkBench.Through(961, 1000), fresh.Sequences);
        FakeStream backlog = WelcomeBacklog();
        FrameReading old = new();
        for (int second = 0; second < 241; second++)
        {
            _bench.Tick();
            _bench.Pass(TimeSpan.FromSeconds(1));
            UplinkBench.Read(live, fresh);
            UplinkBench.Read(backlog, old);
            live.Acknowledge(fresh.Sequences[^1]);
            backlog.Acknowledge(old.Sequences[^1]);
            Assert.Equal(1001UL + (ulong)second, fresh.Last.Sequence); // fresh data never waits
            Assert.InRange(old.Sequences.Count, Math.Min(960, (second + 1) * UplinkBench.BacklogRecordsPerSecond) - 2, (second + 2) * UplinkBench.BacklogRecordsPerSecond);
        }

        Assert.Equal(UplinkBench.Through(1, 960), old.Sequences);
        Assert.True(backlog.IsSendClosed);
        backlog.Acknowledge(960);
        backlog.End();
        _bench.Pass(TimeSpan.FromSeconds(5));
        Assert.Equal(2, _bench.Network.Newest.Streams.Count);
        Assert.True(_bench.Spool.FirstHeldSequence > 960);
        Assert.Equal(Timeout.InfiniteTimeSpan, _bench.Step());
    }

    [Fact]
    public void Connect_AfterAShortAbsence_SendsAllAsFreshData()
    {
        _bench.Tick((int)UplinkSession.CatchUpRecords);
        FakeStream live = _bench.Connect();
        Assert.Equal(UplinkBench.Through(1, UplinkSession.CatchUpRecords), UplinkBench.Read(live).Sequences);
        _bench.Pass(TimeSpan.FromSeconds(10));
        Assert.Single(_bench.Network.Newest.Streams);
    }

    [Fact]
    public void Backlog_PartlyHeldByTheAggregator_SkipsWholeRunsThatAreThere()
    {
        _bench.Tick(1000);
        FakeStream live = _bench.Connect(0, (1, 300), (400, 720));
        UplinkBench.Read(live);
        live.Acknowledge(1000);
        FakeStream backlog = WelcomeBacklog(0, (1, 300), (400, 720));
        FrameReading old = new();
        for (int half = 0; half < 10; half++)
        {
            _bench.Pass(TimeSpan.FromSeconds(30));
            backlog.Acknowledge(UplinkBench.Read(backlog, old).Last.Sequence);
        }

        // 301 starts a run, and so does 721: what is held in between is not needed for either.
        Assert.Equal([.. UplinkBench.Through(301, 399), .. UplinkBench.Through(721, 960)], old.Sequences);
    }

    [Fact]
    public void Backlog_CutShort_IsTakenUpAgainWithoutTheFreshDataNoticing()
    {
        _bench.Tick(1000);
        FakeStream live = _bench.Connect();
        FrameReading fresh = UplinkBench.Read(live);
        FakeStream backlog = WelcomeBacklog();
        _bench.Pass(TimeSpan.FromSeconds(30));
        backlog.Acknowledge(60);
        backlog.End(StatusCode.Unavailable, "gone");
        _bench.Tick();
        _bench.Pass(TimeSpan.FromSeconds(2));
        Assert.Equal(1001UL, UplinkBench.Read(live, fresh).Last.Sequence);
        FakeStream second = _bench.Network.Newest.Streams[2];
        second.Welcome(60);
        _bench.Pass(TimeSpan.FromSeconds(2));
        Assert.Equal(61UL, UplinkBench.Read(second).Sequences[0]);
        Assert.Equal("Unavailable: gone", _bench.Logs.Single("UplinkBacklogLost").Parameters["Reason"]);
        Assert.Empty(_bench.Logs.Named("UplinkLost"));
    }

    [Fact]
    public void Backlog_NoWord_IsGivenUpAndTriedAgain()
    {
        _bench.Tick(1000);
        FakeStream live = _bench.Connect();
        _bench.Pass(UplinkSession.WelcomeTimeout + TimeSpan.FromSeconds(2));
        Assert.Equal(3, _bench.Network.Newest.Streams.Count);
        Assert.True(_bench.Network.Newest.Streams[1].IsCancelled);
        Assert.True(live.Waiting > 0);
    }

    [Fact]
    public void Throttle_OnTheBacklog_LeavesFreshDataAlone()
    {
        _bench.Tick(1000);
        FakeStream live = _bench.Connect();
        FakeStream backlog = WelcomeBacklog();
        backlog.Throttle(60_000);
        FrameReading fresh = UplinkBench.Read(live);
        int before = backlog.Waiting;
        _bench.Tick(5);
        _bench.Pass(TimeSpan.FromSeconds(50));
        Assert.Equal(before, backlog.Waiting);
        Assert.Equal(1005UL, UplinkBench.Read(live, fresh).Last.Sequence);
    }

    [Fact]
    public void Throttle_OnTheFreshData_HoldsTheBacklogToo()
    {
        _bench.Tick(1000);
        FakeStream live = _bench.Connect();
        FakeStream backlog = WelcomeBacklog();
        live.Throttle(60_000);
        int before = backlog.Waiting;
        _bench.Pass(TimeSpan.FromSeconds(59));
        Assert.Equal(before, backlog.Waiting);
        _bench.Pass(TimeSpan.FromSeconds(3));
        Assert.True(backlog.Waiting > before);
    }

    [Fact]
    public void Finish_BacklogLeft_StaysInTheSpool()
    {
        _bench.Tick(1000);
        FakeStream live = _bench.Connect();
        WelcomeBacklog();
        _bench.Client.Finish();
        _bench.Step();
        Assert.True(live.IsSendClosed);
        live.Acknowledge(1000);
        live.End();
        _bench.Step();
        Assert.True(_bench.Client.IsFinished);
        Assert.Equal(960UL, _bench.Spool.UnacknowledgedRecords);
    }

    private FakeStream WelcomeBacklog(ulong acknowledged = 0, params (ulong First, ulong Last)[] held)
    {
        _bench.Step();
        FakeStream backlog = _bench.Network.Newest.Streams[1];
        Assert.Equal(Lane.Backlog, backlog.Welcome(acknowledged, held).Lane);
        return backlog;
    }
}
