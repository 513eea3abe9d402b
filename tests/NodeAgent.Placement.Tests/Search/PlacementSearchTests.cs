using NodeAgent.Placement.Fleet;
using NodeAgent.Placement.Policies;
using NodeAgent.Placement.Requests;
using NodeAgent.Placement.Search;
using NodeAgent.Placement.Values;

namespace NodeAgent.Placement.Tests.Search;

/// <summary>The index must give what a scan of all nodes gives: same node, same devices, same score.</summary>
public sealed class PlacementSearchTests
{
    public static TheoryData<PolicyName> Policies =>
        [PolicyName.DotProd, PolicyName.GpuClustering, PolicyName.GpuPacking, PolicyName.BestFit, PolicyName.Fgd, PolicyName.Value, PolicyName.Blend, PolicyName.Spread];

    [Theory]
    [MemberData(nameof(Policies))]
    public void Find_OverAFillAndChurn_EqualsTheScan(PolicyName name)
    {
        var book = new FleetBook(TestFleet.Mixed(120));
        WorkloadMix mix = TestFleet.Mix(book.State.Catalog);
        PlacementSearch search = PolicyFactory.Search(book, PolicyFactory.Create(name, book.State.Catalog, mix, futures: 8), mix);
        var random = new SplitMix(11);
        var held = new List<int>();
        int refused = 0;
        for (int step = 0; step < 1500; step++)
        {
            Demand demand = TestFleet.RandomDemand(ref random, book.State.Catalog);
            Choice found = search.Find(demand);
            Choice scanned = search.Scan(demand);

            Assert.True(found == scanned, $"step {step}: {found} instead of {scanned} for {demand}");
            if (found.Found)
            {
                held.Add(book.Take(step, found.Node, demand, found.Lanes));
            }
            else
            {
                refused++;
            }

            if (step > 600 && held.Count > 0 && random.Next(3) > 0)
            {
                int at = random.Next(held.Count);
                book.Release(held[at]);
                held.RemoveAt(at);
            }

            if (step % 50 == 0)
            {
                book.SetCondition(random.Next(book.State.Count), new NodeCondition((NodeFilter)random.Next(3), (byte)random.Next(4), (byte)random.Next(5)));
            }
        }

        Assert.InRange(refused, 1, 1400); // the fleet was full for a while, so the prices were at work
    }

    [Fact]
    public void Find_OfEqualNodes_TakesTheFirst()
    {
        var book = new FleetBook(TestFleet.Hosts(300));
        WorkloadMix mix = TestFleet.Mix(book.State.Catalog);
        PlacementSearch search = PolicyFactory.Search(book, new BestFitPolicy(), mix);

        Assert.Equal(0, search.Find(new Demand(1000, 1, 1, 1000)).Node);
    }

    [Fact]
    public void Find_DeratedDevice_IsNotUsed()
    {
        var book = new FleetBook(TestFleet.Hosts(1));
        PlacementSearch search = PolicyFactory.Search(book, new BestFitPolicy(), TestFleet.Mix(book.State.Catalog));
        book.SetCondition(0, new NodeCondition(NodeFilter.None, 0b0000_0001, 0));

        Assert.Equal(0b10u, search.Find(new Demand(1000, 1, 1, 1000)).Lanes);
        Assert.False(search.Find(new Demand(1000, 1, 8, 1000)).Found);
    }

    [Fact]
    public void Find_RiskyNode_IsAvoidedWhileAnotherIsAsGood()
    {
        var book = new FleetBook(TestFleet.Hosts(2));
        WorkloadMix mix = TestFleet.Mix(book.State.Catalog);
        PlacementSearch search = PolicyFactory.Search(book, PolicyFactory.Create(PolicyName.Blend, book.State.Catalog, mix), mix);
        book.SetCondition(0, new NodeCondition(NodeFilter.None, 0, RiskScale.Classify(0.05)));

        Assert.Equal(1, search.Find(new Demand(8000, 1, 1, 1000)).Node);
    }

    [Fact]
    public void RankSet_AgainstASortedSet_IsTheSame()
    {
        var set = new RankSet(1000);
        var model = new SortedSet<int>();
        var random = new SplitMix(9);
        for (int step = 0; step < 20_000; step++)
        {
            int rank = random.Next(step < 10_000 ? 1000 : 40);
            if (model.Add(rank))
            {
                set.Add(rank);
            }
            else
            {
                model.Remove(rank);
                set.Remove(rank);
            }

            Assert.Equal(model.Count == 0 ? int.MaxValue : model.Min, set.First);
            Assert.Equal(model.Count, set.Count);
        }

        var seen = new List<int>();
        for (int rank = set.Next(-1); rank != int.MaxValue; rank = set.Next(rank))
        {
            seen.Add(rank);
        }

        Assert.Equal(model, seen);
    }

    [Theory]
    [InlineData(-3.5f, 2f)]
    [InlineData(-3.5f, -3.25f)]
    [InlineData(0f, 0.5f)]
    public void Key_OfALargerScore_IsLarger(float smaller, float larger)
    {
        Assert.True(ScoreTree.Key(smaller, 1) < ScoreTree.Key(larger, 100));
        Assert.True(ScoreTree.Key(smaller, 1) > ScoreTree.Key(smaller, 2));
        Assert.Equal(smaller, ScoreTree.Score(ScoreTree.Key(smaller, 7)));
    }
}
