using NodeAgent.Placement.Data;
using NodeAgent.Placement.Network;

namespace NodeAgent.Placement.Tests.Data;

public sealed class DataPlacementTests
{
    private static readonly ulong[] Keys = [.. Enumerable.Range(0, 20_000).Select(key => NodeAgent.Placement.Data.DataPlacement.Hash("key-" + key))];

    [Fact]
    public void Place_OneNodeMore_MovesOnlyItsShareAndOnlyToIt()
    {
        NodeAgent.Placement.Data.DataPlacement before = Nodes(20), after = Nodes(21);

        DataMovePlan plan = NodeAgent.Placement.Data.DataPlacement.Plan(before, after, Keys);

        Assert.All(plan.Moves, move => Assert.Equal("store-20", move.To));
        Assert.InRange(plan.MovedShare, 0.8 / 21, 1.2 / 21);
    }

    [Fact]
    public void Place_Weights_AreTheShares()
    {
        var placement = new NodeAgent.Placement.Data.DataPlacement([new DataNode("a", 1), new DataNode("b", 3), new DataNode("c", 0)]);
        int[] counts = new int[3];
        foreach (ulong key in Keys)
        {
            counts[placement.Place(key)]++;
        }

        Assert.InRange((double)counts[1] / Keys.Length, 0.74, 0.76);
        Assert.Equal(0, counts[2]);
        Assert.Equal(2, placement.Place(Keys[0], copies: 3).Distinct().Count());
    }

    [Fact]
    public void PlaceBounded_NoNode_ExceedsItsBound()
    {
        int[] placed = Nodes(20).PlaceBounded(Keys, 1.05);

        Assert.True(placed.GroupBy(node => node).Max(group => group.Count()) <= Math.Ceiling(Keys.Length * 1.05 / 20));
    }

    [Fact]
    public void Hilbert_EveryCell_OnceAndNeighbouring()
    {
        (int X, int Y) previous = HilbertOrder.Cell(5, 0);
        for (long position = 1; position < 1024; position++)
        {
            (int x, int y) = HilbertOrder.Cell(5, position);
            Assert.Equal(1, Math.Abs(x - previous.X) + Math.Abs(y - previous.Y));
            Assert.Equal(position, HilbertOrder.Position(5, x, y));
            previous = (x, y);
        }
    }

    [Fact]
    public void Share_ContendedLink_IsSplitByWeightAndSpareGoesToWhoeverWants()
    {
        NetworkLink[] links = [new("a", 1000), new("b", 1000)];
        NetworkFlow[] flows = [new("light", 10_000, 1, [[0]]), new("heavy", 10_000, 3, [[0]]), new("small", 100, 1, [[1]]), new("two paths", 5000, 1, [[0], [1]])];

        IReadOnlyList<FlowLimit> limits = NetworkPlan.Share(links, flows);

        Assert.Equal(100, limits[2].LimitMbps, 6);
        Assert.InRange(limits[1].LimitMbps / limits[0].LimitMbps, 2.9, 3.1);
        Assert.InRange(limits.Sum(limit => limit.LimitMbps), 1999, 2000.001);
        Assert.True(limits[3].PathShares[1] > 0.5);
        Assert.Equal(1, limits[3].PathShares.Sum(), 9);
    }

    [Fact]
    public void CutMbps_TwoHalves_CountsPairsAcross() => Assert.Equal(16 * 10, NetworkPlan.CutMbps([4, 4], 10));

    private static NodeAgent.Placement.Data.DataPlacement Nodes(int count) =>
        new([.. Enumerable.Range(0, count).Select(number => new DataNode($"store-{number}", 1))]);
}
