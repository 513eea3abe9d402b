using NodeAgent.Placement.Fleet;
using NodeAgent.Placement.Policies;
using NodeAgent.Placement.Requests;
using NodeAgent.Placement.Search;
using NodeAgent.Placement.Traces;
using NodeAgent.Placement.Values;

namespace NodeAgent.Placement.Tests.Traces;

/// <summary>The quick subset of the openb benchmark: two traces, one seed, every placement recomputed.</summary>
public sealed class OpenbTests
{
    [Theory]
    [InlineData("default", PolicyName.Fgd, 95.29, 0.5)]
    [InlineData("default", PolicyName.BestFit, 93.13, 0.5)]
    [InlineData("default", PolicyName.DotProd, 90.54, 0.8)]
    [InlineData("gpushare100", PolicyName.Fgd, 86.69, 0.5)]
    public void ReferencePolicy_OnSeed42_IsNearThePublishedAllocation(string trace, PolicyName policy, double published, double tolerance)
    {
        InflationResult result = Run(trace, policy);

        Assert.InRange(result.Curve.At(130), published - tolerance, published + tolerance);
    }

    [Theory]
    [InlineData("default", 96.0)]
    [InlineData("gpushare100", 88.0)]
    public void ValuePolicy_OnSeed42_AllocatesMoreThanFgdAndRefusesNoLargeJobEarly(string trace, double least)
    {
        InflationResult result = Run(trace, PolicyName.Value);

        Assert.True(result.Curve.At(130) >= least, $"{result.Curve.At(130)}");
        Assert.Equal(0, result.BigRefusedBefore90);
    }

    [Fact]
    public void Checker_TamperedJournal_Objects()
    {
        NodeSpec[] nodes = [new("n", "T4", 1, 1000, 1000)];
        TracePod[] pods = [new(600, 10, 1, 600, ""), new(600, 10, 1, 600, "G2")];

        IReadOnlyList<string> faults = PlacementChecker.Check(nodes, pods, [new Placed(0, 0, 1), new Placed(1, 0, 1)]);

        Assert.Equal(3, faults.Count); // CPU, device, model
        Assert.Empty(PlacementChecker.Check(nodes, pods, [new Placed(0, 0, 1), new Placed(1, -1, 0)]));
    }

    [Theory]
    [InlineData("sn,cpu_milli,memory_mib,gpu\nn,1,2,3")]
    [InlineData("sn,cpu_milli,memory_mib,gpu,model\nn,1,2")]
    [InlineData("sn,cpu_milli,memory_mib,gpu,model\nn,one,2,3,T4")]
    [InlineData("")]
    public void ReadNodes_NotThatForm_SaysSo(string text) =>
        Assert.Throws<InvalidDataException>(() => OpenbTrace.ReadNodes(new StringReader(text)));

    private static InflationResult Run(string trace, PolicyName name)
    {
        string root = TestFleet.DataRoot ?? Skip();
        using var nodeFile = new StreamReader(Path.Combine(root, "openb", "nodes.csv"));
        using var podFile = new StreamReader(Path.Combine(root, "openb", "pods", trace + ".csv"));
        TracePod[] pods = OpenbTrace.ReadPods(podFile);
        ArrivalOrder order = OpenbTrace.ReadOrders(File.OpenRead(Path.Combine(root, "openb", "orders", trace + ".txt.gz")), compressed: true).First();
        FleetCatalog catalog = OpenbTrace.Ranked(OpenbTrace.ReadNodes(nodeFile), order.NodeRanks);
        var book = new FleetBook(catalog);
        var mix = new WorkloadMix(pods.Select(pod => (OpenbTrace.DemandOf(pod, catalog), 1.0)));
        PlacementSearch search = PolicyFactory.Search(book, PolicyFactory.Create(name, catalog, mix, TypicalPods.Of(pods, catalog)), mix);
        TracePod[] arriving = [.. order.Pods.Select(pod => pods[pod])];
        var journal = new List<Placed>();

        InflationResult result = new InflationRun(book, demand => search.Find(demand)).Run([.. arriving.Select(pod => OpenbTrace.DemandOf(pod, catalog))], journal);

        Assert.Empty(PlacementChecker.Check(catalog.Nodes, arriving, journal));
        return result;
    }

    private static string Skip()
    {
        Assert.Skip("the openb trace is absent: set NODEAGENT_DATA, or put it in ../shared/data beside the repository");
        return "";
    }
}
