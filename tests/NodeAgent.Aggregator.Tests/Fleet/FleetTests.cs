using NodeAgent.Aggregator.Fleet;
using NodeAgent.Testing;
using NodeAgent.V1;

namespace NodeAgent.Aggregator.Tests.Fleet;

public sealed class FleetTests
{
    [Theory]
    [InlineData(0, 3_000, NodeState.Live)]
    [InlineData(0, 3_001, NodeState.Late)]
    [InlineData(1_000, 3_000, NodeState.Live)]
    [InlineData(1_000, 3_001, NodeState.Late)]
    [InlineData(100, 2_999, NodeState.Live)]
    [InlineData(10_000, 30_000, NodeState.Live)]
    [InlineData(10_000, 30_001, NodeState.Late)]
    [InlineData(int.MaxValue, 4_000_000_000, NodeState.Live)]
    public void StateAt_StreamOpen_IsLateAfterThreeIntervals(int intervalMs, long silenceMs, NodeState expected)
    {
        FleetNode node = new("n", 0) { Session = new LinkSession(), ShortestIntervalMs = intervalMs, LastReceivedUnixMs = 1_000_000 };
        Assert.Equal(expected, node.StateAt(1_000_000 + silenceMs));
    }

    [Fact]
    public void StateAt_NoStream_IsDown() => Assert.Equal(NodeState.Down, new FleetNode("n", 0) { LastReceivedUnixMs = 5 }.StateAt(5));

    [Fact]
    public void Detach_OfAFormerSession_LeavesTheNewerOneAttached()
    {
        FleetRegistry fleet = new(new SimulatedTime());
        FleetNode node = fleet.GetOrAdd("n");
        LinkSession older = new();
        LinkSession newer = new();
        Assert.Null(fleet.Attach(node, older));
        Assert.Same(older, fleet.Attach(node, newer));
        fleet.Detach(node, older);
        Assert.Same(newer, node.Session);
        fleet.Detach(node, newer);
        Assert.Null(node.Session);
    }

    [Fact]
    public void GetOrAdd_KnownName_IsTheSameNodeAndNamesAreCaseSensitive()
    {
        SimulatedTime time = new();
        FleetRegistry fleet = new(time);
        FleetNode node = fleet.GetOrAdd("n");
        time.Advance(TimeSpan.FromSeconds(5));
        Assert.Same(node, fleet.GetOrAdd("n"));
        Assert.NotSame(node, fleet.GetOrAdd("N"));
        Assert.Equal((SimulatedTime.DefaultStart.ToUnixTimeMilliseconds(), 2), (node.FirstReceivedUnixMs, fleet.Count));
        Assert.Null(fleet.Find("other"));
    }
}
