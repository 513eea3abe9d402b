using NodeAgent.Aggregator.Placement;
using NodeAgent.Placement.Fleet;
using NodeAgent.V1;

namespace NodeAgent.Aggregator.Tests.Placement;

public sealed class FleetViewTests : IDisposable
{
    private readonly PlacementBench _bench = new();

    public void Dispose() => _bench.Dispose();

    [Fact]
    public void Read_LiveNode_IsWhatInventoryAndSeriesSay()
    {
        _bench.Add("n1", gpus: 8);
        NodeFacts facts = Only();
        Assert.Equal(new NodeSpec("n1", PlacementBench.Model, 8, 96_000, 1024 * 1024, 100_000, GpuMemoryMiB: 80 * 1024), facts.Spec);
        Assert.Equal(default, facts.Condition);
        Assert.Equal("GPU-00000003", facts.Uuids[3]);
    }

    [Fact]
    public void Read_NodeWithoutGpus_IsAHostForCpuWork()
    {
        _bench.Add("n1", gpus: 0);
        Assert.Equal(("", 0), (Only().Spec!.Model, Only().Spec!.GpuCount));
    }

    [Fact]
    public void Read_NodeOfWhichTooLittleIsKnown_IsNoCandidateAndSaysWhatIsMissing()
    {
        FleetNodeWithout("silent", null);
        FleetNodeWithout("vague", new Inventory { Cpu = new Inventory.Types.Cpu { Threads = 8 } });
        FleetNodeWithout("wrong", new Inventory { Cpu = new Inventory.Types.Cpu { Threads = uint.MaxValue }, MemoryBytes = 1UL << 34 });
        FleetNodeWithout("unread", new Inventory { Cpu = new Inventory.Types.Cpu { Threads = 8 }, MemoryBytes = 1UL << 34, Accelerators = { new Inventory.Types.PciDevice { VendorId = 0x10de } } });
        Assert.Equal(
            ["silent: no inventory yet", "unread: NVIDIA devices on its bus, but no reading of them yet", "vague: its inventory does not say its processors or its memory, or what no machine has", "wrong: its inventory does not say its processors or its memory, or what no machine has"],
            _bench.View.Read(_bench.Now, _ => null).Select(facts => facts.Spec is null ? $"{facts.Name}: {facts.Unknown}" : "known"));
    }

    [Theory]
    [InlineData(0, 0, NodeFilter.Dead)]
    [InlineData(1, 0, NodeFilter.None)]
    [InlineData(1, 4, NodeFilter.Stale)]
    public void Read_NodeThatIsNotLive_KeepsItsShapeButTakesNothing(int streams, int seconds, NodeFilter filter)
    {
        _bench.Add("n1", gpus: 4).OpenStreams = streams;
        NodeSpec known = new("n1", "old", 2, 1000, 1024);
        _bench.Time.Advance(TimeSpan.FromSeconds(seconds));
        NodeFacts facts = Assert.Single(_bench.View.Read(_bench.Now, _ => known));
        Assert.Equal(filter, facts.Condition.Filter);
        Assert.Equal(filter == NodeFilter.None ? 4 : 2, facts.Spec!.GpuCount);
    }

    [Fact]
    public void Read_GpusThatMustNotTakeWork_AreDerated()
    {
        _bench.Add("n1", gpus: 0);
        _bench.Gpus("n1",
        [
            new GpuSeries(0), new GpuSeries(1, State: 1), new GpuSeries(2, RecoveryAction: 1), new GpuSeries(3, RowRemapFailed: true),
            new GpuSeries(4, Throttles: "hw_thermal"), new GpuSeries(5, Throttles: "sw_power_cap"), new GpuSeries(6, Mig: true), new GpuSeries(7, Model: "NVIDIA A100"),
        ]);
        NodeFacts facts = Only();
        Assert.Equal(0b1101_1110, facts.Condition.DeratedLanes);
        Assert.Equal((8, PlacementBench.Model, false), (facts.Spec!.GpuCount, facts.Spec.Model, facts.Spec.Mig));
    }

    [Fact]
    public void Read_GpuReaderThatHangs_DeratesItsGpusButKeepsTheShape()
    {
        _bench.Add("n1", gpus: 2);
        _bench.Pass(30);
        Assert.Equal((2, 0b11), (Only().Spec!.GpuCount, Only().Condition.DeratedLanes));
    }

    [Fact]
    public void Read_GpuThatWasNotNamedForTenMinutes_IsNoLongerPartOfTheNode()
    {
        _bench.Add("n1", gpus: 8);
        _bench.Pass(601);
        _bench.Gpus("n1", [.. Enumerable.Range(0, 7).Select(number => new GpuSeries(number))]);
        Assert.Equal(7, Only().Spec!.GpuCount);
    }

    [Fact]
    public void Read_BoardThatWasReplaced_IsJudgedByItsOwnSeries()
    {
        _bench.Add("n1", gpus: 0);
        _bench.Gpus("n1", [new GpuSeries(0, RowRemapFailed: true)], _bench.Now - 60_000);
        _bench.Gpus("n1", [new GpuSeries(0) { Uuid = "GPU-new" }]);
        NodeFacts facts = Only();
        Assert.Equal((0, "GPU-new"), (facts.Condition.DeratedLanes, facts.Uuids[0]));
    }

    [Fact]
    public void Read_MoreModelsThanCanBeToldApart_LeavesOutTheRarestAndSaysSo()
    {
        for (int number = 0; number < 70; number++)
        {
            _bench.Add($"n{number:00}", gpus: 1, model: number < 4 ? "common" : $"model {number:00}");
        }

        IReadOnlyList<NodeFacts> facts = _bench.View.Read(_bench.Now, _ => null);
        Assert.Equal(["n66", "n67", "n68", "n69"], facts.Where(node => node.Spec is null).Select(node => node.Name));
        Assert.Equal(66, new FleetCatalog([.. facts.Select(node => node.Spec).OfType<NodeSpec>()]).Nodes.Length);
    }

    [Fact]
    public void Read_PartitionedNode_IsOne()
    {
        _bench.Add("n1", gpus: 2, mig: true);
        Assert.True(Only().Spec!.Mig);
        Assert.Equal(0, Only().Condition.DeratedLanes);
    }

    [Theory]
    [InlineData(0, 0, 0, 0)]
    [InlineData(8, 0, 0, 15)] // an error an hour on each GPU: an hour lost in every hour
    [InlineData(0, 8, 0, 6)] // one replaced row each: 1/720 GPU-hours an hour
    [InlineData(0, 0, 360, 11)] // each throttled a tenth of the hour, at half speed: 1/20
    public void Read_Counters_BecomeARiskClassByTheFormula(int uncorrected, int rows, int throttledSeconds, byte risk)
    {
        _bench.Add("n1", gpus: 0);
        GpuSeries[] before = [.. Enumerable.Range(0, 8).Select(number => new GpuSeries(number, Uncorrected: 5, ThrottledSeconds: 100, Rows: rows / 8.0))];
        _bench.Gpus("n1", before, _bench.Now - 3_600_000);
        _bench.Gpus("n1", [.. before.Select(gpu => gpu with { Uncorrected = 5 + (uncorrected / 8.0), ThrottledSeconds = 100 + throttledSeconds })]);
        Assert.Equal(risk, Only().Condition.Risk);
    }

    [Fact]
    public void Read_CounterThatBeganAnew_CountsFromZero()
    {
        _bench.Add("n1", gpus: 0);
        _bench.Gpus("n1", [new GpuSeries(0, Uncorrected: 500)], _bench.Now - 3_600_000);
        _bench.Gpus("n1", [new GpuSeries(0)]);
        Assert.Equal(0, Only().Condition.Risk);
    }

    private NodeFacts Only() => Assert.Single(_bench.View.Read(_bench.Now, _ => null));

    private void FleetNodeWithout(string name, Inventory? inventory)
    {
        _bench.Add(name, gpus: 0).Inventory = inventory;
    }
}
