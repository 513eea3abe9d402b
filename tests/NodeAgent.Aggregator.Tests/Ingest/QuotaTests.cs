using Grpc.Core;
using NodeAgent.Aggregator.Ingest;
using NodeAgent.V1;

namespace NodeAgent.Aggregator.Tests.Ingest;

public sealed class QuotaTests : IDisposable
{
    private readonly TestIngest _ingest = new(TestIngest.Small with { RecordsPerSecond = 10, BytesPerSecond = 10_000, BurstSeconds = 10 });

    public void Dispose() => _ingest.Dispose();

    [Fact]
    public void Records_FasterThanTheQuota_AreTakenAndTheAgentAskedToWait()
    {
        LinkStream stream = _ingest.Open();
        AgentSide agent = new();
        for (int i = 0; i < 105; i++)
        {
            Assert.Equal(IntakeOutcome.Taken, stream.Take(agent.Event("x"), _ingest.Now));
        }

        AggregatorMessage answer = Assert.Single(_ingest.Answers(stream));
        Assert.InRange(answer.Throttle.RetryAfterMs, 100U, 150U);
        Assert.Equal(1, _ingest.Counters.Throttles);

        // Who waits is heard again.
        _ingest.Time.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal(IntakeOutcome.Taken, stream.Take(agent.Event("x"), _ingest.Now));
        Assert.DoesNotContain(_ingest.Answers(stream), one => one.BodyCase == AggregatorMessage.BodyOneofCase.Throttle);
    }

    [Fact]
    public void Records_OnAndOn_EndTheStreamAndHarmNobodyElse()
    {
        LinkStream stream = _ingest.Open();
        LinkStream other = _ingest.Open("n2");
        AgentSide agent = new();
        int taken = 0;
        while (stream.Take(agent.Event("x"), _ingest.Now) == IntakeOutcome.Taken)
        {
            taken++;
        }

        Assert.Equal(StatusCode.ResourceExhausted, stream.End!.Value.StatusCode);
        Assert.Equal((200, 1), (taken, _ingest.Counters.OverQuota));
        Assert.Equal(IntakeOutcome.Taken, other.Take(new AgentSide().Event("x"), _ingest.Now));
        Assert.Null(other.End);

        // What it sent before counts; what it could not send it still has.
        stream.Close();
        _ingest.Core.Commit();
        _ingest.Time.Advance(TimeSpan.FromSeconds(30));
        LinkStream again = _ingest.Open();
        Assert.Equal(200UL, _ingest.Welcome.AcknowledgedSequence);
        agent.Next = 201;
        Assert.Equal(IntakeOutcome.Taken, again.Take(agent.Event("x"), _ingest.Now));
    }

    [Fact]
    public void Bytes_MoreThanTheQuota_CountToo()
    {
        LinkStream stream = _ingest.Open();
        AgentSide agent = new();
        string[] metrics = [.. Enumerable.Range(0, 1_500).Select(i => $"metric_number_{i}")];
        Assert.True(agent.Schema(9, "probe", metrics).Length > 50_000);
        stream.Take(agent.Schema(1, "s", metrics), _ingest.Now);
        stream.Take(agent.Schema(2, "t", metrics), _ingest.Now);
        Assert.Contains(_ingest.Answers(stream), answer => answer.BodyCase == AggregatorMessage.BodyOneofCase.Throttle);
    }

    [Fact]
    public void Log_WithoutRoom_EndsTheStreamAndHealsByItself()
    {
        using TestIngest ingest = new(TestIngest.Small with { WalPendingBytes = 64 << 10, WalSegmentBytes = 128 << 10 });
        AgentSide agent = new();
        LinkStream stream = ingest.Open();
        ingest.Core.Commit();
        ingest.Disk.CapacityBytes = ingest.Disk.UsedBytes;
        Assert.Equal(IntakeOutcome.Taken, stream.Take(agent.Event("first"), ingest.Now));
        Assert.False(ingest.Core.Commit());
        AggregatorMessage told = Assert.Single(ingest.Answers(stream));
        Assert.Contains("disk fails", told.Throttle.Reason, StringComparison.Ordinal);

        // An agent that does not heed it is heard as long as there is memory, and never acknowledged.
        byte[] kept = [];
        while (stream.End is null)
        {
            kept = agent.Event("more");
            stream.Take(kept, ingest.Now);
        }

        Assert.Equal((StatusCode.ResourceExhausted, "the aggregator's log has no room: its disk fails"), (stream.End!.Value.StatusCode, stream.End!.Value.Detail));
        Assert.Equal(0UL, ingest.Acknowledged(stream));
        Assert.Equal(StatusCode.ResourceExhausted, ingest.Core.Open("n9", new Hello { Protocol = 1, SpoolEpoch = 1, AgentVersion = new string('v', 200) }, ingest.Now).Refusal.StatusCode);
        ingest.Disk.CapacityBytes = long.MaxValue;
        ingest.Time.Advance(TimeSpan.FromSeconds(6));
        Assert.True(ingest.Core.Commit());
        stream.Close();
        LinkStream again = ingest.Open();
        Assert.Equal(agent.Next - 2, ingest.Welcome.AcknowledgedSequence);
        Assert.Equal(IntakeOutcome.Taken, again.Take(kept, ingest.Now));
        ingest.CutPower();
        ingest.Start();
        ingest.Open();
        Assert.Equal(agent.Next - 2, ingest.Welcome.AcknowledgedSequence);
    }
}
