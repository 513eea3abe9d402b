using NodeAgent.Placement.Fleet;
using NodeAgent.Placement.Requests;
using NodeAgent.Placement.Values;

namespace NodeAgent.Placement.Tests.Fleet;

public sealed class FleetBookTests
{
    [Fact]
    public void UndoTo_AfterRandomChanges_RestoresEverything()
    {
        FleetCatalog catalog = TestFleet.Mixed(40);
        var book = new FleetBook(catalog);
        var random = new SplitMix(3);
        Fill(book, ref random, 200);
        string before = Describe(book);
        int mark = book.Mark();

        foreach (int number in book.Allocations.All().ToArray().Where(number => number % 3 == 0))
        {
            book.Release(number);
        }

        Fill(book, ref random, 100);
        book.SetCondition(3, new NodeCondition(NodeFilter.Draining, 1, 4));
        Assert.NotEqual(before, Describe(book));
        book.UndoTo(mark);

        Assert.Equal(before, Describe(book));
    }

    [Fact]
    public void Snapshot_LaterWrites_DoNotShowInIt()
    {
        var state = new FleetState(TestFleet.Mixed(600));
        FleetState snapshot = state.Snapshot();

        state.Add(300, -1000, -1, 0, state.Gpus(300).TakeEach(1, 500));

        Assert.Equal(state.Catalog.Nodes[300].CpuMilli, snapshot.Cpu(300));
        Assert.Equal(1000, snapshot.Gpus(300)[0]);
        Assert.Equal(500, state.Gpus(300)[0]);
    }

    [Fact]
    public void Take_MoreThanThereIs_IsABug()
    {
        var book = new FleetBook(TestFleet.Hosts(1));
        book.Take(1, 0, new Demand(1000, 1, 1, 700), 1);

        Assert.Throws<InvalidOperationException>(() => book.Take(2, 0, new Demand(1000, 1, 1, 400), 1));
        Assert.Throws<InvalidOperationException>(() => book.Take(3, 0, new Demand(100_000, 1, 0, 0), 0));
    }

    [Theory]
    [InlineData(1, 300, 2)]
    [InlineData(1, 500, 0)]
    [InlineData(1, 900, -1)]
    public void Tightest_OfUnequalDevices_IsTheSmallestThatIsEnough(int _, int milli, int lane)
    {
        GpuLanes gpus = GpuLanes.WholeGpus(3).Take(0, 400).Take(1, 200).Take(2, 700);

        Assert.Equal(lane, gpus.Tightest(milli));
    }

    [Fact]
    public void Catalog_NodeTwice_IsRejected() =>
        Assert.Throws<ArgumentException>(() => new FleetCatalog([TestFleet.Node(0), TestFleet.Node(0)]));

    private static void Fill(FleetBook book, ref SplitMix random, int count)
    {
        for (int index = 0; index < count; index++)
        {
            Demand demand = TestFleet.RandomDemand(ref random, book.State.Catalog);
            int node = random.Next(book.State.Count);
            if (demand.Accepts(book.State.Catalog.ModelOf[node]) && book.State.Memory(node) >= demand.MemoryMiB && demand.Fits(book.State.Cpu(node), book.State.Gpus(node)))
            {
                book.Take(index, node, demand, demand.GpuCount == 0 ? 0 : demand.TightestLanes(book.State.Gpus(node)));
            }
        }
    }

    private static string Describe(FleetBook book) =>
        string.Join('\n', Enumerable.Range(0, book.State.Count).Select(node => $"{node} {book.State.Cpu(node)} {book.State.Memory(node)} {book.State.Gpus(node)} {book.State.Condition(node)}"))
        + string.Join('\n', book.Allocations.All().Select(number => $"{number} {book.Allocations[number]}"));
}
