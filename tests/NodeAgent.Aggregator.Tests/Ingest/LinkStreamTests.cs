using Google.Protobuf;
using Grpc.Core;
using NodeAgent.Aggregator.Ingest;
using NodeAgent.V1;

namespace NodeAgent.Aggregator.Tests.Ingest;

public sealed class LinkStreamTests : IDisposable
{
    private readonly TestIngest _ingest = new();
    private readonly AgentSide _agent = new();

    public void Dispose() => _ingest.Dispose();

    [Fact]
    public void Backlog_OfAnEarlierEpoch_GoesBesideTheLiveStream()
    {
        // The agent started without its disk, and found what its earlier life had left there when it came back.
        LinkStream live = _ingest.Open(epoch: 9);
        LinkStream backlog = _ingest.Open(epoch: 5, lane: Lane.Backlog);
        Assert.Equal((null, null), (live.End, backlog.End));
        Assert.Equal(9UL, _ingest.Fleet.Find("n1")!.SpoolEpoch);

        // A new life ends both.
        _ingest.Open(epoch: 11);
        Assert.NotNull(live.End);
        Assert.NotNull(backlog.End);
    }

    [Fact]
    public void Acknowledge_BeforeTheCommit_IsNotGiven()
    {
        LinkStream stream = _ingest.Open();
        Take(stream, _agent.Event("x"), _agent.Event("y"));
        _ingest.Time.Advance(TimeSpan.FromMinutes(1));
        Assert.Empty(_ingest.Answers(stream));
        Assert.True(stream.WantsCommit);
        Assert.True(_ingest.Core.Commit());
        Assert.Equal(2UL, _ingest.Acknowledged(stream));
        Assert.False(stream.WantsCommit);
    }

    [Fact]
    public void Acknowledge_DuplicateOfARecordNotYetOnDisk_WaitsForIt()
    {
        LinkStream first = _ingest.Open();
        byte[] record = _agent.Event("x");
        Take(first, record);
        first.Close();
        LinkStream second = _ingest.Open();
        Assert.Equal(0UL, _ingest.Welcome.AcknowledgedSequence);
        Take(second, record);
        Assert.Empty(_ingest.Answers(second));
        _ingest.Core.Commit();
        Assert.Equal(1UL, _ingest.Acknowledged(second));
        Assert.Equal((1, 1), (_ingest.Counters.Events, _ingest.Counters.DuplicateRecords));
    }

    [Fact]
    public void Records_OfASilentStream_AreAcknowledgedByTheNextLook()
    {
        LinkStream stream = _ingest.Open();
        Take(stream, _agent.Schema(1, "s", "a"), _agent.Key((1, [1])));
        _ingest.Core.Commit();
        Assert.Equal(1UL, _ingest.Acknowledged(stream));
        Take(stream, _agent.Frame((1, [2])));
        Assert.False(stream.WantsCommit, "a paced frame wakes nobody");
        _ingest.Core.Commit();
        Assert.Empty(_ingest.Answers(stream));
        _ingest.Time.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal(2UL, _ingest.Acknowledged(stream));
    }

    [Fact]
    public void Close_OfTheAgentsSide_IsSettledByOneLastAcknowledgement()
    {
        LinkStream stream = _ingest.Open();
        Take(stream, _agent.Schema(1, "s", "a"), _agent.Key((1, [1])), _agent.Frame((1, [2])));
        stream.CompleteRequests();
        Assert.False(stream.IsSettled);
        _ingest.Core.Commit();
        Assert.Equal([2UL], _ingest.Answers(stream).Select(answer => answer.Acknowledge.Sequence));
        Assert.True(stream.IsSettled);
    }

    [Fact]
    public void Lanes_LiveAndBacklog_RunBesideEachOtherAndBothCount()
    {
        // 1 to 20 piled up; the agent begins live with 21 and hands over the rest beside it.
        byte[] schema = _agent.Schema(1, "s", "b_total");
        List<byte[]> old = [_agent.Key((1, [1]))];
        for (int i = 2; i <= 20; i++)
        {
            old.Add(i == 11 ? _agent.Event("old") : _agent.Frame((1, [i])));
        }

        LinkStream live = _ingest.Open();
        LinkStream backlog = _ingest.Open(lane: Lane.Backlog);
        Take(live, schema, _agent.Key((1, [21])), _agent.Frame((1, [22])));
        Take(backlog, [schema, .. old[..12]]);
        Take(live, _agent.Frame((1, [23])));
        _ingest.Core.Commit();
        Assert.Equal((23UL, 12UL), (_ingest.Acknowledged(live), _ingest.Acknowledged(backlog)));

        // A new live stream learns what is there, and the backlog goes on.
        LinkStream again = _ingest.Open();
        Assert.Equal((12UL, new SequenceRange { First = 21, Last = 23 }), (_ingest.Welcome.AcknowledgedSequence, Assert.Single(_ingest.Welcome.Held)));
        Assert.True(live.IsDisplaced);
        Assert.Null(backlog.End);
        Assert.Equal(IntakeOutcome.Broken, live.Take(_agent.Event("too late"), _ingest.Now));
        _agent.Next--;
        Take(backlog, [.. old[12..]]);
        _ingest.Core.Commit();
        _ingest.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(20UL, _ingest.Acknowledged(backlog));
        again.Close();
        backlog.Close();
        _ingest.Open();
        Assert.Equal((23UL, 0), (_ingest.Welcome.AcknowledgedSequence, _ingest.Welcome.Held.Count));
        Assert.Equal(
            Enumerable.Range(1, 23).Where(i => i != 11).Select(i => $"{i}={i}"), _ingest.Samples("b_total").Split(' '));
        Assert.Equal(0, _ingest.Counters.UnreadableBlocks);
    }

    [Fact]
    public void Lanes_KernelRecords_AreKeptWhicheverComesFirst()
    {
        byte[] older = _agent.KernelEvent("b", 50);
        byte[] newer = _agent.KernelEvent("b", 100);
        LinkStream live = _ingest.Open();
        LinkStream backlog = _ingest.Open(lane: Lane.Backlog);
        Take(live, newer);
        Take(backlog, older);
        Assert.Equal([50UL, 100UL], _ingest.Events.Newest(9, _ => true).Select(entry => entry.Event.KernelSequence));

        // A restarted agent reads its kernel log again, in a new epoch.
        LinkStream next = _ingest.Open(epoch: 6);
        Assert.Equal(0, _ingest.Fleet.Find("n1")!.OpenStreams - 1);
        AgentSide fresh = new();
        Take(next, fresh.KernelEvent("b", 50), fresh.KernelEvent("b", 100), fresh.KernelEvent("b", 101));
        Assert.Equal(3, _ingest.Events.Newest(9, _ => true).Count);
    }

    [Fact]
    public void Lanes_BacklogOfOlderColumns_LeavesTheLiveOnesListed()
    {
        LinkStream live = _ingest.Open();
        LinkStream backlog = _ingest.Open(lane: Lane.Backlog);
        Take(live, _agent.Schema(2, "disk", "reads", "writes"));
        Take(backlog, new AgentSide().Schema(1, "disk", "reads"));
        Assert.Equal(2, Assert.Single(_ingest.Store.Schemas("n1")).Series.Count);
    }

    [Fact]
    public void Epoch_New_EndsTheStreamsOfTheFormerLife()
    {
        LinkStream live = _ingest.Open();
        LinkStream backlog = _ingest.Open(lane: Lane.Backlog);
        LinkStream next = _ingest.Open(epoch: 6);
        Assert.True(live.IsDisplaced && backlog.IsDisplaced && !next.IsDisplaced);
        Assert.Equal(StatusCode.AlreadyExists, backlog.End!.Value.StatusCode);
    }

    [Fact]
    public void Hello_FirstHeld_SaysWhatWillNeverCome()
    {
        LinkStream stream = _ingest.Open(with: hello => hello.FirstHeldSequence = 100);
        Assert.Equal(99UL, _ingest.Welcome.AcknowledgedSequence);
        stream.Close();
        _ingest.Core.Commit();
        _ingest.Kill();
        _ingest.Start();
        _ingest.Open();
        Assert.Equal(99UL, _ingest.Welcome.AcknowledgedSequence);
    }

    [Fact]
    public void Frame_Thinned_CountsForAllItStandsFor()
    {
        byte[] schema = _agent.Schema(1, "s", "a");
        byte[] early = _agent.Key((1, [1]));
        byte[] second = _agent.Frame((1, [2]));
        LinkStream stream = _ingest.Open();
        Take(stream, schema, early, second);
        stream.Close();

        // The spool has thinned out 1 to 10 into one record meanwhile, of which two are here.
        LinkStream backlog = _ingest.Open(lane: Lane.Backlog);
        Frame thinned = AgentMessage.Parser.ParseFrom(new AgentSide { Next = 10 }.Let(side =>
        {
            side.Schema(1, "s", "a");
            return side.Key((1, [10]));
        })).Frame;
        thinned.StandsFor = 10;
        byte[] record = new AgentMessage { Frame = thinned }.ToByteArray();
        Take(backlog, schema, record, record);
        _ingest.Core.Commit();
        Assert.Equal(10UL, _ingest.Acknowledged(backlog));
        Assert.Equal(("1=1 2=2 10=10", 1), (_ingest.Samples("a"), _ingest.Counters.DuplicateRecords));
        _ingest.CutPower();
        _ingest.Start();
        _ingest.Open();
        Assert.Equal((10UL, "1=1 2=2 10=10"), (_ingest.Welcome.AcknowledgedSequence, _ingest.Samples("a")));
    }

    [Theory]
    [InlineData(3, 4, "frame 3: it cannot stand for 4 records")]
    [InlineData(200_000, 100_000, "frame 200000: it cannot stand for 100000 records")]
    public void Frame_StandsForTooMany_Breaks(ulong sequence, uint standsFor, string reason)
    {
        LinkStream stream = _ingest.Open();
        Assert.Equal(IntakeOutcome.Broken, stream.Take(new AgentMessage { Frame = new Frame { Sequence = sequence, StandsFor = standsFor } }.ToByteArray(), _ingest.Now));
        Assert.Equal(reason, stream.Reason);
    }

    [Fact]
    public void Sequence_ThatFallsOnOneStream_Breaks()
    {
        LinkStream stream = _ingest.Open();
        byte[] first = _agent.Event("x");
        Take(stream, _agent.Event("y"));
        Assert.Equal((IntakeOutcome.Broken, "event 1: it comes after 2, and sequences must rise"), (stream.Take(first, _ingest.Now), stream.Reason));
    }

    [Fact]
    public void Duplicates_OldAndNewOrder_AreStoredOnce()
    {
        byte[] schema = _agent.Schema(1, "s", "b_total");
        byte[][] batch = [_agent.Key((1, [1])), _agent.Frame((1, [2])), _agent.Event("x"), _agent.Frame((1, [4]))];
        for (int i = 0; i < 3; i++)
        {
            Take(_ingest.Open(), [schema, .. batch, .. batch]);
        }

        Assert.Equal("1=1 2=2 4=4", _ingest.Samples("b_total"));
        Assert.Equal((1, 3 * 8 - 4, 0L), (_ingest.Counters.Events, _ingest.Counters.DuplicateRecords, _ingest.Store.Stats().RowsDuplicate));
    }

    [Fact]
    public void Late_DaysOld_IsStoredInsideRetentionAndRefusedOutside()
    {
        using TestIngest ingest = new(TestIngest.Small with { RetentionMs = 4 * 24 * 3_600_000L });
        LinkStream live = ingest.Open();
        LinkStream backlog = ingest.Open(lane: Lane.Backlog);
        AgentSide agent = new();
        byte[] schema = agent.Schema(1, "s", "a");
        long now = AgentSide.Start;
        byte[] outside = agent.Key((1, [0])).Let(_ => At(agent, now - (5 * 24 * 3_600_000L), 1));
        byte[] inside = At(agent, now - (3 * 24 * 3_600_000L), 2);
        byte[] later = At(agent, now - (3 * 24 * 3_600_000L) + 1_000, 3);
        agent.Next = 1_000;
        Take(live, schema, At(agent, now, 9));
        Take(backlog, schema);
        Assert.Equal((IntakeOutcome.Rejected, "its time is older than what the store keeps"), (backlog.Take(outside, ingest.Now), backlog.Reason));
        Take(backlog, inside, later);
        Assert.Equal("-259200=2 -259199=3 0=9", ingest.Samples("a"));
        Assert.Equal((1, 0), (ingest.Counters.TooOldRecords, ingest.Counters.QuarantinedRecords));

        static byte[] At(AgentSide agent, long unixMs, double value)
        {
            Frame frame = AgentMessage.Parser.ParseFrom(agent.Key((1, [value]))).Frame;
            frame.WallUnixMs = unixMs;
            return new AgentMessage { Frame = frame }.ToByteArray();
        }
    }

    private void Take(LinkStream stream, params byte[][] messages) =>
        Assert.All(messages, message => Assert.Equal((IntakeOutcome.Taken, ""), (stream.Take(message, _ingest.Now), stream.Reason)));
}

/// <summary>Names a value for one expression.</summary>
internal static class Letting
{
    internal static TResult Let<T, TResult>(this T value, Func<T, TResult> use) => use(value);
}
