using NodeAgent.Aggregator.Fleet;
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
        FleetNode node = new("n", 0) { OpenStreams = 1, ShortestIntervalMs = intervalMs, LastReceivedUnixMs = 1_000_000 };
        Assert.Equal(expected, node.StateAt(1_000_000 + silenceMs));
    }

    [Fact]
    public void StateAt_NoStream_IsDown() => Assert.Equal(NodeState.Down, new FleetNode("n", 0) { LastReceivedUnixMs = 5 }.StateAt(5));

    [Fact]
    public void GetOrAdd_KnownName_IsTheSameNodeAndNamesAreCaseSensitive()
    {
        FleetRegistry fleet = new();
        FleetNode node = fleet.GetOrAdd("n", 1_000);
        Assert.Same(node, fleet.GetOrAdd("n", 6_000));
        Assert.NotSame(node, fleet.GetOrAdd("N", 6_000));
        Assert.Equal((1_000, 2), (node.FirstReceivedUnixMs, fleet.Count));
        Assert.Null(fleet.Find("other"));
    }
}
