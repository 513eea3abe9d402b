using NodeAgent.Contracts.Metrics;
using NodeAgent.Contracts.Series;
using NodeAgent.Tsdb.Query;
using static NodeAgent.Tsdb.Tests.Make;

namespace NodeAgent.Tsdb.Tests.Index;

public sealed class RegistrationTests
{
    [Fact]
    public void Register_Columns_GetTheNodeLabelInOrder()
    {
        using MemoryStore store = Store();
        SchemaHandle schema = store.Schema("host-1", "cpu", Gauge("m", ("mode", "idle"), ("zone", "b")), Gauge("m", ("aaa", "1")));
        Assert.Equal(["m{mode=\"idle\",node=\"host-1\",zone=\"b\"}", "m{aaa=\"1\",node=\"host-1\"}"], schema.Series.Select(series => series.ToString()));
        Assert.Equal((1_000, 5_000L), (schema.Series[0].IntervalMs, schema.Series[0].StaleMs));
    }

    [Fact]
    public void Register_SameColumnsAgain_GivesTheSameHandle()
    {
        using MemoryStore store = Store();
        SchemaHandle first = store.Schema("n", "cpu", Gauge("a"), Gauge("b"));
        Assert.Same(first, store.Schema("n", "cpu", Gauge("a"), Gauge("b")));
        Assert.NotSame(first, store.Schema("n", "cpu", Gauge("b"), Gauge("a")));
        Assert.NotSame(first, store.Schema("m", "cpu", Gauge("a"), Gauge("b")));
        Assert.Same(first, store.Schema("n", "cpu", Gauge("a"), Gauge("b")));
        Assert.Same(first, Assert.Single(store.Schemas("n")));
        Assert.Equal(["m", "n"], store.Nodes());
        Assert.Empty(store.Schemas("unknown"));
    }

    [Fact]
    public void Register_ReplacedSchema_KeepsItsSeriesWholeAcrossTheChange()
    {
        using MemoryStore store = Store(headRows: 8);
        SchemaHandle old = store.Schema("n", "cpu", Gauge("a"), Gauge("b"));
        store.Row(old, Start, 1, 1);
        SchemaHandle next = store.Schema("n", "cpu", Gauge("c"), Gauge("a"));
        store.Row(next, Start + 1, 3, 2);
        store.Row(old, Start + 1, 9, 9); // the old stream's last row: the newer schema's value stands
        Assert.Same(old.Series[0], next.Series[1]);
        Assert.Equal("0=1 1=2", store.Samples(old.Series[0]));
        Assert.Equal(3, store.Stats().Series);
    }

    [Fact]
    public void Register_BeyondTheQuota_IsRefusedAndOthersAreNot()
    {
        using MemoryStore store = Store(quota: 3);
        store.Schema("n", "cpu", Gauge("a"), Gauge("b"));
        RegisterResult refused = store.Register("n", "disk", 1_000, [Gauge("c"), Gauge("d")]);
        Assert.Equal(RegisterStatus.QuotaExceeded, refused.Status);
        Assert.Equal("Node n may have 3 series; the 2 of sampler disk would make more.", refused.Detail);
        store.Schema("n", "disk", Gauge("a"), Gauge("c"));
        store.Schema("other", "disk", Gauge("c"), Gauge("d"));
        Assert.Equal((5, 1), (store.Stats().Series, store.Stats().SchemasRefused));
    }

    public static TheoryData<string, SeriesDefinition[], string> BadSchemas => new()
    {
        { "", [Gauge("a")], "The node has no name." },
        { "n", [], "The schema has no columns." },
        { "n", [Gauge("a"), Gauge("0a")], "Column 1 (0a): the metric name is not [a-zA-Z_:][a-zA-Z0-9_:]*." },
        { "n", [Gauge("a"), Gauge("a")], "Column 1 (a): an earlier column is the same series." },
        { "n", [Gauge("a", ("node", "x"))], "Column 0 (a{node=\"x\"}): the label node is the aggregator's." },
        { "n", [Gauge("a", ("__name__", "x"))], "Column 0 (a{__name__=\"x\"}): the label __name__ is the aggregator's." },
        { "n", [Gauge("a", ("a:b", "x"))], "Column 0 (a{a:b=\"x\"}): the label name \"a:b\" is not [a-zA-Z_][a-zA-Z0-9_]*." },
        { "n", [Gauge("a", ("b", "x"), ("b", "y"))], "Column 0 (a{b=\"x\",b=\"y\"}): it carries the label b twice." },
        { "n", [new SeriesDefinition("a", 0, "", 0, [])], "Column 0 (a): its kind is neither gauge nor counter." },
    };

    [Theory]
    [MemberData(nameof(BadSchemas))]
    public void Register_BadSchema_NamesColumnAndRule(string node, SeriesDefinition[] series, string detail)
    {
        using MemoryStore store = Store();
        Assert.Equal(new RegisterResult(RegisterStatus.Invalid, null, detail), store.Register(node, "s", 0, series));
        Assert.Equal((0, 0), (store.Stats().Series, store.Stats().Nodes));
    }

    [Fact]
    public void Register_LabelValueOf1024Bytes_IsTheLongest()
    {
        using MemoryStore store = Store();
        Assert.True(store.Register("n", "s", 0, [Gauge("a", ("l", new string('é', 512)))]).IsAccepted);
        Assert.EndsWith("the value of the label l is longer than 1024 bytes.", store.Register("n", "s", 0, [Gauge("a", ("l", new string('é', 513)))]).Detail);
    }

    [Fact]
    public void Select_WithLimit_IsSortedAndStillCountsAll()
    {
        using MemoryStore store = Store();
        store.Schema("b", "s", Gauge("z"), Gauge("a", ("gpu", "1")), Gauge("a", ("gpu", "0")));
        store.Schema("a", "s", Gauge("a", ("gpu", "1")));
        SeriesSelection found = store.Select(Selector.Parse("a"), 0, long.MaxValue, 2);
        Assert.Equal(["a{gpu=\"0\",node=\"b\"}", "a{gpu=\"1\",node=\"a\"}"], found.Series.Select(series => series.ToString()));
        Assert.Equal(3, found.Total);
    }

    [Fact]
    public void Register_NewUnitOfAKnownSeries_IsTakenOver()
    {
        using MemoryStore store = Store();
        SeriesInfo series = store.Schema("n", "s", Gauge("a")).Series[0];
        store.Register("n", "s", 5_000, [new SeriesDefinition("a", MetricKind.Counter, Unit.Bytes, 10, [])]);
        Assert.Equal((MetricKind.Counter, Unit.Bytes, 10u, 5_000), (series.Kind, series.Unit, series.Scale, series.IntervalMs));
    }
}
