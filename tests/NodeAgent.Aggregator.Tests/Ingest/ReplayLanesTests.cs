using NodeAgent.Aggregator.Fleet;
using NodeAgent.Aggregator.Ingest;

namespace NodeAgent.Aggregator.Tests.Ingest;

/// <summary>Frames on lanes: each node's in order, all of them, and nobody waits for a lane that failed.</summary>
public sealed class ReplayLanesTests
{
    private const int Nodes = 7;
    private const int Frames = 5_000;

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(3)]
    public void Frames_OfEachNode_AreTakenInOrderAndBeforeTheDrainEnds(int lanes)
    {
        using TestIngest ingest = new();
        ReplaySource[] sources = [.. Enumerable.Range(0, Nodes).Select(number => Source(ingest, number))];
        List<ulong>[] taken = [.. sources.Select(_ => new List<ulong>())];
        ReplayLanes replay = new(lanes, (source, message, logId) =>
        {
            Assert.Equal((int)(logId % 97), message.Length);
            taken[(int)source.Id].Add(logId);
        });
        byte[] bytes = new byte[97];
        Random random = new(lanes + 1);
        ulong[] sent = new ulong[Nodes];
        for (int i = 0; i < Frames; i++)
        {
            int node = random.Next(Nodes);
            replay.Add(sources[node], bytes.AsSpan(0, (int)(++sent[node] % 97)), sent[node]);
            if (random.Next(50) == 0)
            {
                node = random.Next(Nodes);
                replay.Drain(sources[node].Intake);
                Assert.Equal(sent[node], (ulong)taken[node].Count);
            }
        }

        replay.End();
        for (int node = 0; node < Nodes; node++)
        {
            Assert.Equal(Enumerable.Range(1, (int)sent[node]).Select(id => (ulong)id), taken[node]);
        }
    }

    [Fact]
    public void Bug_OnALane_IsThrownWhereTheReplayEndsAndHoldsUpNobody()
    {
        using TestIngest ingest = new();
        ReplaySource source = Source(ingest, 0);
        ReplayLanes replay = new(1, (_, _, logId) =>
        {
            if (logId == 1_000)
            {
                throw new InvalidOperationException("BUG: made up");
            }
        });
        for (ulong id = 1; id <= 10_000; id++)
        {
            replay.Add(source, [1], id);
        }

        Assert.Equal("BUG: made up", Assert.Throws<InvalidOperationException>(replay.End).Message);
    }

    private static ReplaySource Source(TestIngest ingest, int number)
    {
        NodeIntake intake = new(new FleetNode($"n{number}", 0), ingest.Core.Options) { ReplayLane = (uint)number };
        return new ReplaySource((ulong)number, intake, new HeldRecords(1), V1.Lane.Live, ingest.Core, new IngestCounters());
    }
}
