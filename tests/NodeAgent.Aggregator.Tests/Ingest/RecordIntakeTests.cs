using Google.Protobuf;
using NodeAgent.Aggregator.Ingest;
using NodeAgent.V1;

namespace NodeAgent.Aggregator.Tests.Ingest;

public sealed class RecordIntakeTests : IDisposable
{
    private const string LacksBase = "block of sampler s builds on records that never came";

    private readonly IntakeBench _bench = new();

    private AgentSide Agent => _bench.Agent;

    public void Dispose() => _bench.Dispose();

    [Fact]
    public void Frames_Values_AreStoredExactlyWithTheirTime()
    {
        _bench.Taken(
            Agent.Schema(1, "s", "a", "b_total"),
            Agent.Key((1, [0.1, 10])),
            Agent.Frame((1, [double.NaN, 30])),
            Agent.Frame((1, [-1e-300, 31])));
        Assert.Equal("1=0.1 3=-1E-300", _bench.Samples("a"));
        Assert.Equal("1=10 2=30 3=31", _bench.Samples("b_total"));
        Assert.Equal((3, 5), (_bench.Counters.Frames, _bench.Counters.Samples));
        Assert.Equal((3UL, AgentSide.Start + 3000, ClockQuality.Synchronised, 1000),
            (_bench.Node.LastSequence, _bench.Node.LastFrameUnixMs, _bench.Node.Clock, _bench.Node.ShortestIntervalMs));
    }

    [Fact]
    public void Reconnect_RecordsThatCameBefore_AreDroppedAndTheirDeltasUsed()
    {
        byte[] schema = Agent.Schema(1, "s", "b_total");
        byte[][] records = [Agent.Key((1, [10])), Agent.Frame((1, [20])), Agent.Event("x"), Agent.Frame((1, [35]))];
        _bench.Taken([schema, .. records]);
        _bench.Reconnect();
        _bench.Taken([schema, .. records]);
        _bench.Taken(Agent.Frame((1, [36])), Agent.Event("y"));
        Assert.Equal("1=10 2=20 4=35 5=36", _bench.Samples("b_total"));
        Assert.Equal(4, _bench.Counters.DuplicateRecords);
        Assert.Equal(["y", "x"], _bench.Events.Newest(10, _ => true).Select(entry => entry.Event.Kind));
        Assert.Equal((4, 4, 2), (_bench.Counters.Frames, _bench.Counters.Samples, _bench.Counters.Events));
        Assert.Equal(0, _bench.Store.Stats().RowsDuplicate);
    }

    [Fact]
    public void Gap_BlocksWaitForTheNextKey()
    {
        _bench.Taken(Agent.Schema(1, "s", "b_total"), Agent.Key((1, [10])));
        Agent.Frame((1, [20])); // dropped by the agent
        _bench.Rejected(Agent.Frame((1, [30])), LacksBase);
        _bench.Rejected(Agent.Frame((1, [40])), LacksBase);
        Assert.Equal("1=10", _bench.Samples("b_total"));
        Assert.Equal((2, 2, 2), (_bench.Counters.UnreadableBlocks, _bench.Counters.RejectedRecords, _bench.Counters.QuarantinedRecords));
        _bench.Taken(Agent.Key((1, [50])), Agent.Frame((1, [60])));
        Assert.Equal("1=10 5=50 6=60", _bench.Samples("b_total"));
    }

    [Fact]
    public void Stream_BeginningInTheMiddleOfARun_IsAskedForItAgainAndThenSetsItAside()
    {
        _bench.Taken(Agent.Schema(1, "s", "b_total"), Agent.Key((1, [10])), Agent.Frame((1, [20])));
        byte[] third = Agent.Frame((1, [30]));
        for (int attempt = 1; attempt < StrikeBook.Most; attempt++)
        {
            _bench.Reconnect();
            _bench.Taken(Agent.Schema(1, "s", "b_total"));
            _bench.Broken(third, "frame 3: the stream begins with it, and it builds on frames before it");
        }

        Assert.Equal((2UL, 0L), (_bench.Node.LastSequence, _bench.Counters.RejectedRecords));
        _bench.Taken(Agent.Schema(1, "s", "b_total"));
        _bench.Rejected(third, LacksBase);
        Assert.Equal((3UL, 1L, 1L), (_bench.Node.LastSequence, _bench.Counters.RejectedRecords, _bench.Counters.QuarantinedRecords));
        _bench.Taken(Agent.Key((1, [40])));
        Assert.Equal("1=10 2=20 4=40", _bench.Samples("b_total"));
    }

    [Fact]
    public void Gap_BeforeAKeyFrame_CostsNothing()
    {
        _bench.Taken(Agent.Schema(1, "s", "b_total"), Agent.Key((1, [10])));
        Agent.Frame((1, [20]));
        _bench.Taken(Agent.Key((1, [30])), Agent.Frame((1, [40])));
        Assert.Equal("1=10 3=30 4=40", _bench.Samples("b_total"));
        Assert.Equal(0, _bench.Counters.UnreadableBlocks);
    }

    [Fact]
    public void KernelEvent_ReadAgainByARestartedAgent_IsKeptOnce()
    {
        _bench.Taken(Agent.KernelEvent("boot-1", 7), Agent.KernelEvent("boot-1", 9), Agent.KernelEvent("boot-1", 7), Agent.KernelEvent("boot-1", 9));
        _bench.Taken(Agent.KernelEvent("boot-1", 10), Agent.KernelEvent("boot-2", 7));
        Assert.Equal([7UL, 10UL, 9UL, 7UL], _bench.Events.Newest(10, _ => true).Select(entry => entry.Event.KernelSequence));
        Assert.Equal(2, _bench.Counters.DuplicateRecords);
    }

    [Fact]
    public void Gap_BeforeAnEvent_IsAGapForTheBlocksToo()
    {
        _bench.Taken(Agent.Schema(1, "s", "b_total"), Agent.Key((1, [10])));
        Agent.Frame((1, [20]));
        _bench.Taken(Agent.Event("x"));
        _bench.Rejected(Agent.Frame((1, [30])), LacksBase);
        Assert.Equal("1=10", _bench.Samples("b_total"));
        Assert.Equal(1, _bench.Counters.UnreadableBlocks);
    }

    [Fact]
    public void Schema_Refused_CostsOnlyItsSampler()
    {
        _bench.Taken(Agent.Schema(1, "good", "a"));
        _bench.Rejected(Agent.Schema(2, "bad", "not a name"), "schema 2 (bad): Column 0 (not a name{device=\"d\"}): the metric name is not [a-zA-Z_:][a-zA-Z0-9_:]*.");
        _bench.Taken(Agent.Key((1, [1]), (2, [2])), Agent.Frame((2, [3]), (1, [4])));
        Assert.Equal("1=1 2=4", _bench.Samples("a"));
        Assert.Equal((2, 1), (_bench.Counters.RefusedBlocks, _bench.Counters.RejectedRecords));

        // Put right, it comes in.
        _bench.Taken(Agent.Schema(3, "bad", "fine"), Agent.Frame((3, [9])));
        Assert.Equal("3=9", _bench.Samples("fine"));
    }

    [Fact]
    public void Schema_OverTheQuota_IsRefusedAndTheOthersGoOn()
    {
        using IntakeBench small = new(maxSeries: 2);
        small.Taken(small.Agent.Schema(1, "good", "a", "b"));
        Assert.Equal(IntakeOutcome.Rejected, small.Take(small.Agent.Schema(2, "more", "c")));
        Assert.StartsWith("schema 2 (more): ", small.Stream.Reason, StringComparison.Ordinal);
        small.Taken(small.Agent.Key((1, [1, 2]), (2, [3])));
        Assert.Equal(("1=1", ""), (small.Samples("a"), small.Samples("c")));
    }

    [Fact]
    public void Schema_RefusedAgainAndAgain_NeverEndsTheStream()
    {
        _bench.Taken(Agent.Schema(1, "good", "a"));
        for (uint id = 2; id < 1_000; id++)
        {
            Assert.Equal(IntakeOutcome.Rejected, _bench.Take(Agent.Schema(id, "churn", "not a name")));
        }

        _bench.Taken(Agent.Key((1, [1]), (999, [2])));
        Assert.Equal(1, _bench.Counters.RefusedBlocks);
    }

    [Fact]
    public void Schema_TooManySamplers_IsRefusedAndTheOthersGoOn()
    {
        for (uint id = 1; id <= SchemaTable.MaxSamplers; id++)
        {
            _bench.Taken(Agent.Schema(id, $"s{id}", $"m{id}"));
        }

        _bench.Taken(Agent.Schema(1_000, "s7", "m7", "more")); // a known sampler's columns changed
        _bench.Rejected(Agent.Schema(1_001, "one_more", "x"), "schema 1001 (one_more): more than 256 samplers on one stream");
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    public void Schema_KindThatIsNone_IsRefused(int kind)
    {
        Schema schema = new() { SchemaId = 4, Sampler = "s", Series = { new SeriesDescriptor { Metric = "a", Kind = (MetricKind)kind } } };
        _bench.Rejected(Agent.Schema(schema), $"schema 4 (s): series 0 (a) has the kind {kind}, which is neither gauge nor counter");
    }

    [Fact]
    public void Schema_NoSeriesOrTooMany_IsRefused()
    {
        _bench.Rejected(Agent.Schema(4, "s"), "schema 4 (s): 0 series; 1 to 20000 are allowed");
        string[] many = [.. Enumerable.Range(0, SchemaTable.MaxSeriesPerSchema + 1).Select(i => $"m{i}")];
        _bench.Rejected(Agent.Schema(5, "s", many), "schema 5 (s): 20001 series; 1 to 20000 are allowed");
    }

    [Fact]
    public void Frame_UnknownSchema_EndsTheStream()
    {
        Agent.Schema(1, "s", "a");
        _bench.Broken(Agent.Key((1, [1])), "frame 1: schema 1 was not registered on this stream");
    }

    [Fact]
    public void Messages_ThatBreakTheContract_EndTheStream()
    {
        _bench.Broken(AgentSide.Hello(), "a second hello on one stream");
        _bench.Broken([0x1a, 0x05, 1], "message of 3 bytes is not an AgentMessage: ");
        _bench.Broken(new AgentMessage { Frame = new Frame { WallUnixMs = 5 } }.ToByteArray(), "frame: its header is malformed or has no sequence");
        _bench.Broken(new AgentMessage { Event = new Event { Kind = "x" } }.ToByteArray(), "event without a sequence");
        _bench.Broken(new AgentMessage { Inventory = new Inventory { HostName = "x" } }.ToByteArray(), "inventory without a sequence");
        _bench.Broken([.. new AgentMessage { Frame = new Frame { Sequence = 8 } }.ToByteArray(), 0x78, 1], "frame 8: it must be the only field of its message");
        _bench.Broken([0x1a, 0x03, 0x08, 0x09, 0x32], "frame 9: its blocks are malformed");
        Assert.Equal(0UL, _bench.Node.LastSequence);
    }

    [Fact]
    public void Message_OfALaterVersion_IsPassedOver() => _bench.Taken([0x7a, 0x01, 0x00], []);

    [Fact]
    public void Block_Unreadable_IsRejectedAndItsSamplerWaitsForAKey()
    {
        _bench.Taken(Agent.Schema(1, "s", "b_total"), Agent.Key((1, [10])));
        byte[] damaged = new AgentMessage { Frame = new Frame { Sequence = Agent.Next++, WallUnixMs = AgentSide.Start + 2000, Blocks = { new Block { SchemaId = 1, Payload = ByteString.CopyFrom(0x80) } } } }.ToByteArray();
        _bench.Rejected(damaged, "block of sampler s is unreadable: UnknownFlag");
        _bench.Rejected(Agent.Frame((1, [20])), LacksBase);
        _bench.Taken(Agent.Key((1, [30])));
        Assert.Equal("1=10 4=30", _bench.Samples("b_total"));
        Assert.Equal((2, 2), (_bench.Counters.UnreadableBlocks, _bench.Counters.RejectedRecords));
    }

    [Theory]
    [InlineData(11 * 60_000, "its time is too far ahead of the aggregator's clock")]
    [InlineData(-2 * 3_600_000, "its time is older than what the store keeps")]
    public void Frame_TimeOutOfBounds_IsRejectedAndAcknowledged(long offsetMs, string reason)
    {
        _bench.Taken(Agent.Schema(1, "s", "a"), Agent.Key((1, [1])));
        _bench.Rejected(Agent.FrameAt(AgentSide.Start + offsetMs, (1, [2])), reason);
        _bench.Taken(Agent.Frame((1, [3])));
        Assert.Equal("1=1 3=3", _bench.Samples("a"));
        Assert.Equal(3UL, _bench.Node.LastSequence);
    }

    [Theory]
    [InlineData(long.MinValue)]
    [InlineData(long.MaxValue)]
    [InlineData(0)]
    public void Frame_TimeThatIsNoTime_IsRejectedAndNothingBreaks(long unixMs)
    {
        _bench.Taken(Agent.Schema(1, "s", "a"), Agent.Key((1, [1])));
        Assert.Equal(IntakeOutcome.Rejected, _bench.Take(Agent.FrameAt(unixMs, (1, [2]))));
        _bench.Taken(Agent.Frame((1, [3])));
        _bench.Store.Maintain(AgentSide.Start + 5000);
        Assert.Equal("1=1 3=3", _bench.Samples("a"));
    }

    [Fact]
    public void Handle_ExpiredWhileSilent_IsRegisteredAgain()
    {
        _bench.Taken(Agent.Schema(1, "s", "a"), Agent.Key((1, [1])));
        long later = AgentSide.Start + 3 * 3_600_000;
        for (long now = AgentSide.Start; now <= later; now += 600_000)
        {
            _bench.Store.Maintain(now);
        }

        Assert.Empty(_bench.Store.Schemas("n1"));

        _bench.Time.Advance(TimeSpan.FromHours(3));
        _bench.Taken(Agent.FrameAt(later, (1, [2])));
        Assert.Equal("10800=2", _bench.Samples("a"));
    }

    [Fact]
    public void Inventory_Newer_ReplacesTheFormer()
    {
        _bench.Taken(new AgentMessage { Inventory = new Inventory { Sequence = 1, HostName = "old" } }.ToByteArray());
        _bench.Taken(new AgentMessage { Inventory = new Inventory { Sequence = 2, HostName = "new" } }.ToByteArray());
        Assert.Equal("new", _bench.Node.Inventory!.HostName);
        Assert.Equal(2UL, _bench.Node.LastSequence);
    }

    [Fact]
    public void Frames_SteadyState_AllocateNothing()
    {
        _bench.Store.Maintain(AgentSide.Start + 200_000); // so that 400 s of frames are not ahead of the clock
        string[] metrics = [.. Enumerable.Range(0, 400).Select(i => i % 2 == 0 ? $"m{i}_total" : $"m{i}")];
        _bench.Taken(Agent.Schema(1, "s", metrics));
        double[] values = new double[metrics.Length];
        List<byte[]> frames = [];
        for (int tick = 0; tick < 400; tick++)
        {
            for (int i = 0; i < values.Length; i++)
            {
                values[i] = tick * i;
            }

            frames.Add(tick == 0 ? Agent.Key((1, values)) : Agent.Frame((1, values)));
        }

        // Between two closings of the store's head (one in 128 rows, staggered by schema: 76, 204, 332): the rows go in place.
        int taken = 0;
        Take(210);
        _bench.Ingest.Core.Commit();
        _bench.Ingest.Answers(_bench.Stream);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Take(330);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void Take(int until)
        {
            for (; taken < until; taken++)
            {
                if (_bench.Take(frames[taken]) != IntakeOutcome.Taken)
                {
                    Assert.Fail(_bench.Stream.Reason);
                }
            }
        }
    }
}
