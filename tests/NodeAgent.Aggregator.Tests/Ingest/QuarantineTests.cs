using Google.Protobuf;
using Grpc.Core;
using NodeAgent.Aggregator.Ingest;
using NodeAgent.V1;

namespace NodeAgent.Aggregator.Tests.Ingest;

public sealed class QuarantineTests : IDisposable
{
    private readonly TestIngest _ingest = new();
    private readonly AgentSide _agent = new();

    public void Dispose() => _ingest.Dispose();

    [Fact]
    public void Poison_ForTheThirdTime_IsSetAsideAndTheRestGoesOn()
    {
        // A frame whose blocks are cut off: the agent's own spool holds it so.
        byte[] before = _agent.Event("before");
        byte[] poison = [0x1a, 0x03, 0x08, (byte)_agent.Next++, 0x32];
        byte[] after = _agent.Event("after");
        for (int attempt = 1; attempt < StrikeBook.Most; attempt++)
        {
            LinkStream stream = _ingest.Open();
            Assert.Equal(IntakeOutcome.Taken, stream.Take(before, _ingest.Now));
            Assert.Equal(IntakeOutcome.Broken, stream.Take(poison, _ingest.Now));
            Assert.Equal((StatusCode.InvalidArgument, "frame 2: its blocks are malformed"), (stream.End!.Value.StatusCode, stream.End!.Value.Detail));
            stream.Close();
        }

        LinkStream third = _ingest.Open();
        Assert.Equal(IntakeOutcome.Taken, third.Take(before, _ingest.Now));
        Assert.Equal(IntakeOutcome.Rejected, third.Take(poison, _ingest.Now));
        Assert.Equal(IntakeOutcome.Taken, third.Take(after, _ingest.Now));
        _ingest.Core.Commit();
        List<AggregatorMessage> answers = _ingest.Answers(third);
        Assert.Equal(new Rejected { Sequence = 2, Reason = "frame 2: its blocks are malformed" }, answers[0].Rejected);
        Assert.Equal(3UL, answers[1].Acknowledge.Sequence);
        QuarantinedRecord kept = Assert.Single(_ingest.Core.Quarantine.ReadAll());
        Assert.Equal(("n1", 5UL, 2UL, "frame 2: its blocks are malformed"), (kept.Node, kept.Epoch, kept.Sequence, kept.Reason));
        Assert.Equal(poison, kept.Message);
        Assert.Equal((2, 1, 1), (_ingest.Counters.BrokenStreams, _ingest.Counters.DeadLetters, _ingest.Counters.QuarantinedRecords));

        // It stays dead after a restart: the agent may forget it.
        _ingest.CutPower();
        _ingest.Start();
        _ingest.Open();
        Assert.Equal(3UL, _ingest.Welcome.AcknowledgedSequence);
        Assert.Single(_ingest.Core.Quarantine.ReadAll());
    }

    [Fact]
    public void Poison_Unreadable_IsSetAsideByItsBytes()
    {
        byte[] junk = [0xff, 0xff, 0xff];
        for (int attempt = 1; attempt < StrikeBook.Most; attempt++)
        {
            Assert.Equal(IntakeOutcome.Broken, _ingest.Open().Take(junk, _ingest.Now));
        }

        LinkStream stream = _ingest.Open();
        Assert.Equal(IntakeOutcome.Rejected, stream.Take(junk, _ingest.Now));
        Assert.Equal(0UL, stream.LastSequence);
        Assert.Equal(IntakeOutcome.Taken, stream.Take(_agent.Event("x"), _ingest.Now));

        // Having shown what it is, this stream's other junk is set aside at once.
        Assert.Equal(IntakeOutcome.Rejected, stream.Take([0xfe], _ingest.Now));
        Assert.Null(stream.End);
    }

    [Fact]
    public void Poison_WithAnAbsurdSequence_AcknowledgesNothing()
    {
        byte[] poison = [.. new AgentMessage { Frame = new Frame { Sequence = 1UL << 60 } }.ToByteArray(), 0x78, 1];
        for (int attempt = 1; attempt < StrikeBook.Most; attempt++)
        {
            Assert.Equal(IntakeOutcome.Broken, _ingest.Open().Take(poison, _ingest.Now));
        }

        LinkStream stream = _ingest.Open();
        Assert.Equal(IntakeOutcome.Rejected, stream.Take(poison, _ingest.Now));
        _ingest.Core.Commit();
        _ingest.Time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(0UL, _ingest.Acknowledged(stream));
    }

    [Fact]
    public void Schema_ThatNeverComes_CostsOnlyItsBlocks()
    {
        byte[] schema = _agent.Schema(1, "s", "a");
        _agent.Schema(2, "lost", "b"); // never sent
        byte[] frame = _agent.Key((1, [1]), (2, [2]));
        byte[] next = _agent.Frame((1, [3]), (2, [4]));
        for (int attempt = 1; attempt < StrikeBook.Most; attempt++)
        {
            LinkStream stream = _ingest.Open();
            stream.Take(schema, _ingest.Now);
            Assert.Equal((IntakeOutcome.Broken, "frame 1: schema 2 was not registered on this stream"), (stream.Take(frame, _ingest.Now), stream.Reason));
        }

        LinkStream third = _ingest.Open();
        third.Take(schema, _ingest.Now);
        Assert.Equal(IntakeOutcome.Rejected, third.Take(frame, _ingest.Now));
        Assert.Equal(IntakeOutcome.Taken, third.Take(next, _ingest.Now));
        Assert.Equal(("1=1 2=3", "", 2), (_ingest.Samples("a"), _ingest.Samples("b"), _ingest.Counters.RefusedBlocks));
    }

    [Theory]
    [InlineData(double.PositiveInfinity)]
    [InlineData(double.NegativeInfinity)]
    [InlineData(-1.0)]
    public void Value_Impossible_IsLeftOutAndTheRestOfTheFrameStored(double bad)
    {
        LinkStream stream = _ingest.Open();
        stream.Take(_agent.Schema(1, "s", "a", "b_total"), _ingest.Now);
        Assert.Equal(IntakeOutcome.Taken, stream.Take(_agent.Key((1, [-5, 1])), _ingest.Now));
        Assert.Equal(IntakeOutcome.Rejected, stream.Take(_agent.Frame((1, [7, bad])), _ingest.Now));
        Assert.StartsWith("sampler s: 1 impossible values, the first is b_total = ", stream.Reason, StringComparison.Ordinal);
        Assert.Equal(IntakeOutcome.Taken, stream.Take(_agent.Frame((1, [8, 3])), _ingest.Now));
        Assert.Equal(("1=-5 2=7 3=8", "1=1 3=3", 1), (_ingest.Samples("a"), _ingest.Samples("b_total"), _ingest.Counters.RefusedValues));
        _ingest.Core.Commit();
        Assert.Equal(2UL, Assert.Single(_ingest.Core.Quarantine.ReadAll()).Sequence);
    }

    [Fact]
    public void Value_NotANumber_IsLeftOut()
    {
        // The encoder says that a NaN is there: raw, not absent.
        ValueScreen screen = new([.. Enumerable.Range(0, 70).Select(i => new Contracts.Series.SeriesDefinition(
            $"m{i}", i % 2 == 0 ? Contracts.Metrics.MetricKind.Gauge : Contracts.Metrics.MetricKind.Counter, "", 0, []))]);
        double[] values = [.. Enumerable.Range(0, 70).Select(i => (double)i)];
        ulong[] present = [ulong.MaxValue, 0b111111];
        Assert.Equal(present, screen.Pass(values, present, out int refused, out _).ToArray());
        Assert.Equal(0, refused);
        values[3] = double.NaN;
        values[69] = -0.5;
        values[64] = double.NaN;
        present[1] &= ~1UL; // column 64 is absent: its value means nothing
        Assert.Equal([ulong.MaxValue & ~(1UL << 3), 0b011110], screen.Pass(values, present, out refused, out int first).ToArray());
        Assert.Equal((2, 3), (refused, first));
    }

    [Fact]
    public void Schema_WithAnEndlessLabelOrBadText_IsRefused()
    {
        LinkStream stream = _ingest.Open();
        Schema wide = new() { SchemaId = 4, Sampler = "s", Series = { new SeriesDescriptor { Metric = "a", Kind = MetricKind.Gauge, Labels = { new V1.Label { Name = "l", Value = new string('x', 500_000) } } } } };
        Assert.Equal(IntakeOutcome.Rejected, stream.Take(new AgentMessage { Schema = wide }.ToByteArray(), _ingest.Now));
        Assert.Contains("1,024", stream.Reason.Replace("1024", "1,024", StringComparison.Ordinal), StringComparison.Ordinal);
        byte[] badText = new AgentMessage { Schema = new Schema { SchemaId = 5, Sampler = "text", Series = { new SeriesDescriptor { Metric = "qqqq", Kind = MetricKind.Gauge } } } }.ToByteArray();
        int at = badText.AsSpan().IndexOf("qqqq"u8);
        badText[at] = 0xff;
        Assert.NotEqual(IntakeOutcome.Taken, stream.Take(badText, _ingest.Now));
        Assert.Empty(_ingest.Store.Nodes());
    }

    [Fact]
    public void Message_LargerThanTheLogTakes_IsSetAside()
    {
        LinkStream stream = _ingest.Open();
        byte[] huge = new AgentMessage { Event = new Event { Sequence = 1, Kind = "x", Message = new string('x', 3 << 20) } }.ToByteArray();
        Assert.Equal(IntakeOutcome.Rejected, stream.Take(huge, _ingest.Now));
        _agent.Next = 2;
        byte[] large = new AgentMessage { Event = new Event { Sequence = _agent.Next++, Kind = "x", Message = new string('x', 100_000) } }.ToByteArray();
        Assert.Equal((IntakeOutcome.Rejected, $"event 2: {large.Length} bytes; 65536 are allowed"), (stream.Take(large, _ingest.Now), stream.Reason));
        Assert.Equal(IntakeOutcome.Taken, stream.Take(_agent.Event("fine"), _ingest.Now));
        _ingest.Core.Commit();
        Assert.Equal(3UL, _ingest.Acknowledged(stream));
        Assert.All(_ingest.Core.Quarantine.ReadAll(), record => Assert.Equal(QuarantineLog.MaxMessageBytes, record.Message.Length));
    }

    [Fact]
    public void Quarantine_Full_LosesTheOldestAndNothingElse()
    {
        LinkStream stream = _ingest.Open();
        string text = new('x', 70_000);
        for (int i = 0; i < 100; i++)
        {
            ulong sequence = _agent.Next++;
            Assert.Equal(IntakeOutcome.Rejected, stream.Take(new AgentMessage { Event = new Event { Sequence = sequence, Kind = "x", Message = text } }.ToByteArray(), _ingest.Now));
            _ingest.Core.Commit();
        }

        (long records, long bytes) = _ingest.Core.Quarantine.Held();
        Assert.InRange(records, 5, 20);
        Assert.InRange(bytes, 1, _ingest.Options.QuarantineMaxBytes);
        Assert.Equal(100UL, _ingest.Core.Quarantine.ReadAll().Last().Sequence);
        Assert.Equal((100, 0L), (_ingest.Counters.QuarantinedRecords, _ingest.Core.Quarantine.Lost));
        Assert.Equal(100, _ingest.Fleet.Find("n1")!.QuarantinedRecords);
    }
}
